"""PURE: the figures of a process, as `GET /processes/NAME` answers them. Durations and ages are in seconds."""

from __future__ import annotations

import heapq

import msgspec

from .durations import Durations
from .fold import OTHER, Process

SECOND = 1_000_000


class ActivityFigures(msgspec.Struct, gc=False):
    """An activity. `events`: how often it occurs; `cases`: in how many cases; `open`: the cases whose last event it is
    now, from which they may go on; `oldest`: seconds since the last event of the one that has been there for longest,
    null where there is none."""

    activity: str
    events: int
    cases: int
    open: int
    oldest: float | None


class EdgeFigures(msgspec.Struct, gc=False, kw_only=True):
    """An edge: an event of `to` follows an event of `from`, directly and in one case. `events`: how often; `cases`: in
    how many cases. All other figures are of the seconds between the two events. `exact`: the median is exact, as it is
    for up to 1,000 durations; above, it is within 1 % of a value between the 49 and the 51 % quantiles."""

    source: str = msgspec.field(name="from")
    target: str = msgspec.field(name="to")
    events: int
    cases: int
    mean: float
    median: float
    min: float
    max: float
    sum: float
    exact: bool


class VariantFigures(msgspec.Struct, gc=False):
    """A variant: the activities of its cases so far, in order, and the number of these cases."""

    trace: list[str]
    cases: int


class Folded(msgspec.Struct):
    """Counts of what is not told apart, beyond the limits. `activities`: events of activities beyond the first 1,000,
    which are one activity of the map, named `other`; `edges`: events of edges beyond 20,000; `cases`: cases whose
    variant is not told apart, since there are 20,000 others."""

    activities: int
    edges: int
    cases: int
    other: str


class ImportFigures(msgspec.Struct):
    """A file under import, or an imported file. `file`: its SHA-256; `events`: its events so far; `skipped`: the events
    that cannot be mined and were left out; `options`: the options of the import."""

    file: str
    events: int
    done: bool
    skipped: int
    options: str


class WholeFigures(msgspec.Struct):
    """The events and the cases of the whole process, of which a filter selects some."""

    events: int
    cases: int


class ProcessFigures(msgspec.Struct):
    """The map of a process, as of `offset` in its topic. `start` and `end`: the cases that begin with an activity, and
    those whose last event it is. `variants`: their number; `top_variants`: the most frequent ones. `refused`: events in
    the topic that cannot be mined, and those that imports have left out. `first` and `last`: Unix seconds of the
    earliest and the latest event; `now`: those of this answer, from which ages count. `whole`: the counts of all cases,
    if a filter selects some of them; every figure but `refused` and `imports` is then of the selected cases alone."""

    topic: str
    offset: str
    now: float
    first: float | None
    last: float | None
    events: int
    cases: int
    variants: int
    activities: list[ActivityFigures]
    edges: list[EdgeFigures]
    start: dict[str, int]
    end: dict[str, int]
    top_variants: list[VariantFigures]
    refused: int
    folded: Folded
    imports: list[ImportFigures]
    whole: WholeFigures | None = None


def figures(process: Process, topic: str, offset: str, now: float, top: int) -> ProcessFigures:
    """Return all figures. `now`: Unix seconds; `top`: how many variants to list."""
    process.restore_stale()
    names, variants = labels(process), process.variants
    order = heapq.nsmallest(top, ((-here, node) for node, here in enumerate(variants.here) if here))
    return ProcessFigures(
        topic=topic,
        offset=offset,
        now=now,
        first=process.earliest / SECOND if process.events else None,
        last=process.latest / SECOND if process.events else None,
        events=process.events,
        cases=len(process.cases),
        variants=variants.variants,
        activities=[
            _activity(process, number, name, now) for number, name in enumerate(names) if process.total[number]
        ],
        edges=[_edge(key, edge, names) for key, edge in process.edges.items() if edge.events],
        start={names[number]: count for number, count in enumerate(process.starts) if count},
        end={names[number]: count for number, count in enumerate(process.at) if count},
        top_variants=[VariantFigures([names[a] for a in variants.trace(node)], -here) for here, node in order],
        refused=process.refused + sum(done.skipped for done in process.imports.values()),
        folded=Folded(
            process.total[OTHER] if len(process.total) > OTHER else 0,
            process.other_edges,
            variants.folded,
            other_name(process),
        ),
        imports=[ImportFigures(file, *done) for file, done in process.imports.items()],
    )


def labels(process: Process) -> list[str]:
    """Return the name of each activity that the map shows, by its number."""
    return [*process.names, other_name(process)] if len(process.total) > OTHER else process.names


def other_name(process: Process) -> str:
    """Return a name for the activities that are counted together, which no activity has itself."""
    name = "other activities"
    while name in process.numbers:
        name = f"({name})"
    return name


def number_of(process: Process, activity: str) -> int | None:
    """Return the number of an activity that the map shows."""
    if len(process.total) > OTHER and activity == other_name(process):
        return OTHER
    return process.numbers.get(activity)


def _activity(process: Process, number: int, name: str, now: float) -> ActivityFigures:
    counts = process.total[number], process.cases_of[number], process.at[number]
    return ActivityFigures(name, *counts, age(process.oldest(number), now))


def age(since: int | None, now: float) -> float | None:
    """Return the seconds since an event, None without one. `now`: Unix seconds."""
    return None if since is None else max(now - since / SECOND, 0.0)


def _edge(key: int, edge: Durations, names: list[str]) -> EdgeFigures:
    of = edge.summary()
    return EdgeFigures(
        source=names[key >> 16],
        target=names[key & 0xFFFF],
        events=of.events,
        cases=edge.cases,
        mean=of.sum / of.events / SECOND,
        median=of.median / SECOND,
        min=of.low / SECOND,
        max=of.high / SECOND,
        sum=of.sum / SECOND,
        exact=of.exact,
    )
