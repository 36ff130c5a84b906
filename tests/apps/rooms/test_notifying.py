"""The people who are notified of events in a room."""

from __future__ import annotations

import pytest

from tests.apps.members import Member, facts, room
from tests.http.conftest import Server
from tidings.errors import Unavailable

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def people(server: Server, request: pytest.FixtureRequest) -> list[Member]:
    """Three people of the test's own."""
    return [Member(server, f"{first} {abs(hash(request.node.name)) % 10**6}") for first in ("Mara", "Tom", "Ada")]


def id_of(people: list[Member]) -> str:
    return people[0].name.lower().replace(" ", "-")


async def test_who_is_mentioned_replied_to_or_added_is_told(people: list[Member]) -> None:
    mara, tom, ada = people
    topic = await room(mara, id := id_of(people), tom, ada)
    title = f"#{id.title()}"
    first = await tom.said(topic, "message.posted", text="Lunch?")
    reply = await mara.said(topic, "message.posted", text=f"Yes, @{ada.name}, too", reply=first)
    assert await tom.told() == [
        ("reply", f"{mara.name} replied to you in {title}", False),
        ("invite", f"{mara.name} added you to {title}", False),
    ]
    assert (await ada.told())[0] == ("mention", f"{mara.name} mentioned you in {title}", False)
    assert await mara.told() == []
    found = (await ada.notifications())["notifications"][0]
    assert found["text"] == f"Yes, @{ada.name}, too"
    assert (found["topic"], found["event"], found["by"]) == (topic, reply, mara.name)
    assert found["link"] == f"/r/{id}?at={reply}"


async def test_nobody_is_told_of_what_they_do_themselves_or_told_twice(people: list[Member]) -> None:
    mara, tom, _ = people
    topic = await room(mara, id_of(people), tom)
    own = await mara.said(topic, "message.posted", text=f"I, @{mara.name}, alone")
    await mara.said(topic, "message.posted", text="and again", reply=own)
    theirs = await tom.said(topic, "message.posted", text="Hm")
    await mara.said(topic, "message.posted", text=f"@{tom.name}, see here", reply=theirs)
    assert await mara.told() == []
    assert [kind for kind, _, _ in await tom.told()] == ["mention", "invite"]


async def test_people_whom_an_edit_adds_are_told_and_others_are_not_told_again(people: list[Member]) -> None:
    mara, tom, ada = people
    topic = await room(mara, id_of(people), tom, ada)
    said = await mara.said(topic, "message.posted", text=f"@{tom.name}, lunch? Not `@{ada.name}`.")
    assert [kind for kind, _, _ in await ada.told()] == ["invite"]
    await tom.said((await tom.notifications())["topic"], "room.read", room=id_of(people), offset=said)
    edit = await mara.said(topic, "message.edited", message=said, text=f"@{tom.name} and @{ada.name}, lunch?")
    assert (await facts(mara.server, topic, "message.edited"))[0]["mentions"] == [tom.name, ada.name]
    assert [kind for kind, _, read in await tom.told() if not read] == []
    [told, _] = (await ada.notifications())["notifications"]
    assert (told["kind"], told["text"]) == ("mention", f"@{tom.name} and @{ada.name}, lunch?")
    assert (told["event"], told["link"]) == (said, f"/r/{id_of(people)}?at={said}")
    assert edit != said
    await mara.said(topic, "message.edited", message=said, text=f"@{tom.name}, lunch?")
    assert [kind for kind, _, _ in await ada.told()] == ["invite"], "what names her no more is withdrawn"
    await mara.said(topic, "message.edited", message=said, text=f"@{ada.name}, lunch?")
    assert [kind for kind, _, _ in await ada.told()] == ["mention", "invite"]


async def test_joining_by_oneself_tells_nobody(people: list[Member]) -> None:
    mara, tom, _ = people
    topic = await room(mara, id_of(people))
    await tom.said(topic, "member.joined", member=tom.name)
    assert await tom.told() == await mara.told() == []


