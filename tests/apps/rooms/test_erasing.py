"""Tests of erasing: a deleted text is gone from every log, page and list, and from the file of the database."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.apps.members import SECRET, token
from tests.serving import ServerProcess
from tests.streams import Answer, request, streaming
from tidings import Hub
from tidings.access.subject import named
from tidings.apps.notifications.service import Notifications
from tidings.apps.rooms.erasing import Eraser
from tidings.apps.rooms.guard import RoomsGuard
from tidings.apps.rooms.notifying import Notices, Told
from tidings.apps.rooms.rooms import Rooms, Stored
from tidings.errors import Conflict
from tidings.events import Offset
from tidings.http.publish import guarded
from tidings.log.rules import Appended

WORD = "lanternfish"
"""The word of all texts that are deleted."""


@pytest.fixture
def servers(shared_url: str) -> Iterator[tuple[ServerProcess, ServerProcess]]:
    env = {"TIDINGS_SECRET": SECRET}
    with ServerProcess(shared_url, env=env) as one, ServerProcess(shared_url, env=env) as two:
        yield one, two


def headers(name: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token(name)}", "content-type": "application/json"}


async def get(server: ServerProcess, name: str, path: str) -> Answer:
    return await request(server.url + path, headers=headers(name))


async def say(server: ServerProcess, name: str, type: str, /, **data: Any) -> str:
    answer = await request(f"{server.url}/topics/rooms.den/events?type={type}", "POST", json.dumps(data), headers(name))
    assert answer.status == 201, answer.body
    offset: str = answer.json()["offset"]
    return offset


async def seen(server: ServerProcess, name: str) -> str:
    """All that a person sees of the room."""
    paths = ("/topics/rooms.den/events", "/rooms/den", f"/search?q={WORD}", "/notifications", "/rooms")
    return "\n".join([(await get(server, name, path)).body.decode() for path in paths])


def stored(folder: Path) -> bytes:
    """Return the files of a SQLite store; PostgreSQL's say nothing about what can be read."""
    return b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())


async def den(server: ServerProcess) -> None:
    await say(server, "Ann", "room.created", name="Den")
    await say(server, "Ann", "member.joined", member="Bob")


async def test_a_deleted_message_is_gone_with_its_edits_quotes_and_notifications(
    servers: tuple[ServerProcess, ServerProcess], tmp_path: Path
) -> None:
    one, two = servers
    await den(one)
    asked = await say(two, "Bob", "message.posted", text=f"Mine is a {WORD} 1")
    message = await say(one, "Ann", "message.posted", text=f"@Bob a {WORD} 2", reply=asked)
    await say(one, "Ann", "message.edited", message=message, text=f"@Bob a {WORD} 3")
    reply = await say(two, "Bob", "message.posted", text="I see", reply=message)
    for server in servers:
        for name in ("Ann", "Bob"):
            assert WORD in await seen(server, name)
    await say(one, "Ann", "message.deleted", message=message)
    await say(two, "Ann", "message.deleted", message=asked)
    for server in servers:
        for name in ("Ann", "Bob"):
            assert WORD not in await seen(server, name)
    events = (await get(two, "Bob", "/topics/rooms.den/events")).json()["events"]
    last = [event["data"] for event in events if event["type"] == "message.edited"][-1]
    assert (last["message"], last["author"], last["text"], last["quote"]) == (
        reply,
        "Bob",
        "I see",
        {"by": "Ann", "text": ""},
    )
    assert {event["offset"] for event in events if event["type"] == "tidings.redacted"} >= {asked, message, reply}
    for server in servers:
        await asyncio.to_thread(server.terminate)
    assert WORD.encode() not in stored(tmp_path)


async def test_the_earlier_text_of_an_edited_message_is_gone(
    servers: tuple[ServerProcess, ServerProcess], tmp_path: Path
) -> None:
    one, two = servers
    await den(one)
    message = await say(one, "Ann", "message.posted", text=f"@Bob a {WORD}")
    await say(two, "Bob", "message.posted", text="A what?", reply=message)
    await say(one, "Ann", "message.edited", message=message, text=f"@Bob two {WORD}")
    await say(two, "Bob", "message.posted", text="Two?", reply=message)
    await say(one, "Ann", "message.edited", message=message, text="@Bob a coelacanth")
    for server in servers:
        for name in ("Ann", "Bob"):
            assert WORD not in await seen(server, name)
        notifications = (await get(server, "Bob", "/notifications")).json()
        assert [one["text"] for one in notifications["notifications"] if one["kind"] == "mention"] == [
            "@Bob a coelacanth"
        ]
        hits = (await get(server, "Bob", "/search?q=coelacanth")).json()["hits"]
        assert [(hit["offset"], hit["by"]) for hit in hits] == [(message, "Ann")]
        rooms = (await get(server, "Bob", "/rooms")).json()["rooms"]
        assert [(room["unread"], room["mentions"]) for room in rooms] == [(1, 1)]
    quoting = await say(two, "Bob", "message.posted", text="Yes", reply=message)
    events = (await get(one, "Ann", "/topics/rooms.den/events")).json()["events"]
    assert [event["data"]["quote"]["text"] for event in events if event["offset"] == quoting] == ["@Bob a coelacanth"]
    for server in servers:
        await asyncio.to_thread(server.terminate)
    assert WORD.encode() not in stored(tmp_path)


