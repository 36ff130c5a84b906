"""The fold against a plain computation: in order, late, redacted, folded together, and from a snapshot."""

from __future__ import annotations

import random

import pytest

from tests.apps.processes.plain import folded, mined, plain, rows
from tidings.apps.processes import fold
from tidings.apps.processes.facts import ImportPart
from tidings.apps.processes.figures import figures
from tidings.apps.processes.fold import Process, apply
from tidings.apps.processes.snapshot import freeze, thaw
from tidings.events import Event, Offset, redacted_event


@pytest.mark.parametrize("seed", range(8))
def test_figures_are_those_of_a_plain_computation(seed: int) -> None:
    log = rows(seed, cases=40, activities=5, longest=12)
    assert folded(mined(log)) == plain(log)


@pytest.mark.parametrize("seed", range(8))
def test_events_in_any_order_have_the_figures_of_the_sorted_log(seed: int) -> None:
    log = rows(seed, cases=30, activities=4, longest=15)
    log = [row for n, row in enumerate(log) if (row[0], row[2]) not in {(r[0], r[2]) for r in log[:n]}]
    shuffled = log.copy()
    random.Random(seed).shuffle(shuffled)
    process = mined(shuffled)
    assert folded(process) == plain(log)
    assert len(process.variants.children) == len(mined(log).variants.children), "prefixes without cases are given up"


def test_equal_times_are_ordered_by_the_log() -> None:
    log = [("c", "B", 5), ("c", "A", 5), ("c", "C", 4), ("c", "D", 5)]
    process = mined(log)
    assert [process.names[process.activity_of[event]] for event in process.events_of(0)] == ["C", "B", "A", "D"]


@pytest.mark.parametrize("seed", range(4))
def test_a_redacted_event_has_never_been(seed: int) -> None:
    log = rows(seed, cases=20, activities=4, longest=8)
    process, chance = mined(log), random.Random(seed)
    gone = set(chance.sample(range(len(log)), len(log) // 2))
    gone |= {n for n, row in enumerate(log) if row[0] == "case 3" or row[1] == "A"}
    for n in gone:
        apply(process, Event("process.t", None, "tidings.redacted", announcement(n + 1), 0.0, redacted=True))
    left = [row for n, row in enumerate(log) if n not in gone]
    assert folded(process) == plain(left)
    assert "case 3" not in process.ids, "the name of a case without events is forgotten"
    assert "A" not in process.names
    process.take([("case 3", "A", 7)], len(log) + 1)
    assert folded(process) == plain([*left, ("case 3", "A", 7)])
    process.drop(10**9)  # an event that the state does not hold
    assert folded(thaw(freeze(process)())) == plain([*left, ("case 3", "A", 7)])


def announcement(n: int) -> str:
    return redacted_event("process.t", Offset("e", n), "message", 0.0).data


def test_extremes_and_medians_are_right_after_late_events() -> None:
    """An event between two others takes a duration away from an edge of thousands: perhaps its greatest."""
    log = [(f"c{n}", "AB"[k], k * (n + 1) ** 2) for n in range(1_500) for k in (0, 1)]
    process = mined(log)
    assert process.edges[1].buckets, "more durations than are kept"
    late = [(f"c{n}", "X", 1) for n in (*range(100, 700), 1_499)]
    process.take(late, 5_000)
    assert folded(process) == plain([*log, *late]), "899 durations are left, whose median is exact"


def test_edges_beyond_the_limit_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fold, "EDGES", 4)
    log = rows(1, cases=20, activities=4, longest=8)
    random.Random(1).shuffle(log)
    found = figures(mined(log), "t", "e-1", 0.0, 0)
    assert len(found.edges) <= 4
    assert sum(of.events for of in found.edges) + found.folded.edges == len(log) - 20


class TestEvents:
    def test_invalid_events_are_counted(self) -> None:
        process = Process()
        for n, (type, data) in enumerate(
            [
                ("message", '{"case": "c", "activity": "A", "timestamp": "2024-01-01T00:00:00Z"}'),
                ("message", "no JSON"),
                ("message", '{"case": 4, "activity": "A", "timestamp": 0}'),
                ("import.part", "{}"),
                ("order.paid", '{"case": "c", "activity": "B", "timestamp": 1704067201.5, "more": {"a": [1]}}'),
            ],
            1,
        ):
            apply(process, Event("process.t", Offset("e", n), type, data, 0.0))
        found = figures(process, "t", "e-5", 1704067211.5, 9)
        assert (found.events, found.refused) == (2, 3)
        assert [(of.source, of.target, of.mean) for of in found.edges] == [("A", "B", 1.5)]
        assert [(of.activity, of.open, of.oldest) for of in found.activities] == [("A", 0, None), ("B", 1, 10.0)]
        assert (found.first, found.last) == (1704067200.0, 1704067201.5)

    def test_an_event_that_is_redacted_in_the_log_is_none(self) -> None:
        process = Process()
        apply(process, redacted_event("process.t", Offset("e", 1), "message", 0.0))
        assert (process.events, process.refused) == (0, 0)

    def test_parts_of_an_import_follow_each_other(self) -> None:
        process = Process()
        for part in ((0, 5), (5, 9), (5, 9), (12, 20)):
            process.follow(ImportPart("a" * 64, *part))
        assert process.imports["a" * 64].events == 9
