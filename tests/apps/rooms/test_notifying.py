"""The people who are notified of events in a room."""

from __future__ import annotations

import json

import pytest

from tests.apps.members import Member, facts, room
from tests.http.conftest import Server
from tests.http.problems import problem
from tidings.errors import Unavailable

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def people(server: Server, request: pytest.FixtureRequest) -> list[Member]:
    """Three people of the test's own."""
    return [Member(server, f"{first} {abs(hash(request.node.name)) % 10**6}") for first in ("Mara", "Tom", "Ada")]


def id_of(people: list[Member]) -> str:
    return people[0].name.lower().replace(" ", "-")


async def test_mentions_replies_and_additions_notify(people: list[Member]) -> None:
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


async def test_replies_to_a_former_member_do_not_notify(people: list[Member]) -> None:
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


async def test_reading_a_room_marks_its_notifications_read(people: list[Member]) -> None:
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


async def test_everyone_is_told_of_a_message_to_the_room(people: list[Member]) -> None:
    mara, tom, ada = people
    topic = await room(mara, id := id_of(people), tom, ada)
    await mara.said(topic, "message.posted", text=f"@room and @{ada.name}: lunch. Not `@room`.")
    [posted] = await facts(mara.server, topic, "message.posted")
    assert (posted["mentions"], posted["everyone"]) == ([ada.name], [tom.name])
    assert (await tom.told())[0] == ("everyone", f"{mara.name} mentioned everyone in #{id.title()}", False)
    assert (await ada.told())[0] == ("mention", f"{mara.name} mentioned you in #{id.title()}", False)
    [listed] = [one for one in (await tom.get("/rooms")).json()["rooms"] if one["id"] == id]
    assert (listed["unread"], listed["mentions"]) == (1, 1)
    await tom.said(topic, "message.posted", text="`@room` and @Room: no, yes")
    assert [kind for kind, _, _ in await mara.told()] == ["everyone"]
    for text in ("`@room`", "> @room\n\nno", "https://example.com/@room", "a@room.example", "@roomy", "    @room"):
        await tom.said(topic, "message.posted", text=text)
    assert [kind for kind, _, _ in await mara.told()] == ["everyone"]
    problem(await mara.say(topic, "message.posted", text="Hello", everyone=[tom.name]), 400, "stamps")


async def test_an_edit_calls_everyone_or_calls_them_back(people: list[Member]) -> None:
    mara, tom, _ = people
    topic = await room(mara, id_of(people), tom)
    said = await mara.said(topic, "message.posted", text="Lunch?")
    await mara.said(topic, "message.edited", message=said, text="@room, lunch?")
    assert [kind for kind, _, _ in await tom.told()] == ["everyone", "invite"]
    await mara.said(topic, "message.edited", message=said, text="Lunch?")
    assert [kind for kind, _, _ in await tom.told()] == ["invite"]


async def test_a_muted_room_still_tells_of_mentions_by_name_alone(people: list[Member]) -> None:
    mara, tom, ada = people
    topic = await room(mara, id_of(people), tom, ada)
    await tom.said((await tom.notifications())["topic"], "topic.muted", topic=topic)
    await mara.said(topic, "message.posted", text="@room, lunch")
    await mara.said(topic, "message.posted", text=f"@{tom.name}, lunch")
    assert [(kind, read) for kind, _, read in await tom.told()][:2] == [("mention", False), ("everyone", True)]


@pytest.mark.parametrize(("size", "by_member", "by_owner"), [(50, 201, 201), (51, 403, 201), (201, 403, 403)])
async def test_everyone_in_a_large_room_is_called_by_owners_only(
    people: list[Member], size: int, by_member: int, by_owner: int
) -> None:
    mara, tom, _ = people
    topic = await room(mara, f"{id_of(people)}-{size}", tom)
    added = [("member.joined", {"member": f"P{n} {size}"}) for n in range(size - 2)]
    lines = "\n".join(json.dumps({"type": type, "data": data}) for type, data in added)
    headers = {**mara.headers, "content-type": "application/x-ndjson"}
    done = await mara.server.client.post(f"/topics/{topic}/events", content=lines, headers=headers)
    assert done.status_code == 201, done.text
    for one, status in ((tom, by_member), (mara, by_owner)):
        answer = await one.say(topic, "message.posted", text="@room")
        assert answer.status_code == status, answer.text
        if status == 403:
            problem(answer, 403, f"has {size}.")
        assert (await one.say(topic, "message.posted", text="`@room`")).status_code == 201


async def test_every_message_notifies_a_watcher_of_the_room(people: list[Member]) -> None:
    mara, tom, ada = people
    topic = await room(mara, id := id_of(people), tom, ada)
    own = (await tom.notifications())["topic"]
    await tom.said(own, "topic.watched", topic=topic)
    assert (await tom.notifications())["watched"] == [topic]
    said = await mara.said(topic, "message.posted", text="Hello")
    await ada.said(topic, "message.posted", text=f"Hello, @{tom.name}")
    await tom.said(topic, "message.posted", text="My own")
    assert (await tom.told())[:2] == [
        ("mention", f"{ada.name} mentioned you in #{id.title()}", False),
        ("message", f"{mara.name} wrote in #{id.title()}", False),
    ]
    assert [kind for kind, _, _ in await mara.told()] == []
    assert [kind for kind, _, _ in await ada.told()] == ["invite"]
    await mara.said(topic, "message.edited", message=said, text="Good morning")
    assert (await tom.notifications())["notifications"][0]["text"] == "Good morning"
    await tom.said(own, "topic.unwatched", topic=topic)
    await mara.said(topic, "message.posted", text="Unheard")
    assert [kind for kind, _, _ in await tom.told()] == ["message", "mention", "invite"]
    await mara.said(topic, "message.deleted", message=said)
    assert [kind for kind, _, _ in await tom.told()] == ["mention", "invite"], "though the room is not watched any more"


async def test_messages_do_not_notify_a_former_member_who_watches(people: list[Member]) -> None:
    mara, tom, _ = people
    topic = await room(mara, id_of(people), tom)
    await tom.said((await tom.notifications())["topic"], "topic.watched", topic=topic)
    await tom.said(topic, "member.left", member=tom.name)
    await mara.said(topic, "message.posted", text="A secret")
    assert "A secret" not in str(await tom.notifications())