async def test_a_deleted_answer_is_gone_with_its_run(servers: tuple[ServerProcess, ServerProcess]) -> None:
    one, two = servers
    await den(one)
    await say(one, "Ann", "message.posted", text="@assistant What is a topic?")
    async with streaming(f"{two.url}/events?topic=rooms.den&from=earliest", headers=headers("Bob")) as stream:
        async for event in stream:
            if event.type == "answer.posted":
                break
    answer, run = event.id, json.loads(event.data)["run"]
    assert (await get(two, "Bob", f"/runs/{run}")).status == 200
    await say(two, "Ann", "message.deleted", message=answer)
    for server in servers:
        assert (await get(server, "Bob", f"/runs/{run}")).status == 404
        await asyncio.to_thread(server.kill)
    await asyncio.to_thread(one.start)
    opened = (await get(one, "Bob", "/rooms/den")).json()
    assert opened["room"]["runs"] == []
    assert "answer.posted" not in {event["type"] for event in opened["events"]}
    assert [event["data"]["run"] for event in opened["events"] if event["type"] == "message.deleted"] == [run]


class Late(Notices):
    """Notices that are written only after another process has changed the message."""

    def __init__(self, notifications: Notifications, change: Callable[[], Awaitable[None]]) -> None:
        super().__init__(notifications)
        self.change = change

    async def tell(self, stored: Stored) -> Told:
        await self.change()
        return await super().tell(stored)


@pytest.mark.parametrize("kind", ["message.deleted", "message.edited"])
async def test_a_notification_that_is_written_after_its_message_changed_is_withdrawn(tmp_path: Path, kind: str) -> None:
    url, topic = f"sqlite:///{tmp_path}/tidings.db", "rooms.den"
    async with Hub(url) as one, Hub(url) as two:

        def guard(hub: Hub, change: Callable[[], Awaitable[None]] | None = None) -> RoomsGuard:
            rooms, bells = Rooms(hub), Notifications(hub)
            notices = Late(bells, change) if change else Notices(bells)
            return RoomsGuard(rooms, notices, eraser=Eraser(hub, rooms, bells, notices))

        here = guard(two)

        async def say(hub: Hub, guard: RoomsGuard, *facts: tuple[str, dict[str, str]]) -> Offset:
            items = [(type, json.dumps(data)) for type, data in facts]
            return (await guarded(hub, guard, named("Ann"), topic, items, None)).last

        made = await say(two, here, ("room.created", {"name": "Den"}), ("member.joined", {"member": "Bob"}))

        async def change() -> None:
            text = {"text": "@Bob a fish"} if kind == "message.edited" else {}
            await say(two, here, (kind, {"message": str(made._replace(n=made.n + 1)), **text}))

        await say(one, guard(one, change), ("message.posted", {"text": f"@Bob a {WORD}"}))
        inbox, _ = await Notifications(two).inbox("Bob")
        mentions = [item.text for item in inbox.items if item.kind == "mention"]
        assert mentions == (["@Bob a fish"] if kind == "message.edited" else [])
        assert WORD not in str(await two.read("users.Bob"))


Step = tuple[str, dict[str, Any]]


class Racing:
    """A room that two processes publish to. In one, the guard has admitted what the other then overtakes."""

    def __init__(self, one: Hub, two: Hub) -> None:
        self.hubs = one, two
        self.guards = [self._guard(hub) for hub in (one, two)]

    def _guard(self, hub: Hub) -> RoomsGuard:
        rooms, bells = Rooms(hub), Notifications(hub)
        return RoomsGuard(rooms, Notices(bells), eraser=Eraser(hub, rooms, bells, Notices(bells)))

    async def say(self, which: int, name: str, type: str, /, **data: Any) -> str:
        items = [(type, json.dumps(data))]
        return str((await guarded(self.hubs[which], self.guards[which], named(name), "rooms.den", items, None)).last)

    async def overtaken(self, name: str, step: Step, by: Step) -> Appended:
        """Publish `step` in one process; between its check and its commit, `by` is published in the other."""
        (hub, _), (guard, _) = self.hubs, self.guards
        admitted = await guard.admit(named(name), "rooms.den", [(step[0], json.dumps(step[1]))], transient=False)
        await self.say(1, "Ann", by[0], **by[1])
        done = await hub.log.append("rooms.den", admitted.items)
        await guard.published(named(name), "rooms.den", admitted.items, done, admitted.note)
        return done


