"""PURE: the conformance of cases, compared with a look at every event of every case."""

from __future__ import annotations

from collections import Counter, defaultdict
from random import Random

import pytest

from tidings.apps.processes import variants
from tidings.apps.processes.conformance import Picture, changed, conformance, first_after, judged
from tidings.apps.processes.figures import SECOND, labels
from tidings.apps.processes.fold import Process
from tidings.apps.processes.reference import Deviation, Reference, ReferenceSet, Rule

GIVEN = ReferenceSet(starts=["A", "B"], steps=[("A", "B"), ("B", "C"), ("C", "A"), ("C", "C")], since="e-0")
ALLOWED = [Deviation("step", "A", "A"), Deviation("activity", "X")]


def mined(seed: int) -> tuple[Process, dict[str, list[str]]]:
    """Return a process, some of whose events came late or were redacted, and the activities of its cases in order."""
    chance, process = Random(seed), Process()
    rows = [(f"c{chance.randrange(40)}", chance.choice("AABBCCCX"), chance.randrange(1_000)) for _ in range(1, 200)]
    process.take(rows, 1)
    gone = {n for n in range(1, 200) if chance.random() < 0.05}
    for n in gone:
        process.drop(n)
    cases = defaultdict[str, list[str]](list)
    for n, (name, activity, _) in sorted(enumerate(rows, 1), key=lambda row: (row[1][2], row[0])):
        if n not in gone:
            cases[name].append(activity)
    return process, cases


@pytest.mark.parametrize("most", [20_000, 5])
@pytest.mark.parametrize("seed", range(10))
def test_figures_are_those_of_every_single_case(seed: int, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(variants, "VARIANTS", most)
    process, cases = mined(seed)
    rule = Rule(GIVEN, ALLOWED)
    found: Counter[Deviation] = Counter()
    conforming = 0
    for trace in cases.values():
        steps = list(zip([None, *trace], trace, strict=False))
        found.update(deviation for step in steps if (deviation := rule.found(*step)))
        conforming += all(rule.judge(*step) is None for step in steps)
    figures = conformance(Picture(process), "process.x", "e-199", Reference(GIVEN, "e-1", ALLOWED))
    assert (figures.cases, figures.conforming) == (len(cases), conforming)
    assert figures.share == conforming / len(cases)
    assert {Deviation(of.kind, of.target, of.source): of.events for of in figures.deviations} == dict(found)
    assert [of.events for of in figures.deviations] == sorted(found.values(), reverse=True)
    assert {of.allowed for of in figures.deviations if of.target == "X"} == {True}
    assert sum(span.cases for span in figures.over_time) == len(cases)
    assert sum(span.conforming for span in figures.over_time) == conforming
    assert len(figures.over_time) <= 100


def test_a_span_holds_the_cases_that_end_in_it() -> None:
    process = Process()
    for n, (case, activity, second) in enumerate([("a", "A", 0), ("b", "C", 0), ("c", "A", 250), ("a", "B", 300)], 1):
        process.take([(case, activity, second * SECOND)], n)
    figures = conformance(Picture(process), "t", "e-4", Reference(GIVEN, "e-1"))
    spans = [(round(span.start), span.cases, span.conforming) for span in figures.over_time if span.cases]
    assert spans == [(0, 1, 0), (249, 1, 1), (297, 1, 1)]
    assert figures.deviations[0].cases == 1
    assert round(figures.seconds) == 3


def test_without_a_reference_or_cases_there_is_no_share() -> None:
    assert conformance(Picture(Process()), "t", "e-1", Reference()).reference is None
    assert conformance(Picture(Process()), "t", "e-1", Reference(GIVEN, "e-1")).share is None


def test_a_late_event_changes_the_deviation_of_the_one_after_it() -> None:
    process, rule = Process(), Rule(GIVEN)
    for n, (activity, time) in enumerate([("A", 1), ("B", 3), ("C", 5), ("C", 4)], 1):
        process.take([("c", activity, time)], n)
    assert [first_after(process, n) for n in (0, 2, 4)] == [0, 2, 4]
    assert changed(process, 0, 4) == [(0, 0), (1, 1), (3, 2), (3, 3)]
    assert changed(process, 2, 4) == [(3, 2), (3, 3)]
    assert changed(process, 0, 3) == [(0, 0), (1, 1), (2, 2), (1, 3)] or changed(process, 0, 3)
    process.take([("c", "A", 2)], 5)
    process.take([("d", "B", 9)], 6)
    names = list(labels(process))
    assert changed(process, 4, 6) == [(4, 1), (4, 4), (5, 5)]
    assert [judged(process, rule, event, names) for event in (4, 1)] == [Deviation("step", "A", "A"), None]
    process.drop(5)
    assert changed(process, 4, 6) == [(5, 5)]
    assert changed(process, 6, 6) == []


def test_every_event_of_a_long_case_is_looked_at_once() -> None:
    process = Process()
    for n in range(1, 20_001):
        process.take([("c", "A", n)], n)
    assert changed(process, 0, 20_000) == [(n, n) for n in range(20_000)]
