"""The guard of `rooms`."""

from __future__ import annotations

from tidings.access.guards import Admitted, Guard, Items, Watch
from tidings.access.subject import Subject
from tidings.errors import Forbidden
from tidings.log.rules import Appended

from . import rules
from .facts import RunCreated
from .rooms import Rooms, person


class RoomsGuard(Guard):
    """Public rooms are read by everybody, private ones by their members; what is published are facts."""

    def __init__(self, rooms: Rooms) -> None:
        self.rooms = rooms

    async def read(self, subject: Subject, topic: str) -> None:
        await self.rooms.readable(subject, topic)

    def watch(self, subject: Subject, topic: str) -> Watch | None:
        return self.rooms.watch(subject, topic)

    async def admit(self, subject: Subject, topic: str, items: Items, *, transient: bool) -> Admitted:
        admit = self.rooms.admit_typing if transient else self.rooms.admit
        return await admit(subject, topic, items)

    async def published(self, subject: Subject, topic: str, items: Items, done: Appended) -> None:
        await self.rooms.tell(topic, items, done)

    async def manage(self, subject: Subject, topic: str) -> None:
        raise Forbidden("A room keeps all that was said: archive it instead.", topic=topic)

    async def announce(self, subject: Subject, topic: str) -> None:
        await self.rooms.readable(subject, topic)
        found = await self.rooms.folded.get(topic)
        rules.check_may_post(found.state, person(subject))
        self.rooms.judged(found.state, [RunCreated(run="")])
