"""Who may follow a run, and who may stop it: `runs.ID`."""

from __future__ import annotations

import re

import msgspec

from tidings.access.guards import Admitted, Guard, Guards, Items, Watch
from tidings.access.subject import Subject
from tidings.delivery.hub import Hub
from tidings.errors import Forbidden, InvalidRequest, NotFound
from tidings.events import Event
from tidings.wire.run_events import InputResolved, RunStarted, StopRequested, from_event, to_item

REMEMBERED = 10_000
"""Runs of which it is kept at hand who asked and where, the last ones asked for. That never changes."""

_RUN = re.compile(r"runs\.[0-9A-Z]{26}")


class Origin(msgspec.Struct, frozen=True):
    """Who asked, and the topic to which the run was announced."""

    by: str | None
    topic: str | None

    @property
    def shared(self) -> str | None:
        """The topic whose readers are the run's. A conversation is its owner's, also when it is deleted first."""
        return self.topic if self.topic is not None and not self.topic.startswith("conversations.") else None


class RunsGuard(Guard):
    """A run that was announced in a room, or in another topic that several share, is read by whoever may read that, and
    stopped by whoever might have announced it there. Any other run is read and stopped by who asked for it.

    A run that nobody's name is known of is anybody's.
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
            raise Forbidden("This run is of a topic that you may not read.", topic=topic)

    def watch(self, subject: Subject, topic: str) -> Watch | None:
        origin = self._origins.get(topic)
        return self._guards.watch(subject, [origin.shared]) if origin is not None and origin.shared else None

    async def admit(self, subject: Subject, topic: str, items: Items, *, transient: bool) -> Admitted:
        origin = await self._origin(topic)
        if origin is None:
            _not_begun(subject, topic)
            return Admitted(items)
        await self._command(subject, origin, topic)
        if origin == Origin(None, None):
            return Admitted(items)
        if transient:
            raise InvalidRequest("What is said to a run is stored: publish it without `transient`.")
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
            raise Forbidden("This run is of a topic to which you may not publish.", topic=topic)

    async def announce(self, subject: Subject, topic: str) -> None:
        raise InvalidRequest("A run is not announced in another.")

    async def _command(self, subject: Subject, origin: Origin, topic: str) -> None:
        if origin.shared is None or _is_own(subject, origin):
            _own(subject, origin, topic)
        elif (guard := self._guards.of(origin.shared)) is not None:
            await guard.announce(subject, origin.shared)
        elif not subject.may_publish(origin.shared):
            raise Forbidden("This run is of a topic to which you may not publish.", topic=topic)

    async def _origin(self, topic: str) -> Origin | None:
        """Of a run that has begun; None of any other topic."""
        if topic not in self._origins:
            try:
                page = await self._hub.read(topic, None, 1)
            except NotFound:
                return None
            said = from_event(page.events[0]) if page.events else None
            if not isinstance(said, RunStarted):
                return None
            self._origins[topic] = Origin(said.by, said.topic)
            if len(self._origins) > REMEMBERED:
                del self._origins[next(iter(self._origins))]
        return self._origins[topic]


def _not_begun(subject: Subject, topic: str) -> None:
    """A run begins by `POST /runs`, and is nobody's to wait for: its id could be guessed before it has an owner."""
    if subject.name is not None and _RUN.fullmatch(topic):
        raise NotFound(f"There is no run {topic.removeprefix('runs.')}.", topic=topic)


def _is_own(subject: Subject, origin: Origin) -> bool:
    return origin.by is not None and origin.by == subject.name


def _own(subject: Subject, origin: Origin, topic: str) -> None:
    if origin.by not in (None, subject.name):
        raise Forbidden("This run is somebody else's.", topic=topic)


def _stamped(subject: Subject, topic: str, type: str, data: str) -> tuple[str, str]:
    """A command to the run, by whom it is."""
    said = from_event(Event(None, type, data, 0.0))
    if not isinstance(said, StopRequested | InputResolved) or topic != f"runs.{said.run}":
        raise InvalidRequest(
            "To a run one says stop.requested or input.resolved, of that run; all else is its producer's."
        )
    if said.by not in (None, subject.name):
        raise Forbidden("`by` is whoever publishes it: leave it out, and it is you.")
    return to_item(msgspec.structs.replace(said, by=subject.name))
