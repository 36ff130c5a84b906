"""The processes of a hub: the state of each topic `process.NAME`, its figures, its cases and their events."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import time

import msgspec

from tidings.apps.projection import Projection, Projections
from tidings.delivery.hub import Hub
from tidings.errors import NotFound, Unavailable
from tidings.events import ORIGIN, REDACTED, Event, Offset
from tidings.log.rules import Appended

from . import fold, snapshot
from .facts import ImportPart, Row
from .figures import SECOND, ProcessFigures, figures, labels, number_of
from .filtered import FilteredMaps
from .filters import ALL, Filter
from .fold import NONE, Process

PREFIX = "process."

OWN = "process.tidings"
"""The topic of this server's own runs. Only the server publishes to it."""

NAME = "[A-Za-z0-9_-]{1,64}"
"""The second segment of a process topic."""

_TOPIC = re.compile(rf"process\.{NAME}")

KEPT = 64
"""Processes whose states one process of the server keeps. A state takes 22 bytes an event and 250 bytes a case."""

GROWTH = 0.5
"""The part by which a topic grows until the next snapshot. All snapshots of a topic together hold it three times, at
0.6 µs for each event held, and a process that starts folds a third of the events at most. With 0.25 they would hold it
five times."""

AT_ONCE = 2_500
"""Events of a commit that are folded in one turn of the event loop: 8 ms. A larger commit is read in pages of 1,000."""

LAG = 1.0
"""Seconds that a publisher waits for a state which is behind."""

TICK = 0.1
"""Seconds between two announcements of changed figures."""

CHANGED = "figures.changed"
"""The type of the transient events in `process.NAME.figures`: their data is `{offset, events, cases}`."""

FRESH = 1.0
"""Seconds for which figures are given again while no event comes: only ages change."""

SLICE = 50_000
"""Events that are looked at in one turn of the event loop: 5 ms."""


class FoundCase(msgspec.Struct):
    """A case. `seconds`: the longest time that an edge took in it, or the time since its last event; `times`: how often
    the edge occurs in it; `events`: the number of its events; `offset`: the event that ends that edge, or its last."""

    case: str
    seconds: float
    times: int
    events: int
    offset: str


class FoundCases(msgspec.Struct):
    """Cases, the longest first. `total`: how many there are in all pages; `offset`: as of where in the topic."""

    cases: list[FoundCase]
    total: int
    offset: str


class CaseStep(msgspec.Struct):
    """An event of a case. `time`: its own time in Unix seconds; `data`: the event as it was published."""

    offset: str
    time: float
    activity: str
    data: msgspec.Raw


class CaseHistory(msgspec.Struct):
    """The events of a case, in the order of their time. `total`: how many there are in all pages."""

    case: str
    events: list[CaseStep]
    total: int
    offset: str


