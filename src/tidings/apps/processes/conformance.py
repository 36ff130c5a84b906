"""PURE: the conformance of a process's cases to a reference, from a picture of the process at one offset."""

from __future__ import annotations

from array import array

import msgspec

from .figures import SECOND, labels
from .fold import NONE, Process
from .reference import Deviation, Kind, Reference, ReferenceSet, Rule
from .variants import FOLDED, ROOT

SPANS = 100
"""Equal spans of time in which the conforming share is told."""


class DeviationFigures(msgspec.Struct, gc=False):
    """A deviation: `events`: how often it occurs; `cases`: in how many cases; `allowed`: it counts as none."""

    kind: Kind
    source: str = msgspec.field(name="from")
    target: str = msgspec.field(name="to")
    events: int
    cases: int
    allowed: bool


class Span(msgspec.Struct, gc=False):
    """The cases whose last event lies in a span of time, which begins at `start`, in Unix seconds."""

    start: float
    cases: int
    conforming: int


class ConformanceFigures(msgspec.Struct):
    """The conformance of all cases, as of `offset` in the topic. `reference`: what they are compared with, null where
    there is none; then every other figure is empty. `share`: the conforming ones among the cases, null without cases.
    `deviations`: the most frequent first. `over_time`: spans of equal length, `seconds` each."""

    topic: str
    offset: str
    reference: ReferenceSet | None
    allowed: list[Deviation]
    cases: int = 0
    conforming: int = 0
    share: float | None = None
    deviations: list[DeviationFigures] = []
    over_time: list[Span] = []
    seconds: float = 0.0


class Picture:
    """A copy of the columns of a process, so that a thread can look at them while the process goes on. Copying takes
    20 ms for a million cases."""

    def __init__(self, process: Process) -> None:
        self.names: list[str] = list(labels(process))
        self.total: list[int] = list(process.total)
        self.cases_of: list[int] = list(process.cases_of)
        self.starts: list[int] = list(process.starts)
        self.edges: dict[int, tuple[int, int]] = {
            key: (edge.events, edge.cases) for key, edge in process.edges.items() if edge.events
        }
        self.parent: array[int] = process.variants.parent[:]
        self.activity: array[int] = process.variants.activity[:]
        self.place: array[int] = process.place[:]
        self.last: array[int] = process.last[:]
        self.time_of: array[int] = process.time_of[:]
        self.activity_of: array[int] = process.activity_of[:]
        self.before: array[int] = process.before[:]


def conformance(picture: Picture, topic: str, offset: str, reference: Reference) -> ConformanceFigures:
    """Return the conformance of all cases."""
    given = reference.set
    figures = ConformanceFigures(topic, offset, given, reference.allowed)
    if given is None:
        return figures
    rule = Rule(given, reference.allowed)
    figures.deviations = sorted(_deviations(picture, rule), key=lambda found: -found.events)
    judged = [(picture.time_of[last], good) for last, good in _cases(picture, rule)]
    figures.cases, figures.conforming = len(judged), sum(good for _, good in judged)
    if judged:
        figures.share = figures.conforming / figures.cases
        first, last = min(judged)[0], max(judged)[0]
        length = (last - first) // SPANS + 1
        spans = [[0, 0] for _ in range((last - first) // length + 1)]
        for time, good in judged:
            span = spans[(time - first) // length]
            span[0] += 1
            span[1] += good
        figures.seconds = length / SECOND
        figures.over_time = [Span((first + n * length) / SECOND, *span) for n, span in enumerate(spans)]
    return figures


def _deviations(picture: Picture, rule: Rule) -> list[DeviationFigures]:
    """Return the deviations from the figures of activities, starts and edges, without a look at an event."""
    names, found = picture.names, list[DeviationFigures]()

    def add(deviation: Deviation | None, kind: Kind, events: int, cases: int) -> None:
        if deviation is not None and deviation.kind == kind:
            is_allowed = deviation in rule.allowed
            found.append(DeviationFigures(kind, deviation.source, deviation.target, events, cases, is_allowed))

    for number, events in enumerate(picture.total):
        if events:
            deviation = rule.found(None, names[number])
            add(deviation, "activity", events, picture.cases_of[number])
            if picture.starts[number]:
                add(deviation, "start", picture.starts[number], picture.starts[number])
    for key, (events, cases) in picture.edges.items():
        add(rule.found(names[key >> 16], names[key & 0xFFFF]), "step", events, cases)
    return found


def _cases(picture: Picture, rule: Rule) -> list[tuple[int, bool]]:
    """Return the last event of each case, and whether the case conforms.

    Cases of one variant share a node of the tree, so each node is looked at once. Where variants are not told apart,
    each event of the case is looked at.
    """
    names = picture.names
    steps: dict[tuple[int | None, int], bool] = {}
    nodes: dict[int, bool] = {ROOT: True}

    def step(before: int | None, activity: int) -> bool:
        is_good = steps.get((before, activity))
        if is_good is None:
            name = None if before is None else names[before]
            is_good = steps[before, activity] = rule.judge(name, names[activity]) is None
        return is_good

    def conforms(node: int) -> bool:
        way: list[int] = []
        while node not in nodes:
            way.append(node)
            node = picture.parent[node]
        is_good = nodes[node]
        for node in reversed(way):
            parent = picture.parent[node]
            is_good = is_good and step(picture.activity[parent] if parent else None, picture.activity[node])
            nodes[node] = is_good
        return is_good

    def follows(event: int) -> bool:
        is_good = True
        while is_good and event != NONE:
            before = picture.before[event]
            is_good = step(None if before == NONE else picture.activity_of[before], picture.activity_of[event])
            event = before
        return is_good

    return [
        (last, follows(last) if place == FOLDED else conforms(place))
        for place, last in zip(picture.place, picture.last, strict=True)
        if last != NONE
    ]


def judged(process: Process, rule: Rule, event: int, names: list[str]) -> Deviation | None:
    """Return the deviation of one event, in its present place in its case."""
    before = process.before[event]
    return rule.judge(None if before == NONE else names[process.activity_of[before]], names[process.activity_of[event]])


def first_after(process: Process, n: int) -> int:
    """Return the first event with a number in the log after `n`, or the number of events if there is none."""
    column: array[int] = process.offset_of
    low, high = 0, len(column)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if column[middle] <= n else (low, middle)
    return low


def changed(process: Process, first: int, stop: int) -> list[tuple[int, int]]:
    """Return the events whose deviations may have changed by the events `first` <= event < `stop`, with the causes.

    They are these events, and those that follow a late one of them in its case. Pairs of the cause and the event, in
    the order of the causes.
    """
    left: dict[int, int] = {}
    for case in process.case_of[first:stop]:
        if case != NONE:
            left[case] = left.get(case, 0) + 1
    found: list[tuple[int, int]] = []
    for case, count in left.items():  # one walk back for each case, however many of its events are new
        event = process.last[case]
        while count:
            before = process.before[event]
            is_new = first <= event < stop
            if is_new or first <= before < stop:
                found.append((max(end for end in (event, before) if end < stop), event))
            count -= is_new
            event = before
    return sorted(found)