async def test_who_has_left_is_not_told_of_replies(people: list[Member]) -> None:
    mara, tom, _ = people
    topic = await room(mara, id_of(people), tom, private=True)
    theirs = await tom.said(topic, "message.posted", text="Bye")
    await tom.said(topic, "member.left", member=tom.name)
    await mara.said(topic, "message.posted", text=f"A secret, @{tom.name}", reply=theirs)
    assert [kind for kind, _, _ in await tom.told()] == ["invite"]


async def test_a_message_that_is_published_again_tells_once(people: list[Member]) -> None:
    mara, tom, _ = people
    topic = await room(mara, id_of(people), tom)
    for _ in range(3):
        await mara.say(topic, "message.posted", text=f"@{tom.name}!", key="k")
    assert [kind for kind, _, _ in await tom.told()] == ["mention", "invite"]


async def test_a_publisher_that_was_not_answered_mends_what_was_not_told(
    server: Server, people: list[Member], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message was stored, and the store went away before its mention was."""
    mara, tom, _ = people
    topic = await room(mara, id_of(people), tom)
    append = server.hub.log.append
    away = True

    async def failing(to: str, *args: object, **options: object) -> object:
        if away and to.startswith("users."):
            raise Unavailable("The store is away.")
        return await append(to, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(server.hub.log, "append", failing)
    message = {"text": f"@{tom.name}!"}
    assert (await mara.say(topic, "message.posted", key="k", **message)).status_code == 503
    assert [kind for kind, _, _ in await tom.told()] == ["invite"]
    away = False
    assert (await mara.say(topic, "message.posted", key="k", **message)).status_code == 200
    assert [kind for kind, _, _ in await tom.told()] == ["mention", "invite"]


async def test_a_muted_room_tells_of_mentions_only(people: list[Member]) -> None:
    mara, tom, _ = people
    topic = await room(mara, id_of(people), tom)
    theirs = await tom.said(topic, "message.posted", text="Hm")
    await tom.said((await tom.notifications())["topic"], "topic.muted", topic=topic)
    await mara.said(topic, "message.posted", text="Hm?", reply=theirs)
    await mara.said(topic, "message.posted", text=f"@{tom.name}!")
    assert [(kind, read) for kind, _, read in await tom.told()] == [
        ("mention", False),
        ("reply", True),
        ("invite", False),
    ]
    found = await tom.notifications()
    assert (found["unread"], found["muted"]) == (2, [topic])


async def test_what_is_read_in_a_room_is_read_everywhere(people: list[Member]) -> None:
    mara, tom, _ = people
    topic = await room(mara, id := id_of(people), tom)
    first = await mara.said(topic, "message.posted", text=f"@{tom.name} one")
    await mara.said(topic, "message.posted", text=f"@{tom.name} two")
    inbox = (await tom.notifications())["topic"]
    await tom.said(inbox, "room.read", room=id, offset=first)
    assert [(kind, read) for kind, _, read in await tom.told()] == [
        ("mention", False),
        ("mention", True),
        ("invite", True),
    ]
    [found] = [one for one in (await tom.get("/rooms")).json()["rooms"] if one["id"] == id]
    assert (found["read"], found["unread"], found["mentions"]) == (first, 1, 1)


async def test_names_and_texts_of_any_kind_are_told_as_text(server: Server, people: list[Member]) -> None:
    mara = people[0]
    evil = Member(server, "<img src=x onerror=alert(1)>")
    topic = await room(mara, id_of(people), evil)
    theirs = await evil.said(topic, "message.posted", text="x")
    await mara.said(topic, "message.posted", text="<b>" + "c" * 15_000, reply=theirs)
    found = (await evil.notifications())["notifications"][0]
    assert len(found["text"]) == 200
    assert found["text"].startswith("<b>ccc")
    assert found["text"].endswith("…")
    await evil.said(topic, "message.posted", text=f"@{mara.name}")
    assert evil.name in (await mara.notifications())["notifications"][0]["title"]
