"""The guard of runs: who follows `runs.ID`, and who stops it."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from tidings.access.guards import Admitted, Guard, Guards, Items, Watch, Watches
from tidings.access.subject import Subject
from tidings.apps.lives import Life
from tidings.delivery.hub import Hub
from tidings.errors import Forbidden, InvalidRequest, NotFound
from tidings.events import Event
from tidings.log.head import UNOWNED, Head, owned_by
from tidings.runs.run import announced_in
from tidings.wire.run_events import InputResolved, RunStarted, StopRequested, from_event, to_item

REMEMBERED = 10_000
"""Runs whose origins are kept at hand: those looked up last."""

LABELS = 1_000
"""Labels that are read from the store at once."""

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
        await self._check_read(subject, topic, await self._origin(topic))

    async def list(self, subject: Subject, topic: str, head: Head) -> None:
        await self._check_read(subject, topic, await self._origin_of(topic, head))

    async def _check_read(self, subject: Subject, topic: str, origin: Origin | None) -> None:
        if origin is None:
            _not_begun(subject, topic)
        elif origin.shared is None:
            _own(subject, origin, topic)
        elif (guard := self._guards.of(origin.shared)) is not None and subject.may_subscribe(origin.shared):
            await guard.read(subject, origin.shared)
        elif guard is not None or not (subject.may_subscribe(origin.shared) or _is_own(subject, origin)):
            raise Forbidden("This run belongs to a topic that you may not read.", topic=topic)

    async def labels(self, subject: Subject) -> Sequence[str]:
        labels = [owned_by(subject.name)] if subject.name else []
        for pattern in subject.subscribe.within(""):
            labels += await self._announced(subject, pattern)
        return [*labels, UNOWNED]

    async def _announced(self, subject: Subject, pattern: str) -> Sequence[str]:
        """Return the labels of the runs that were announced in shared topics that the subject may read.

        The topics of a guard are found by the guard's own labels.
        """
        start = pattern.removesuffix("*")
        if start == pattern:
            return [announced_in(pattern)]
        found: list[str] = []
        after, count = "", 1
        while labels := await self._hub.log.store.labels(announced_in(start), after, count):
            count = LABELS
            for label in labels:
                after = label
                segment = label.removeprefix(announced_in("")).partition(".")[0]
                among = await self._labels_of(subject, segment)
                if among is not None:
                    found += await self._topics(max(start, f"{segment}.", key=len), among)
                    after, count = announced_in(f"{segment}/"), 1  # behind all topics of the segment
                    break
                found.append(label)
        return found

    async def _labels_of(self, subject: Subject, segment: str) -> Sequence[str] | None:
        """Return the labels of the topics of one first segment that share their runs; None: it may be any of them."""
        if segment == "conversations":
            return ()  # their runs are found by their owner
        guard = self._guards.get(segment)
        return None if guard is None else await guard.labels(subject)

    async def _topics(self, start: str, labels: Sequence[str]) -> Sequence[str]:
        found: list[str] = []
        after = ""
        while labels and (heads := await self._hub.log.heads(start, after, labels=labels)):
            found += [announced_in(topic) for topic, _ in heads]
            after = heads[-1][0]
        return found

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
            return Admitted(items, origin.epoch)
        if transient:
            raise InvalidRequest("Commands to a run are stored. Publish them without `transient`.")
        return Admitted([_stamped(subject, topic, kind, data) for kind, data in items], origin.epoch)

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
        return await self._origin_of(topic, head)

    async def _origin_of(self, topic: str, head: Head) -> Origin | None:
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
        raise Forbidden("This run belongs to someone else.", topic=topic)


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
