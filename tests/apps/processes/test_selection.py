"""The selection of cases against a plain one: the map of selected cases is that of a log which has no others."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.apps.processes.plain import Row, folded, mined, plain, rows
from tidings.apps.processes import fold
from tidings.apps.processes.figures import figures
from tidings.apps.processes.filters import ALL, Filter
from tidings.apps.processes.fold import Process
from tidings.apps.processes.selection import Columns, Fields, selected
from tidings.apps.processes.selection import folded as refolded
from tidings.errors import InvalidRequest
from tidings.events import Event, Offset, redacted_event

TIMES = some.integers(0, 12)
NAMES = some.sampled_from("ABCD")
EVENT = some.tuples(some.sampled_from(["c1", "c2", "c3", "c4", "c5"]), NAMES, TIMES, some.sampled_from(["x", "y", "z"]))
FILTER = some.builds(
    Filter,
    variants=some.just(()) | some.lists(some.lists(NAMES, min_size=1, max_size=3).map(tuple), max_size=4).map(tuple),
    since=some.none() | TIMES,
    until=some.none() | TIMES,
    present=some.lists(NAMES, max_size=2).map(tuple),
    absent=some.lists(some.sampled_from("BCE"), max_size=1).map(tuple),
    attributes=some.lists(some.tuples(some.just("who"), some.sampled_from("xyz")), max_size=2).map(tuple),
)


def only(process: Process, filter: Filter, events: list[Event]) -> Process:
    columns = Columns(process, filter)
    fields = Fields(columns, filter.attributes)
    for event in events:
        fields.take([event])
    return refolded(columns, selected(columns, filter, fields))


def meets(trace: list[tuple[str, int, str]], filter: Filter) -> bool:
    names = tuple(name for name, _, _ in trace)
    return (
        (not filter.variants or names in filter.variants)
        and (filter.since is None or all(time >= filter.since for _, time, _ in trace))
        and (filter.until is None or all(time <= filter.until for _, time, _ in trace))
        and all(name in names for name in filter.present)
        and not any(name in names for name in filter.absent)
        and all(any(who == text for _, _, who in trace) for _, text in filter.attributes)
    )


def logged(log: list[tuple[str, str, int, str]]) -> list[Event]:
    data = [msgspec.json.encode({"case": c, "activity": a, "timestamp": t, "who": w}).decode() for c, a, t, w in log]
    return [Event("process.t", Offset("e", n), "message", text, 0.0) for n, text in enumerate(data, 1)]


@given(some.lists(EVENT, max_size=30), FILTER, some.integers(0, 3), some.sets(some.integers(1, 30), max_size=3))
def test_the_map_of_selected_cases_is_that_of_a_log_without_the_others(
    log: list[tuple[str, str, int, str]], filter: Filter, most: int, gone: set[int]
) -> None:
    """Variants that are not told apart, late events and redacted ones are among them."""
    process = Process()
    process.variants.most = most
    for n, (case, activity, time, _) in enumerate(log, 1):
        process.take([(case, activity, time)], n)
    events = logged(log)
    for n in gone:
        process.drop(n)
        if n <= len(log):
            events[n - 1] = redacted_event("process.t", Offset("e", n), "message", 0.0)
    left = [event for n, event in enumerate(log, 1) if n not in gone]
    traces: dict[str, list[tuple[str, int, str]]] = {}
    for case, activity, time, who in sorted(left, key=lambda event: event[2]):
        traces.setdefault(case, []).append((activity, time, who))
    expected: list[Row] = [(case, activity, time) for case, activity, time, _ in left if meets(traces[case], filter)]
    assert folded(only(process, filter, events)) == plain(expected)


@pytest.mark.parametrize("seed", range(4))
def test_a_filter_that_selects_every_case_changes_no_figure(seed: int) -> None:
    log = rows(seed, cases=40, activities=5, longest=12)
    process = mined(log)
    assert figures(only(process, ALL, []), "t", "e-1", 0.0, 9) == figures(process, "t", "e-1", 0.0, 9)


def test_activities_that_are_counted_together_stay_so() -> None:
    count = fold.OTHER + 2
    process = mined([(f"c{n % 3}", f"activity {n}", n) for n in range(count)])
    found = figures(only(process, Filter(present=("activity 0",)), []), "t", "e-1", 0.0, 0)
    cases = {case: [n for n in range(count) if n % 3 == case] for case in range(3)}
    assert (found.cases, found.events) == (1, len(cases[0]))
    assert found.folded.activities == sum(n >= fold.OTHER for n in cases[0])
    together = figures(only(process, Filter(present=("other activities",)), []), "t", "e-1", 0.0, 0)
    assert together.cases == 2
    with pytest.raises(InvalidRequest) as refused:
        only(process, Filter(absent=(f"activity {fold.OTHER}",)), [])
    assert refused.value.members["field"] == "without"


@pytest.mark.parametrize(
    ("value", "texts"),
    [
        ("Pete", {"Pete"}),
        ("5", {"5"}),
        (5, {"5", "5.0", "5e0"}),
        (5.5, {"5.5"}),
        (2**60 + 1, {str(2**60 + 1)}),
        (True, {"true"}),
        (False, {"false"}),
        (1, {"1", "1.0"}),
        (None, {"null"}),
        ("", {""}),
        ([5], set()),
        ({"a": 5}, set()),
    ],
)
def test_a_field_is_compared_with_a_text(value: Any, texts: set[str]) -> None:
    every = ["Pete", "5", "5.0", "5e0", "5.5", str(2**60), str(2**60 + 1), "true", "false", "1", "1.0", "0", "null", ""]
    columns = Columns(mined([("c", "A", 1)]), ALL)
    event = Event("process.t", Offset("e", 1), "message", msgspec.json.encode({"a b": value}).decode(), 0.0)
    fields = Fields(columns, [("a b", text) for text in every])
    fields.take([event])
    assert {text for text, cases in zip(every, fields.cases, strict=True) if cases[0]} == texts


@pytest.mark.parametrize("name", ['a"b', "a\\b", "a\0b", "a\nb", "a\x7fb", "a\u2028b", ""])
def test_a_field_may_have_any_name(name: str) -> None:
    columns = Columns(mined([("c", "A", 1), ("d", "A", 2), ("e", "A", 3)]), ALL)
    fields = Fields(columns, [(name, "x"), ("case", "d"), (name, "1")])
    given: list[object] = [{"case": "c", name: "x"}, {"case": "d", name: 1.0}, ["case", name]]
    fields.take(
        [
            Event("process.t", Offset("e", n), "message", msgspec.json.encode(value).decode(), 0.0)
            for n, value in enumerate(given, 1)
        ]
    )
    assert fields.cases == [bytearray([1, 0, 0]), bytearray([0, 1, 0]), bytearray([0, 1, 0])]


def test_an_event_that_no_case_has_is_left_out() -> None:
    process = Process()
    process.take([("c", "A", 1)], 3)
    columns = Columns(process, ALL)
    fields = Fields(columns, [("a", "1")])
    fields.take([Event("process.t", Offset("e", n), "message", '{"a": 1}', 0.0) for n in (1, 2)])
    fields.take([Event("process.t", Offset("e", n), "message", '{"a": 1', 0.0) for n in (3, 4, 5)])
    assert fields.cases == [bytearray(1)]


def test_more_variants_may_be_told_apart_than_in_the_whole_process() -> None:
    process = Process()
    process.variants.most = 1
    process.take([("c1", "A", 1), ("c2", "B", 2), ("c2", "C", 3)], 1)
    assert process.variants.folded == 1
    found = figures(only(process, Filter(variants=(("B", "C"),)), []), "t", "e-1", 0.0, 9)
    assert [(of.trace, of.cases) for of in found.top_variants] == [(["B", "C"], 1)]
    assert found.folded.cases == 0