@pytest.fixture
async def racing(shared_url: str) -> AsyncIterator[Racing]:
    async with Hub(shared_url) as one, Hub(shared_url) as two:
        racing = Racing(one, two)
        await racing.say(0, "Ann", "room.created", name="Den", private=True)
        await racing.say(0, "Ann", "member.joined", member="Bob")
        yield racing


async def texts(racing: Racing) -> str:
    return str([(event.type, event.data) for event in (await racing.hubs[1].read("rooms.den")).events])


async def test_a_reply_that_an_edit_overtakes_quotes_nothing(racing: Racing) -> None:
    said = await racing.say(0, "Ann", "message.posted", text=f"A {WORD}")
    reply: Step = "message.posted", {"text": "I see", "reply": said}
    await racing.overtaken("Bob", reply, by=("message.edited", {"message": said, "text": "A fish"}))
    assert WORD not in await texts(racing)
    assert "I see" in await texts(racing)


async def test_an_edit_of_a_reply_that_another_edit_overtakes_quotes_nothing(racing: Racing) -> None:
    said = await racing.say(0, "Ann", "message.posted", text=f"A {WORD}")
    reply = await racing.say(0, "Bob", "message.posted", text="I see", reply=said)
    edit: Step = "message.edited", {"message": reply, "text": "I see it"}
    await racing.overtaken("Bob", edit, by=("message.edited", {"message": said, "text": "A fish"}))
    assert WORD not in await texts(racing)
    found = await racing.guards[1]._rooms.states.get("rooms.den")
    message = await racing.guards[1]._rooms.message(found, Offset.parse(reply))
    assert message is not None
    assert message.text == "I see it"


@pytest.mark.parametrize("kind", ["message.posted", "message.edited", "message.deleted"])
async def test_a_message_is_found_though_its_edit_has_not_been_heard_of(racing: Racing, kind: str) -> None:
    """An edit redacts the first text. A process that knows of no edit reads the first text, and finds none."""
    said = await racing.say(0, "Ann", "message.posted", text=f"A {WORD}")
    found = await racing.guards[0]._rooms.states.following("rooms.den")
    assert found.stop is not None
    found.stop()
    await racing.say(1, "Ann", "message.edited", message=said, text="A fish")
    assert found.level
    assert Offset.parse(said).n not in found.state.edited
    data = {"reply": said, "text": "I see"} if kind == "message.posted" else {"message": said}
    await racing.say(0, "Ann", kind, **data | ({"text": "A pike"} if kind == "message.edited" else {}))
    page = await racing.hubs[1].read("rooms.den")
    assert [event.type for event in page.events if not event.redacted][-1] == kind


@pytest.mark.parametrize("kind", ["message.posted", "message.edited"])
async def test_a_text_that_a_deletion_overtakes_is_refused_and_gone(racing: Racing, kind: str) -> None:
    said = await racing.say(0, "Ann", "message.posted", text=f"A {WORD}")
    data = {"reply": said} if kind == "message.posted" else {"message": said}
    name = "Bob" if kind == "message.posted" else "Ann"
    with pytest.raises(Conflict):
        await racing.overtaken(name, (kind, {"text": f"My {WORD}", **data}), by=("message.deleted", {"message": said}))
    assert WORD not in await texts(racing)


async def test_a_deletion_that_is_repeated_leaves_the_replies(racing: Racing) -> None:
    """A publisher that was not answered repeats its request with the same key."""
    said = await racing.say(0, "Ann", "message.posted", text=f"A {WORD}")
    reply = await racing.say(0, "Bob", "message.posted", text="I see", reply=said)
    for hub, guard in zip(racing.hubs, racing.guards, strict=True):
        items = [("message.deleted", json.dumps({"message": said}))]
        await guarded(hub, guard, named("Ann"), "rooms.den", items, "key")
        found = await guard._rooms.states.get("rooms.den")
        message = await guard._rooms.message(found, Offset.parse(reply))
        assert message is not None
        assert message.text == "I see"
    assert WORD not in await texts(racing)
