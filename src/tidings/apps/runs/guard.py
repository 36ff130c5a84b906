"""The guard of runs: who follows `runs.ID`, and who stops it."""

from __future__ import annotations

import re

import msgspec

from tidings.access.guards import Admitted, Guard, Guards, Items, Watch, Watches
from tidings.access.subject import Subject
from tidings.apps.lives import Life
from tidings.delivery.hub import Hub
from tidings.errors import Forbidden, InvalidRequest, NotFound
from tidings.events import Event
from tidings.wire.run_events import InputResolved, RunStarted, StopRequested, from_event, to_item

REMEMBERED = 10_000
"""Runs whose origins are kept at hand: those looked up last."""

_RUN = re.compile(r"runs\.[0-9A-Z]{26}")


class Origin(msgspec.Struct, frozen=True):
    """The asker of a run, and the topic to which it was announced. They never change in one life (`epoch`) of a run; a
    run that was deleted may be started again by another, with the same id."""

    epoch: str
    by: str | None
    topic: str | None

    @property
    def shared(self) -> str | None:
        """The topic whose readers are the run's, if several people share it. A conversation has one owner, and the
        runs are the owner's also when the conversation is deleted first."""
        return self.topic if self.topic is not None and not self.topic.startswith("conversations.") else None


class RunsGuard(Guard):
    """A run that was announced in a room, or in another shared topic, is read by everybody who may read that topic, and
    stopped by everybody who might have announced it there. Any other run is read and stopped by its asker. A run whose
    asker has no name is everybody's.
    """

    def __init__(self, hub: Hub, guards: Guards) -> None:
        self._hub = hub
        self._guards = guards
        self._origins: dict[str, Origin] = {}

    async def read(self, subject: Subject, topic: str) -> None:
        origin = await self._origin(topic)
        if origin is None:
            _not_begun(subject, topic)
        elif origin.shared is None:
            _own(subject, origin, topic)
        elif (guard := self._guards.of(origin.shared)) is not None and subject.may_subscribe(origin.shared):
            await guard.read(subject, origin.shared)
        elif guard is not None or not (subject.may_subscribe(origin.shared) or _is_own(subject, origin)):
            raise Forbidden("This run belongs to a topic that you may not read.", topic=topic)

    def watch(self, subject: Subject, topic: str) -> Watch | None:
        origin = self._origins.get(topic)
        if origin is None:
            return None
        shared = self._guards.watch(subject, [origin.shared]) if origin.shared else None
        life = Life(self._hub, topic, origin.epoch)
        return life if shared is None else Watches([life, shared])

    async def admit(self, subject: Subject, topic: str, items: Items, *, transient: bool) -> Admitted:
        origin = await self._origin(topic)
        if origin is None:
            _not_begun(subject, topic)
            return Admitted(items)
        await self._command(subject, origin, topic)
        if origin.by is None and origin.topic is None:
            return Admitted(items)
        if transient:
            raise InvalidRequest("Commands to a run are stored. Publish them without `transient`.")
        return Admitted([_stamped(subject, topic, kind, data) for kind, data in items])

    async def manage(self, subject: Subject, topic: str) -> None:
        origin = await self._origin(topic)
        if origin is None:
            _not_begun(subject, topic)
        elif origin.shared is None:
            _own(subject, origin, topic)
        elif (guard := self._guards.of(origin.shared)) is not None:
            await guard.manage(subject, origin.shared)
        elif not subject.may_publish(origin.shared):
            raise Forbidden("This run belongs to a topic to which you may not publish.", topic=topic)

    async def announce(self, subject: Subject, topic: str) -> None:
        raise InvalidRequest("A run cannot be announced in another run.")

    async def _command(self, subject: Subject, origin: Origin, topic: str) -> None:
        if origin.shared is None or _is_own(subject, origin):
            _own(subject, origin, topic)
        elif (guard := self._guards.of(origin.shared)) is not None:
            await guard.announce(subject, origin.shared)
        elif not subject.may_publish(origin.shared):
            raise Forbidden("This run belongs to a topic to which you may not publish.", topic=topic)

    async def _origin(self, topic: str) -> Origin | None:
        """The origin of a run that has begun; None of any other topic."""
        head = await self._hub.log.describe(topic)
        if head is None:
            # A stream of a run that was deleted waits for its next life: no right of the last one can end it.
            self._origins.pop(topic, None)
            return None
        known = self._origins.get(topic)
        if known is None or known.epoch != head.epoch:
            try:
                page = await self._hub.read(topic, limit=1)
            except NotFound:
                return None
            first = from_event(page.events[0]) if page.events else None
            started = first if isinstance(first, RunStarted) else None
            if started is None and not head.owner:
                return None
            # The owner is in the head. A run whose first event is gone was announced nowhere, for all that is known.
            shared = started.topic if started else None
            known = self._origins[topic] = Origin(head.epoch, head.owner or None, shared)
            if len(self._origins) > REMEMBERED:
                del self._origins[next(iter(self._origins))]
        return known


def _not_begun(subject: Subject, topic: str) -> None:
    """Raise NotFound for a run that has not begun. Nobody may wait for it: its id could be guessed before it has an
    owner."""
    if subject.name is not None and _RUN.fullmatch(topic):
        raise NotFound(f"There is no run {topic.removeprefix('runs.')}.", topic=topic)


def _is_own(subject: Subject, origin: Origin) -> bool:
    return origin.by is not None and origin.by == subject.name


def _own(subject: Subject, origin: Origin, topic: str) -> None:
    if origin.by not in (None, subject.name):
        raise Forbidden("This run is somebody else's.", topic=topic)


def _stamped(subject: Subject, topic: str, type: str, data: str) -> tuple[str, str]:
    """A command to the run, with its publisher's name."""
    command = from_event(Event(topic, None, type, data, 0.0))
    if not isinstance(command, StopRequested | InputResolved) or topic != f"runs.{command.run}":
        raise InvalidRequest(
            "The commands to a run are stop.requested and input.resolved, with its id. Its producer publishes the rest."
        )
    if command.by not in (None, subject.name):
        raise Forbidden("The server stamps the publisher. Leave `by` out.")
    return to_item(msgspec.structs.replace(command, by=subject.name))
