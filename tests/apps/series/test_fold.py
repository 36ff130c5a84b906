"""The fold of events into seconds, minutes and hours."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidings.apps.series.fold import GROUPS, HOUR, MINUTE, SECOND, Faults, SeriesFold, Spec
from tidings.events import Event, Offset

START = 1_800_000_000.0


def folded(*data: Any, spec: Spec | None = None, times: list[float] | None = None) -> SeriesFold:
    fold = SeriesFold(spec or Spec("t", "v", "", False))
    for n, value in enumerate(data):
        text = value if isinstance(value, str) else json.dumps(value)
        fold.apply(Event("t", Offset("e", n + 1), "m", text, START + (times[n] if times else n)))
    return fold


def totals(fold: SeriesFold, width: int) -> tuple[int, float]:
    buckets = [bucket for _, groups in fold.spans(width, 0, 1e10) for bucket in groups.values()]
    return sum(bucket.events for bucket in buckets), sum(bucket.sum for bucket in buckets)


@settings(max_examples=40)
@given(st.lists(st.tuples(st.floats(0, 400), st.integers(-5, 5)), max_size=80))
def test_every_level_holds_every_event_once(steps: list[tuple[float, int]]) -> None:
    times, at = [], 0.0
    for wait, _ in steps:
        at += wait
        times.append(at)
    values = [value for _, value in steps]
    fold = folded(*[{"v": value} for value in values], times=times)
    for width in (MINUTE, HOUR):
        assert totals(fold, width) == (len(values), sum(values))
    recent = [value for value, time in zip(values, times, strict=True) if time > at - 3600]
    assert totals(fold, SECOND)[0] >= len(recent)


@pytest.mark.parametrize("value", ["12", True, [1], {"a": 1}, 1e200, -1e200, 10**400])
def test_an_invalid_number_is_counted_and_not_drawn(value: Any) -> None:
    fold = folded({"v": value}, {"v": 3})
    assert fold.faults_now == Faults(bad=1)
    assert totals(fold, SECOND) == (2, 3.0)


@pytest.mark.parametrize("data", ["no JSON", "", "{", "[" * 200, '{"v": NaN}', '{"v": 1e999}'])
def test_data_that_is_no_json_is_counted_and_not_drawn(data: str) -> None:
    fold = folded(data, {"v": 3})
    assert fold.faults_now.bad == 1
    assert totals(fold, SECOND)[1] == 3.0


@pytest.mark.parametrize("data", [{}, {"v": None}, 5, [1], "text"])
def test_an_event_without_the_field_has_no_value(data: Any) -> None:
    fold = folded(json.dumps(data))
    assert fold.faults_now == Faults()
    ((_, groups),) = fold.spans(SECOND, 0, 1e10)
    assert (groups[""].events, groups[""].n) == (1, 0)


def test_a_path_leads_into_the_data_and_another_names_the_group() -> None:
    spec = Spec("t", "a.b", "c.d", False)
    fold = folded(
        {"a": {"b": 1}, "c": {"d": "x"}}, {"a": {"b": 2}, "c": {"d": 7}}, {"a": {"b": 4}, "c": {"d": True}}, spec=spec
    )
    (_, minute), *_ = fold.spans(MINUTE, 0, 1e10)
    assert {group: bucket.sum for group, bucket in minute.items()} == {"x": 1, "7": 2, "true": 4}


def test_a_million_groups_are_counted_and_twenty_drawn() -> None:
    fold = folded(*[{"v": 1, "g": f"g{n}"} for n in range(5000)], spec=Spec("t", "v", "g", False), times=[0.0] * 5000)
    ((_, groups),) = fold.spans(MINUTE, 0, 1e10)
    assert list(groups) == [f"g{n}" for n in range(GROUPS)]
    assert fold.faults_now.beyond == 5000 - GROUPS


def test_a_clock_that_runs_backwards_is_counted_and_time_is_not_turned_back() -> None:
    fold = folded({"v": 1}, {"v": 2}, {"v": 4}, times=[100.0, 40.0, 101.0])
    assert fold.faults_now == Faults(late=1)
    assert [at - START for at, _ in fold.spans(SECOND, 0, 1e10)] == [100, 101]
    assert totals(fold, HOUR) == (3, 7.0)


def test_silences_are_kept() -> None:
    fold = folded(*[{"v": 1}] * 4, times=[0.0, 9.0, 30.0, 200.0])
    assert [(a - START, b - START) for a, b in fold.silences] == [(9, 30), (30, 200)]


def test_a_redacted_event_is_no_event() -> None:
    fold = SeriesFold(Spec("t", "", "", False))
    fold.apply(Event("t", Offset("e", 1), "tidings.redacted", "{}", START, redacted=True))
    assert list(fold.spans(SECOND, 0, 1e10)) == []
    assert fold.n == 1


@settings(max_examples=25)
@given(st.lists(st.floats(0.5, 90), min_size=30, max_size=120), st.integers(0, 100))
def test_a_fold_that_begins_at_stored_minutes_ends_as_one_that_never_stopped(waits: list[float], cut: int) -> None:
    times, at = [], 0.0
    for wait in waits:
        at += wait
        times.append(at)
    events = [Event("t", Offset("e", n + 1), "m", '{"v": 1}', START + time) for n, time in enumerate(times)]
    spec = Spec("t", "v", "", False)
    whole = SeriesFold(spec)
    for event in events:
        whole.apply(event)
    minutes = whole.finished[: len(whole.finished) * cut // 100]
    again = SeriesFold(spec)
    again.begin([], minutes)
    for event in events[again.n :]:
        again.apply(event)
    for width in (MINUTE, HOUR):
        assert list(again.spans(width, 0, 1e10)) == list(whole.spans(width, 0, 1e10))
    assert (again.silences, again.faults_now, again.n) == (whole.silences, whole.faults_now, whole.n)


def test_hours_that_are_stored_are_not_counted_twice() -> None:
    times = [n * 30.0 for n in range(400)]
    whole = folded(*[{"v": 1}] * 400, times=times)
    again = SeriesFold(whole.spec)
    again.begin(whole.hours(), whole.finished[100:150])
    for n in range(again.n, 400):
        again.apply(Event("t", Offset("e", n + 1), "m", '{"v": 1}', START + times[n]))
    assert totals(again, HOUR) == (400, 400.0)