class Processes:
    """The processes of a hub. Every figure is a fold of a topic's log, joined to live by offset.

    `on_change(topic)` is called when the state of a process has changed.
    """

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self._filtered = FilteredMaps(hub)
        self.on_change: Callable[[str], None] = lambda topic: None
        self._announcing: set[str] = set()
        self._given: dict[str, tuple[tuple[Offset, int, int], ProcessFigures]] = {}
        self.projections: Projections[Process] = Projections(
            hub,
            Process,
            fold.apply,
            version=fold.VERSION,
            keep=KEPT,
            changed=self._changed,
            lasting=[REDACTED],
            freeze=snapshot.freeze,
            thaw=snapshot.thaw,
            growth=GROWTH,
            at_once=AT_ONCE,
            is_derived=True,
        )

    def stored(self, topic: str, rows: Sequence[Row], parts: Sequence[ImportPart], done: Appended) -> None:
        """Fold events that were stored just now, and were read already: `rows`, then at most one part of an import.

        Nothing happens if there are many, or if the state is not level with the events before them: it will hear of
        these events like others.
        """
        projection = self.projections.kept(topic)
        if (
            projection is None
            or len(rows) > AT_ONCE
            or projection.offset != done.first._replace(n=done.first.n - 1)
            or done.duplicate
        ):
            return

        def take(process: Process) -> None:
            process.take(rows, done.first.n)
            for part in parts:
                process.follow(part)

        self.projections.step(projection, done.last, take)
        self._changed(projection, ())

    def _changed(self, projection: Projection[Process], events: Sequence[Event]) -> None:
        topic = projection.topic
        self.on_change(topic)
        if topic not in self._announcing and self.hub.state == "open":
            self._announcing.add(topic)
            self.hub.delivery.background(self._announce(topic))

    async def _announce(self, topic: str) -> None:
        """Tell those who look at the map of a topic, in any process, that its figures have changed."""
        await asyncio.sleep(TICK)
        self._announcing.discard(topic)
        projection = self.projections.kept(topic)
        if projection is not None and projection.level:
            state, offset = projection.state, str(projection.offset)
            about = {"offset": offset, "events": state.events, "cases": len(state.cases)}
            with suppress(Unavailable):  # the next change is announced, too
                await self.hub.publish(f"{topic}.figures", about, CHANGED, transient=True)

    async def follow(self, topic: str) -> None:
        """Keep the state of the topic level with its log from now on. Idempotent.

        A state that is behind is waited for, LAG seconds at most. Publishers who did not wait would be faster than the
        reading of their events, and would keep the state behind for as long as they publish.
        """
        projection = self.projections.kept(topic)
        if projection is None or not projection.level:
            following = self.hub.delivery.background(self.projections.following(topic))
            await asyncio.wait((following,), timeout=LAG)

    async def state(self, name: str) -> tuple[Process, Offset]:
        """Return the state of a process as of now. Raises NotFound, Unavailable."""
        projection = await self._projection(name)
        return projection.state, projection.offset

    async def figures(self, name: str, top: int, filter: Filter = ALL) -> ProcessFigures:
        """Return the figures of a process as of now, with `top` variants, or those of the cases that a filter selects.

        Raises NotFound, InvalidRequest, TooManyRequests, Unavailable.
        """
        projection = await self._projection(name)
        if filter != ALL:
            return await self._filtered.figures(projection, filter, top)
        offset, now = projection.offset, time()
        state, given = projection.state, self._given.get(name)
        of = offset, state.events, top  # a redaction changes the number of events, and no offset
        if given is None or given[0] != of or not 0 <= now - given[1].now < FRESH:
            given = self._given[name] = of, figures(state, projection.topic, str(offset), now, top)
            while len(self._given) > KEPT:
                del self._given[next(iter(self._given))]
        return given[1]

    async def cases(
        self, name: str, source: str, target: str, skip: int, limit: int, filter: Filter = ALL
    ) -> FoundCases:
        """Return a page of the cases in which an event of `target` follows one of `source`, the slowest first.

        Raises NotFound for an activity that the process does not have, and as `figures`.
        """
        projection = await self._projection(name)
        chosen = await self._filtered.chosen(projection, filter)
        process, offset = projection.state, projection.offset
        key = _number(process, source) << 16 | _number(process, target)
        slowest: dict[int, tuple[int, int]] = {}
        times: dict[int, int] = {}
        for start in range(0, len(process.case_of), SLICE):
            for event in range(start, min(start + SLICE, len(process.case_of))):
                case, before = process.case_of[event], process.before[event]
                if case == NONE or before == NONE or process.edge_of(event) != key:
                    continue
                if _is_chosen(chosen, case):
                    took = process.time_of[event] - process.time_of[before]
                    times[case] = times.get(case, 0) + 1
                    slowest[case] = max(slowest.get(case, (-1, 0)), (took, event))
            await asyncio.sleep(0)
        order = sorted(slowest, key=lambda case: (-slowest[case][0], case))
        found = [
            _found(process, case, slowest[case], times[case], offset.epoch)
            for case in order[skip : skip + limit]
            if process.ids[case]
        ]
        return FoundCases(found, len(order), str(offset))

    async def waiting(self, name: str, activity: str, skip: int, limit: int, filter: Filter = ALL) -> FoundCases:
        """Return a page of the cases whose last event is of an activity, those first that have been there for longest.

        Raises NotFound for an activity that the process does not have, and as `figures`.
        """
        projection = await self._projection(name)
        chosen = await self._filtered.chosen(projection, filter)
        process, offset = projection.state, projection.offset
        number, now = _number(process, activity), round(time() * SECOND)
        there: list[tuple[int, int]] = []
        for start in range(0, len(process.last), SLICE):
            for case in range(start, min(start + SLICE, len(process.last))):
                last = process.last[case]
                if last != NONE and process.activity_of[last] == number and _is_chosen(chosen, case):
                    there.append((process.time_of[last], case))
            await asyncio.sleep(0)
        found = [
            _found(process, case, (now - since, process.last[case]), 1, offset.epoch)
            for since, case in sorted(there)[skip : skip + limit]
            if process.ids[case]
        ]
        return FoundCases(found, len(there), str(offset))

    async def case(self, name: str, case: str, skip: int, limit: int) -> CaseHistory:
        """Return a page of the events of a case. Raises NotFound, Unavailable."""
        projection = await self._projection(name)
        process, offset = projection.state, projection.offset
        number = process.cases.get(case)
        if number is None:
            raise NotFound(f"The process {name} has no such case.")
        events = process.events_of(number)
        steps, names = [], labels(process)
        for event in events[skip : skip + limit]:
            n = process.offset_of[event]
            data = await self._data(projection.topic, Offset(offset.epoch, n))
            time, activity = process.time_of[event] / SECOND, names[process.activity_of[event]]
            steps.append(CaseStep(str(Offset(offset.epoch, n)), time, activity, data))
        return CaseHistory(case, steps, len(events), str(offset))

    async def _data(self, topic: str, offset: Offset) -> msgspec.Raw:
        page = await self.hub.read(topic, offset._replace(n=offset.n - 1), 1)
        kept = page.lost is None and page.events and not page.events[0].redacted
        return msgspec.Raw(page.events[0].data.encode() if kept else b"null")

    async def _projection(self, name: str) -> Projection[Process]:
        topic = topic_of(name)
        projection = await self.projections.get(topic)
        if projection.offset == ORIGIN:
            raise NotFound(f"There is no process {name}.", topic=topic)
        self.projections.follow(projection)
        return projection


def topic_of(name: str) -> str:
    """Return the topic of a process."""
    return PREFIX + name


def is_process(topic: str) -> bool:
    """Tell whether a topic holds the events of a process."""
    return _TOPIC.fullmatch(topic) is not None


def _number(process: Process, activity: str) -> int:
    number = number_of(process, activity)
    if number is None:
        raise NotFound("The process has no such activity.")
    return number


def _is_chosen(chosen: bytearray | None, case: int) -> bool:
    return chosen is None or (case < len(chosen) and chosen[case] == 1)


def _found(process: Process, case: int, longest: tuple[int, int], times: int, epoch: str) -> FoundCase:
    took, event = longest
    offset = str(Offset(epoch, process.offset_of[event]))
    return FoundCase(process.ids[case], took / SECOND, times, len(process.events_of(case)), offset)
