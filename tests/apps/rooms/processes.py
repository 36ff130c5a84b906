"""The rooms of processes that share a store, and a store that counts its changes and fails."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from tidings import Hub
from tidings.access.subject import named
from tidings.apps.notifications.service import Notifications
from tidings.apps.rooms.erasing import Eraser
from tidings.apps.rooms.guard import RoomsGuard
from tidings.apps.rooms.notifying import Notices
from tidings.apps.rooms.rooms import Rooms
from tidings.apps.rooms.rules import UNERASED
from tidings.errors import Unavailable
from tidings.events import Offset
from tidings.http.publish import guarded
from tidings.log.head import Known
from tidings.log.port import Plan
from tidings.stores.sqlite.store import SqliteStore

WORD = "lanternfish"
TOPIC = "rooms.den"


class Failing(SqliteStore):
    """A store that counts its changes, and fails after the one whose number is `last`, as if its process ended.

    Snapshots do not count: they are written a moment later, before a step of an erasure or after it.
    """

    updates = 0
    last: int | None = None

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.updated: Counter[str] = Counter()

    def update(self, topic: str, keys: Sequence[str], plan: Plan) -> Awaitable[Known]:
        self.updates += not topic.startswith("snapshots.")
        self.updated[topic] += 1
        if self.last is not None and self.updates > self.last:
            failed: asyncio.Future[Known] = asyncio.get_running_loop().create_future()
            failed.set_exception(Unavailable("The process has ended."))
            return failed
        return super().update(topic, keys, plan)


class Process:
    """The rooms of one process."""

    def __init__(self, hub: Hub) -> None:
        bells = Notifications(hub)
        self.hub, self.rooms = hub, Rooms(hub)
        notices = Notices(bells)
        self.eraser = Eraser(hub, self.rooms, bells, notices)
        self.guard = RoomsGuard(self.rooms, notices, eraser=self.eraser)

    async def say(self, name: str, *facts: tuple[str, dict[str, object]]) -> Offset:
        """Publish facts in the room; the offset of the last."""
        items = [(type, json.dumps(data)) for type, data in facts]
        return (await guarded(self.hub, self.guard, named(name), TOPIC, items, None)).last

    async def texts(self) -> str:
        """All that the logs hold, but for what they have redacted."""
        found = []
        for topic in await self.hub.log.topics():
            if not topic.startswith("snapshots."):
                found += [(topic, event.type, event.data) for event in (await self.hub.read(topic)).events]
        return str(found)

    async def until_erased(self) -> None:
        async with asyncio.timeout(60):
            while await self.hub.log.heads(TOPIC, labels=[UNERASED]):  # noqa: ASYNC110 - nothing tells of a label
                await asyncio.sleep(0.01)


@asynccontextmanager
async def process(path: Path, store: type[SqliteStore] = SqliteStore) -> AsyncGenerator[Process, None]:
    async with Hub(store(str(path / "tidings.db"))) as hub:
        yield Process(hub)


async def made(here: Process) -> Offset:
    """A room with a message that was edited, that names people, has a file, and is quoted by replies."""
    await here.say("Ann", ("room.created", {"name": "Den"}), ("member.joined", {"member": "Bob"}))

    async def content() -> AsyncGenerator[bytes, None]:
        yield b"x"

    file = await here.rooms.files.store("den", "Ann", "notes.txt", "text/plain", content())
    posted = ("message.posted", {"text": f"@Bob a {WORD} 1", "files": [file.id]})
    message = await here.say("Ann", posted)
    await here.say("Ann", ("message.edited", {"message": str(message), "text": f"@Bob a {WORD} 2"}))
    for n in range(3):
        await here.say("Bob", ("message.posted", {"text": f"Reply {n}", "reply": str(message)}))
    await here.until_erased()
    return message
