"""The deviations of cases from the reference of their process, each published once in `process.NAME.deviations`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any, ClassVar

import msgspec

from tidings.apps.derivations import derived_from
from tidings.apps.projection import Projection, Projections
from tidings.delivery.hub import Hub
from tidings.errors import Conflict, InvalidRequest, NotFound, TidingsError
from tidings.events import ORIGIN, Event, Offset
from tidings.log.names import text_of

from . import reference as fold
from .conformance import ConformanceFigures, Picture, changed, conformance, first_after, judged
from .facts import iso
from .figures import labels
from .fold import Process
from .reference import ALLOWED, Deviation, DeviationAllowed, Kind, Reference, ReferenceRemoved, ReferenceSet, Rule
from .retraction import PUBLISHED, SUFFIX, Retraction
from .service import PREFIX, Processes, topic_of

log: logging.Logger = logging.getLogger("tidings.processes")

REFERENCED = "process.reference"
"""The label of the topics `process.NAME.reference`, by which every process of the server finds them."""

SCAN = 5.0
"""Seconds between two looks for references that other processes have set."""

SLICE = 5_000
"""Events that are judged in one turn of the event loop: 10 ms."""

AT_ONCE = 100
"""Deviations that are appended at once, and those of which a process that begins knows that they are stored."""

KEPT = 64
"""Processes whose conformance is given again while nothing changes."""


class DeviationFound(msgspec.Struct, frozen=True, kw_only=True):
    """A deviation of a case: its event `offset`, which is one of `to`, deviates in the way `kind`. `cause`: the event
    whose publishing made it, which is another one where an event came late. `timestamp`: the time of the event."""

    type: ClassVar[str] = "deviation"
    kind: Kind
    source: str = msgspec.field(name="from")
    target: str = msgspec.field(name="to")
    case: str
    timestamp: str
    offset: str
    cause: str


_found = msgspec.json.Decoder(DeviationFound).decode


class Watch:
    """The judging of one process. `at`: the number in the log up to which events were judged, in the life `epoch`.

    `stored`: deviations of which this process knows that they are stored, as the offset's number and the kind.
    """

    def __init__(self, name: str) -> None:
        self.name: str = name
        self.wake: asyncio.Event = asyncio.Event()
        self.epoch: str = ""
        self.at: int = 0
        self.stored: set[tuple[int, str]] = set()
        self.pinned: bool = False
        self._rule: tuple[ReferenceSet, list[Deviation], Rule] | None = None

    def rule(self, given: ReferenceSet, allowed: list[Deviation]) -> Rule:
        """Return the rule of a reference. Making one of 20,000 steps takes 2 ms, so the last one is kept."""
        if self._rule is None or self._rule[0] is not given or self._rule[1] is not allowed:
            self._rule = given, allowed, Rule(given, allowed)
        return self._rule[2]


class Deviations:
    """The references of a hub's processes, the conformance of their cases, and the publishing of deviations.

    Every process of the server judges every event, in the order of the log. The key of an append is made of the event
    and the kind of its deviation, so that each is stored once, whoever is killed.
    """

    def __init__(self, hub: Hub, processes: Processes) -> None:
        self.hub: Hub = hub
        self.processes: Processes = processes
        processes.on_change = self._wake
        self._retraction = Retraction(hub, processes)
        self._watches: dict[str, Watch] = {}
        self._given: dict[str, tuple[tuple[Any, ...], ConformanceFigures]] = {}
        self._references: Projections[Reference] = Projections(
            hub,
            Reference,
            fold.apply,
            version=fold.VERSION,
            changed=self._reference_changed,
            lasting=[ReferenceSet.type, ReferenceRemoved.type, DeviationAllowed.type],
        )

    def open(self) -> None:
        """Begin to judge, once the hub is open."""
        self._watches.clear()
        self.hub.delivery.background(self._scan())

    async def close(self) -> None:
        """Write the states of processes that are due to be written, before the hub is closed."""
        await self.processes.projections.close()

    # References.

    async def reference(self, name: str) -> Reference:
        """Return the reference of a process as of now. Raises Unavailable."""
        return (await self._references.get(_reference_topic(name))).state

    async def set_map(self, name: str, above: float, by: str) -> ReferenceSet:
        """Make today's map the reference: what occurs in more than the share `above` of the cases.

        Raises NotFound, InvalidRequest, Unavailable.
        """
        process, offset = await self.processes.state(name)
        return await self._set(name, fold.of_map(process, above, str(offset), by))

    async def set_given(self, name: str, starts: list[str], steps: list[tuple[str, str]], by: str) -> ReferenceSet:
        """Make a reference of these starts and steps. Raises InvalidRequest, Unavailable."""
        head = await self.hub.log.describe(topic_of(name))
        since = str(Offset(head.epoch, head.tail) if head else ORIGIN)
        return await self._set(name, fold.check(ReferenceSet(starts=starts, steps=steps, since=since, by=by)))

    async def remove(self, name: str, by: str) -> None:
        """Remove the reference. Raises NotFound, Unavailable."""
        if (await self.reference(name)).set is None:
            raise NotFound(f"The process {name} has no reference.")
        await self._append(name, ReferenceRemoved(by=by), referenced=False)

    async def allow(self, name: str, deviation: Deviation, allowed: bool, by: str) -> None:
        """Let a deviation count as none, or count again. Idempotent. Raises InvalidRequest, NotFound, Unavailable."""
        reference = await self.reference(name)
        if reference.set is None:
            raise NotFound(f"The process {name} has no reference.")
        if (deviation in reference.allowed) == allowed:
            return
        if allowed and len(reference.allowed) >= ALLOWED:
            raise InvalidRequest(f"At most {ALLOWED:,} deviations are allowed.")
        await self._append(name, DeviationAllowed(deviation=deviation, allowed=allowed, by=by))

    async def _set(self, name: str, given: ReferenceSet) -> ReferenceSet:
        await self._append(name, given, referenced=True)
        self._watch(name)
        return given

    async def _append(self, name: str, fact: fold.Fact, referenced: bool | None = None) -> None:
        marks = {} if referenced is None else {REFERENCED: referenced}
        items = [(fact.type, text_of(fact))]
        await self.hub.log.append(_reference_topic(name), items, default=None, labels=marks)

    async def figures(self, name: str) -> ConformanceFigures:
        """Return the conformance of all cases as of now. Raises NotFound, Unavailable."""
        reference = await self.reference(name)
        process, offset = await self.processes.state(name)
        of = offset, process.events, reference.offset, tuple(reference.allowed)
        given = self._given.get(name)
        if given is None or given[0] != of:
            picture = Picture(process)
            told = msgspec.structs.replace(reference, allowed=list(reference.allowed))
            found = await asyncio.to_thread(conformance, picture, topic_of(name), str(offset), told)
            given = self._given[name] = of, found
            while len(self._given) > KEPT:
                del self._given[next(iter(self._given))]
        return given[1]

    # Judging.

    def _wake(self, topic: str) -> None:
        watch = self._watches.get(topic.removeprefix(PREFIX))
        if watch is not None:
            watch.wake.set()

    def _reference_changed(self, projection: Projection[Reference], events: Sequence[Event]) -> None:
        self._wake(projection.topic.removesuffix(".reference"))

    def _watch(self, name: str) -> None:
        if name not in self._watches:
            watch = self._watches[name] = Watch(name)
            self.hub.delivery.background(self._follow(watch))

    async def _scan(self) -> None:
        while True:
            try:
                after = ""
                while heads := await self.hub.log.heads(PREFIX, after, labels=[REFERENCED]):
                    for topic, _ in heads:
                        self._watch(topic.removeprefix(PREFIX).removesuffix(".reference"))
                    after = heads[-1][0]
                await self._retraction.look()
            except TidingsError as error:
                log.warning("References, and deviations to redact, are not looked for now: %s", error)
            for watch in self._watches.values():
                watch.wake.set()  # one whose process or reference came into being elsewhere
            await asyncio.sleep(SCAN)

    async def _follow(self, watch: Watch) -> None:
        while True:
            watch.wake.clear()
            try:
                await self._judge(watch)
            except TidingsError as error:
                log.warning("The cases of %s are not judged now: %s", watch.name, error)
                await asyncio.sleep(1.0)
            else:
                await watch.wake.wait()

    async def _judge(self, watch: Watch) -> None:
        """Judge the events that were not judged yet. Raises Unavailable."""
        following = await self._references.following(_reference_topic(watch.name))
        if following.state.set is None:
            return
        projection = await self.processes.projections.following(topic_of(watch.name))
        if not watch.pinned and projection.offset != ORIGIN:
            watch.pinned = True
            self.processes.projections.pin(projection)
        if watch.epoch != projection.offset.epoch:
            await self._resume(watch, projection.offset.epoch)
        while (given := following.state.set) is not None and watch.epoch == projection.offset.epoch:
            process, rule = projection.state, watch.rule(given, following.state.allowed)
            first = first_after(process, max(watch.at, _since(given, watch.epoch)))
            stop = min(first + SLICE, len(process.offset_of))
            if first >= stop:
                return
            at = process.offset_of[stop - 1]
            found = _found_in(process, rule, first, stop, watch.epoch)
            await self._publish(watch, found)
            watch.at = at
            await asyncio.sleep(0)

    async def _resume(self, watch: Watch, epoch: str) -> None:
        """Go on where the deviations end. Of the last ones each may be stored or not, as if all had to be judged.

        Those of an earlier life of the process are deleted.
        """
        stored: list[DeviationFound] = []
        head = await self.hub.log.describe(topic_of(watch.name))
        try:
            page = await self.hub.log.read_before(_deviations_topic(watch.name), None, AT_ONCE)
            stored = [_found(event.data) for event in page.events if event.type == DeviationFound.type]
            if head and any(head.locate(Offset.parse(one.offset)) is None for one in stored):
                await self.hub.log.delete(_deviations_topic(watch.name), expected=page.tail.epoch)
        except (Conflict, NotFound, msgspec.DecodeError):
            pass
        known = [one for one in stored if Offset.parse(one.offset).epoch == epoch]
        watch.stored = {(Offset.parse(one.offset).n, one.kind) for one in known}
        watch.epoch, watch.at = epoch, min((Offset.parse(one.cause).n - 1 for one in known), default=0)

    async def _publish(self, watch: Watch, found: Sequence[DeviationFound]) -> None:
        """Append deviations in their order, each with its own key."""
        topic = _deviations_topic(watch.name)
        marks = {PUBLISHED: True, derived_from(topic_of(watch.name), watch.epoch): True}
        new = [one for one in found if (Offset.parse(one.offset).n, one.kind) not in watch.stored]
        for start in range(0, len(new), AT_ONCE):
            appends = [
                self.hub.log.append(
                    topic, [(one.type, text_of(one))], key=f"{one.offset}.{one.kind}", default=None, labels=marks
                )
                for one in new[start : start + AT_ONCE]
            ]
            for done in await asyncio.gather(*appends, return_exceptions=True):
                if isinstance(done, BaseException):
                    raise done


def _found_in(process: Process, rule: Rule, first: int, stop: int, epoch: str) -> list[DeviationFound]:
    """Return the deviations that the events from `first` to before `stop` have made."""
    names, found = labels(process), list[DeviationFound]()
    for cause, event in changed(process, first, stop):
        deviation = judged(process, rule, event, names)
        if deviation is not None:
            found.append(
                DeviationFound(
                    kind=deviation.kind,
                    source=deviation.source,
                    target=deviation.target,
                    case=process.ids[process.case_of[event]],
                    timestamp=iso(process.time_of[event]),
                    offset=str(Offset(epoch, process.offset_of[event])),
                    cause=str(Offset(epoch, process.offset_of[cause])),
                )
            )
    return found


def _since(given: ReferenceSet, epoch: str) -> int:
    since = Offset.parse(given.since)
    return since.n if since.epoch == epoch else 0


def _reference_topic(name: str) -> str:
    return f"{topic_of(name)}.reference"


def _deviations_topic(name: str) -> str:
    return f"{topic_of(name)}{SUFFIX}"
