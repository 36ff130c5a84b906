"""PURE: the fold of a process topic's events into the state from which every figure of its map is taken.

Columns of numbers hold the events: a column costs 2 to 8 bytes an event, where an object would cost 200. An event that
comes late moves its case back to the place of the event, and then forward again.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tidings.errors import TidingsError
from tidings.events import Event, Offset

from .durations import Durations
from .facts import ImportPart, Row, read, read_part
from .variants import FOLDED, ROOT, WIDE, Variants
from .waiting import Waiting

VERSION = 1
"""Version of the fold. Snapshots of other versions are not read."""

ACTIVITIES = 1_000
"""Activities that are told apart. Further ones are one activity, OTHER."""

OTHER = ACTIVITIES
"""The number of the activity that stands for all further ones."""

EDGES = 20_000
"""Edges whose durations are kept. Those of further edges are only counted."""

NONE = -1
"""No event, no case."""


class Import(NamedTuple):
    """The state of a file's import: its events in the log, and those that it left out."""

    events: int
    done: bool
    skipped: int
    options: str


class Process:
    """The state of a process topic.

    Activities, cases and events have numbers, in the order of the log. `names`: the activities. `total[a]` and
    `cases_of[a]`: the events and the cases of an activity; `starts[a]` and `at[a]`: the cases that begin with it, and
    those whose last event it is.
    `case_of`, `activity_of`, `time_of`, `offset_of`: the columns of the events; `before`: the event before it in its
    case, in the order of time and then of the log. `case_of` is NONE for an event that was redacted.
    `earliest`, `latest`: the times of the first and the last event, if there are `events`.
    `ids`, `place`, `last`: the columns of the cases: names, nodes of the tree of variants, last events.
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self.numbers: dict[str, int] = {}
        self.total: list[int] = []
        self.cases_of: list[int] = []
        self.starts: list[int] = []
        self.at: list[int] = []
        self.case_of: array[int] = array("i")
        self.activity_of: array[int] = array("H")
        self.time_of: array[int] = array("q")
        self.offset_of: array[int] = array("q")
        self.before: array[int] = array("i")
        self.ids: list[str] = []
        self.cases: dict[str, int] = {}
        self.place: array[int] = array("i")
        self.last: array[int] = array("i")
        self.edges: dict[int, Durations] = {}
        self.variants: Variants = Variants()
        self.events: int = 0
        self.refused: int = 0
        self.other_edges: int = 0
        self.earliest: int = 1 << 62
        self.latest: int = -1 << 62
        self.imports: dict[str, Import] = {}
        self.waiting: Waiting | None = None

    def take(self, rows: Sequence[Row], n: int) -> None:
        """Add events, of which the first has the number `n` in the log.

        Almost every event is the last of its case and takes it to a prefix that is known. These are added here, without
        a call for each, in two thirds of the time.
        """
        numbers, cases, last_of, place_of = self.numbers, self.cases, self.last, self.place
        case_of, activity_of, time_of, before_of = self.case_of, self.activity_of, self.time_of, self.before
        variants, total, at, cases_of = self.variants, self.total, self.at, self.cases_of
        here, passing, children, edge_to = variants.here, variants.passing, variants.children, variants.edge
        first = len(time_of)
        for event, (name, activity, time) in enumerate(rows, first):
            number = numbers.get(activity)
            if number is None:
                number = self._named(activity)
            case = cases.get(name)
            if case is None:
                case = self._begin(name)
            last, place = last_of[case], place_of[case]
            case_of.append(case)
            activity_of.append(number)
            time_of.append(time)
            before_of.append(last)
            total[number] += 1
            if last == NONE:
                self._forward(case, event, number, last, 0)
                continue
            duration = time - time_of[last]
            if duration < 0:
                self._insert(case, event, time)
                continue
            child = children.get(place << WIDE | number)
            edge = None if child is None else edge_to[child]
            if child is None or edge is None or not (here[child] or variants.variants < variants.most):
                self._forward(case, event, number, last, duration)
                continue
            last_of[case], place_of[case] = event, child
            at[number] += 1
            at[activity_of[last]] -= 1
            here[place] = left = here[place] - 1
            here[child] = there = here[child] + 1
            if not left or there == 1:
                variants.variants += (there == 1) - (not left)
            passing[child] += 1
            if variants.new_activity[child]:
                cases_of[number] += 1
            if variants.new_edge[child]:
                edge.cases += 1
            edge.add(duration)
            if self.waiting is not None:
                self.waiting.arrive(number, time, case)
        self.offset_of.extend(range(n, n + len(rows)))
        self.events += len(rows)
        self.earliest = min(self.earliest, min(time_of[first:], default=self.earliest))
        self.latest = max(self.latest, max(time_of[first:], default=self.latest))

    def drop(self, n: int) -> None:
        """Take away the event with the number `n` in the log. Nothing is left of a case without further events."""
        event = self.event_at(n)
        if event is None:
            return
        case = self.case_of[event]
        for other in self._back(case, event, 0):
            self._append(case, other)
        self.case_of[event] = NONE
        self.events -= 1
        if self.time_of[event] in (self.earliest, self.latest):
            left = [time for time, case in zip(self.time_of, self.case_of, strict=True) if case != NONE]
            self.earliest, self.latest = min(left, default=1 << 62), max(left, default=-1 << 62)
        number = self.activity_of[event]
        self.total[number] -= 1
        if not self.total[number] and number != OTHER:
            del self.numbers[self.names[number]]
            self.names[number] = ""
        if self.last[case] == NONE:
            self.cases.pop(self.ids[case], None)  # a snapshot may have lost the name before the redaction
            self.ids[case] = ""

    def follow(self, part: ImportPart) -> None:
        """Note how far an import came. The parts of a file follow each other without a gap."""
        before = self.imports.get(part.file)
        if part.first == (before.events if before else 0):
            self.imports[part.file] = Import(part.to, part.done, part.skipped, part.options)

    def oldest(self, activity: int) -> int | None:
        """Return the time of the last event of the case that has been at an activity for longest; None: no case is."""
        if self.waiting is None:
            self.waiting = Waiting(self)
        return self.waiting.oldest(activity)

    def event_at(self, n: int) -> int | None:
        """Return the event with the number `n` in the log."""
        low, high = 0, len(self.offset_of)
        while low < high:
            middle = (low + high) // 2
            if self.offset_of[middle] < n:
                low = middle + 1
            else:
                high = middle
        found = low < len(self.offset_of) and self.offset_of[low] == n and self.case_of[low] != NONE
        return low if found else None

    def events_of(self, case: int) -> list[int]:
        """Return the events of a case, in their order."""
        return list(self._chain(self.last[case]))[::-1]

    def edge_of(self, event: int) -> int:
        """Return the key of the edge that ends with an event which has another before it."""
        return self.activity_of[self.before[event]] << WIDE | self.activity_of[event]

    def is_at(self, case: int, activity: int, time: int) -> bool:
        """Tell whether an event of the activity, at the time, is the last of the case."""
        last = self.last[case]
        return last != NONE and self.activity_of[last] == activity and self.time_of[last] == time

    def restore_stale(self) -> None:
        """Make the figures of edges from which durations were taken away right again, by one look at all events."""
        stale = {key: array("q") for key, edge in self.edges.items() if edge.stale}
        if not stale:
            return
        activity_of, time_of = self.activity_of, self.time_of
        for event, (case, before) in enumerate(zip(self.case_of, self.before, strict=True)):
            if before != NONE and case != NONE:
                durations = stale.get(activity_of[before] << 16 | activity_of[event])
                if durations is not None:
                    durations.append(time_of[event] - time_of[before])
        for key, durations in stale.items():
            self.edges[key].restore(durations)

    def _chain(self, event: int) -> Iterator[int]:
        while event != NONE:
            yield event
            event = self.before[event]

    def _begin(self, name: str) -> int:
        """Return the number of a new case."""
        case = self.cases[name] = len(self.ids)
        self.ids.append(name)
        self.place.append(ROOT)
        self.last.append(NONE)
        return case

    def _named(self, activity: str) -> int:
        number = len(self.names)
        if number < OTHER:
            self.numbers[activity] = number
            self.names.append(activity)
        else:
            number = OTHER
            if len(self.total) > OTHER:
                return number
        for column in (self.total, self.cases_of, self.starts, self.at):
            column.append(0)
        return number

    def _insert(self, case: int, event: int, time: int) -> None:
        """Put an event that comes late in its place."""
        later = self._back(case, NONE, time)
        self._append(case, event)
        for other in later:
            self._append(case, other)

    def _append(self, case: int, event: int) -> None:
        """Put an event after the last of its case."""
        last = self.before[event] = self.last[case]
        duration = 0 if last == NONE else self.time_of[event] - self.time_of[last]
        self._forward(case, event, self.activity_of[event], last, duration)

    def _forward(self, case: int, event: int, activity: int, last: int, duration: int) -> None:
        """Make an event, which has the case's last event before it, the last of its case.

        `duration`: the time between the two events.
        """
        variants, edge, new_edge = self.variants, None, 0
        self.last[case] = event
        self.at[activity] += 1
        place = self.place[case]
        if place != FOLDED:
            place = self.place[case] = variants.step(place, activity)
        if place != FOLDED:
            edge, new_edge = variants.edge[place], variants.new_edge[place]
            if variants.new_activity[place]:
                self.cases_of[activity] += 1
        else:
            new_activity, new_edge = self._is_new(last, activity)
            self.cases_of[activity] += new_activity
        if last == NONE:
            self.starts[activity] += 1
        else:
            previous = self.activity_of[last]
            self.at[previous] -= 1
            if edge is None:
                edge = self._edge(previous << 16 | activity)
                if place != FOLDED:
                    variants.edge[place] = edge
            if edge is None:
                self.other_edges += 1
            else:
                edge.add(duration)
                if new_edge:
                    edge.cases += 1
        if self.waiting is not None:
            self.waiting.arrive(activity, self.time_of[event], case)

    def _retreat(self, case: int) -> int:
        """Take the last event from its case; return the event."""
        event, place = self.last[case], self.place[case]
        activity, last = self.activity_of[event], self.before[event]
        self.last[case] = last
        self.at[activity] -= 1
        if place != FOLDED:
            new_activity, new_edge = self.variants.new_activity[place], self.variants.new_edge[place]
            self.place[case] = self.variants.back(place)
        else:
            new_activity, new_edge = self._is_new(last, activity)
            if last == NONE:
                self.variants.folded -= 1
                self.place[case] = ROOT
        if new_activity:
            self.cases_of[activity] -= 1
        if last == NONE:
            self.starts[activity] -= 1
            return event
        previous = self.activity_of[last]
        self.at[previous] += 1
        if self.waiting is not None:
            self.waiting.arrive(previous, self.time_of[last], case)
        edge = self.edges.get(previous << 16 | activity)
        if edge is None:
            self.other_edges -= 1
            return event
        edge.remove(self.time_of[event] - self.time_of[last])
        if new_edge:
            edge.cases -= 1
        return event

    def _back(self, case: int, event: int, time: int) -> list[int]:
        """Take from a case what follows an event, or, if that is NONE, what is later than a time; return it in order.

        The event itself is taken, too, and not returned.
        """
        later: list[int] = []
        last = self.last[case]
        while last != NONE and last != event and (event != NONE or self.time_of[last] > time):
            later.append(self._retreat(case))
            last = self.last[case]
        if event != NONE:
            self._retreat(case)
        return later[::-1]

    def _is_new(self, last: int, activity: int) -> tuple[bool, bool]:
        """Tell whether an activity that follows the event `last`, and its edge, are not in the case yet."""
        new_activity, new_edge = True, last != NONE
        previous = self.activity_of[last] if new_edge else NONE
        while last != NONE and (new_activity or new_edge):
            before = self.before[last]
            if self.activity_of[last] == activity:
                new_activity = False
                if before != NONE and self.activity_of[before] == previous:
                    new_edge = False
            last = before
        return new_activity, new_edge

    def _edge(self, key: int) -> Durations | None:
        """Return an edge, or None where there are as many as are told apart. An edge stays, also without events."""
        edge = self.edges.get(key)
        if edge is None and len(self.edges) < EDGES:
            edge = self.edges[key] = Durations()
        return edge


def apply(process: Process, event: Event) -> None:
    """Change the state by the next event of its topic, or by the announcement of a redaction."""
    if event.redacted:
        if event.offset is None:
            process.drop(Offset.parse(event.json()["offset"]).n)
        return
    assert event.offset is not None
    try:
        if event.type == ImportPart.type:
            process.follow(read_part(event.data))
        else:
            process.take([read(event.data)], event.offset.n)
    except TidingsError:
        process.refused += 1
