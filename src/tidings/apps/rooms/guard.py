"""The guard of rooms: who reads `rooms.ID`, and what is published there."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from tidings.access.guards import Admitted, Guard, Items, Watch
from tidings.access.limits import Limits
from tidings.access.subject import Subject
from tidings.errors import Forbidden
from tidings.events import ORIGIN, REDACTED, Offset
from tidings.log.head import Head
from tidings.log.rules import NEW, Appended
from tidings.slices import in_slices

from . import facts, rules
from .answers import Answers
from .erasing import Eraser
from .facts import MessageDeleted, RunCreated
from .notifying import Notices, Told
from .reading import facts_at
from .rooms import Admission, Rooms, person, room_id


class RoomsGuard(Guard):
    """Everybody reads public rooms, and members read private ones. Everything that is published is a fact."""

    def __init__(
        self,
        rooms: Rooms,
        notices: Notices | None = None,
        answers: Answers | None = None,
        limits: Limits | None = None,
        eraser: Eraser | None = None,
    ) -> None:
        self._limits = limits or Limits()
        self._eraser = eraser
        self._rooms = rooms
        self._notices = notices
        self._answers = answers

    async def read(self, subject: Subject, topic: str) -> None:
        await self._rooms.readable(subject, topic)

    async def labels(self, subject: Subject) -> Sequence[str]:
        return rules.labels_of(subject.name)

    async def list(self, subject: Subject, topic: str, head: Head) -> None:
        room_id(topic)
        found = await self._rooms.states.at(topic, Offset(head.epoch, head.tail))
        rules.check_may_read(found.state, subject.name)

    def watch(self, subject: Subject, topic: str) -> Watch:
        return self._rooms.watch(subject, topic)

    async def admit(self, subject: Subject, topic: str, items: Items, *, transient: bool) -> Admitted:
        if transient:
            return Admitted(await self._rooms.admit_typing(subject, topic, items))
        admission = await self._rooms.admit(subject, topic, items)
        called = 0
        if self._answers is not None:
            called = await self._answers.calls(admission.facts)
            await self._answers.check(admission.room, admission.facts, called)
        self._spend(subject, admission.facts, called)
        written = [facts.written(fact) async for fact in in_slices(admission.facts)]
        labels = rules.labels(admission.room, admission.facts)
        if not admission.changes_permissions:
            return Admitted(written, None, admission, labels)
        exact = NEW if admission.at == ORIGIN else admission.at
        return Admitted(written, exact, admission, labels)

    def _spend(self, subject: Subject, given: Sequence[facts.Fact], called: int) -> None:
        """Count what the facts, and the runs that they start, use up of a person's limits.

        Raises TooManyRequests or TooLarge.
        """
        kinds = [fact.type for fact in given]
        members = kinds.count(facts.MemberJoined.type) + kinds.count(facts.MemberInvited.type)
        members += sum(len(fact.people or ()) for fact in given if isinstance(fact, facts.RoomCreated))
        counts = {"rooms": kinds.count(facts.RoomCreated.type), "members": members}
        for kind, count in counts.items():
            self._limits.check(subject, kind, count)
        self._limits.promise(subject, called)
        for kind, count in counts.items():
            self._limits.spend(subject, kind, count)

    async def repeated(self, subject: Subject, topic: str, items: Items) -> Appended | None:
        """Return the deletion of a message that the same person deletes again."""
        if [kind for kind, _ in items] != [MessageDeleted.type]:
            return None
        fact = facts.read(*items[0])
        assert isinstance(fact, MessageDeleted)
        found = await self._rooms.states.get(topic)
        n = found.state.deleted.get(Offset.parse(fact.message).n)
        if n is None:
            return None
        at = Offset(found.offset.epoch, n)
        earlier = (await facts_at(self._rooms.hub, topic, at.epoch, [n])).get(n)
        return Appended(at, at, True) if earlier is not None and earlier.by == subject.name else None

    async def published(
        self, subject: Subject, topic: str, items: Items, done: Appended, admission: Any = None
    ) -> None:
        given: Sequence[facts.Fact | None]
        if isinstance(admission, Admission):
            given, at = admission.facts, admission.at
        else:
            # A message that was deleted or edited since then was redacted, and there is nothing left to complete.
            given, at = [None if kind == REDACTED else facts.read(kind, data) for kind, data in items], ORIGIN
        stored = await self._rooms.stored(topic, given, done, at)
        await self._rooms.keep_files(stored)
        if self._eraser is not None:
            await self._eraser.erase(stored)
        told: Told = {}
        if self._notices is not None:
            told = await self._notices.tell(stored)
        if self._eraser is not None:
            await self._eraser.settle(stored, told)
        if self._answers is not None:
            await self._answers.ask(stored, partial(self._limits.keep, subject))
        if stored.refusal is not None:
            raise stored.refusal

    async def manage(self, subject: Subject, topic: str) -> None:
        raise Forbidden("A room keeps its history. Archive the room instead.", topic=topic)

    async def announce(self, subject: Subject, topic: str) -> None:
        await self._rooms.readable(subject, topic)
        found = await self._rooms.states.get(topic)
        rules.check_may_post(found.state, person(subject))
        if self._answers is not None:
            await self._answers.check(found.state, [RunCreated(run="")])
