"""A plain computation of a map's figures, from a sorted list of events, and logs to try it on."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from itertools import pairwise
from statistics import median
from typing import Any

from tidings.apps.processes.figures import figures
from tidings.apps.processes.fold import Process

Row = tuple[str, str, int]
"""The case, the activity and the time, in microseconds, of an event."""

PARTS = 7
"""Events that are folded at once."""


def plain(rows: list[Row]) -> dict[str, Any]:
    """Return the figures of events in the order of the log."""
    traces: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for case, activity, time in sorted(rows, key=lambda row: row[2]):  # stable: ties stay in the order of the log
        traces[case].append((activity, time))
    took: dict[tuple[str, str], list[int]] = defaultdict(list)
    edge_cases: dict[tuple[str, str], set[str]] = defaultdict(set)
    for case, trace in traces.items():
        for (a, began), (b, ended) in pairwise(trace):
            took[a, b].append(ended - began)
            edge_cases[a, b].add(case)
    activities = {activity for _, activity, _ in rows}
    return {
        "events": len(rows),
        "cases": len(traces),
        "variants": Counter(tuple(activity for activity, _ in trace) for trace in traces.values()),
        "activities": {
            activity: (
                sum(row[1] == activity for row in rows),
                len({row[0] for row in rows if row[1] == activity}),
                min((trace[-1][1] for trace in traces.values() if trace[-1][0] == activity), default=None),
            )
            for activity in activities
        },
        "edges": {
            edge: (len(of), len(edge_cases[edge]), sum(of), min(of), max(of), median(of)) for edge, of in took.items()
        },
        "start": Counter(trace[0][0] for trace in traces.values()),
        "end": Counter(trace[-1][0] for trace in traces.values()),
    }


def folded(process: Process) -> dict[str, Any]:
    """Return the same figures of a state. The median is None where it is not exact."""
    found = figures(process, "process.t", "e-1", 0.0, 100_000)
    assert found.variants == len(found.top_variants)
    numbers = {name: number for number, name in enumerate(process.names)}
    return {
        "events": found.events,
        "cases": found.cases,
        "variants": Counter({tuple(variant.trace): variant.cases for variant in found.top_variants}),
        "activities": {
            of.activity: (of.events, of.cases, process.oldest(numbers[of.activity])) for of in found.activities
        },
        "edges": {
            (of.source, of.target): (
                of.events,
                of.cases,
                round(of.sum * 1e6),
                round(of.min * 1e6),
                round(of.max * 1e6),
                round(of.median * 2e6) / 2 if of.exact else None,
            )
            for of in found.edges
        },
        "start": Counter(found.start),
        "end": Counter(found.end),
    }


def rows(seed: int, cases: int, activities: int, longest: int) -> list[Row]:
    """Return a log: cases that run at once, loops, and equal times."""
    chance = random.Random(seed)
    made: list[Row] = []
    for case in range(cases):
        time = chance.randrange(1000)
        for _ in range(chance.randint(1, longest)):
            time += chance.choice((0, 0, 1, chance.randrange(10**9)))
            made.append(
                (f"case {case}", chr(65 + min(chance.randrange(activities), chance.randrange(activities))), time)
            )
    made.sort(key=lambda row: row[2])
    return made


def mined(log: list[Row]) -> Process:
    """Return the state after the events of a log."""
    process = Process()
    for n in range(0, len(log), PARTS):
        process.take(log[n : n + PARTS], n + 1)
    return process
