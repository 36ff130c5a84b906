"""The columns of a chart: few points that keep every extreme and every gap."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.apps.series.test_fold import START, folded
from tidings.apps.series import columns
from tidings.apps.series.columns import STEPS, Grid, Line, Table, grid
from tidings.apps.series.fold import MINUTE, SECOND, SeriesFold, Spec


def drawn(fold: SeriesFold, where: Grid, aggregation: str, now: float) -> tuple[list[Line], list[tuple[float, float]]]:
    table, events = Table(where, fold.spec.quantiles), 0
    for at, groups in fold.spans(where.level, where.start, where.end):
        for group, bucket in groups.items():
            table.add(at, group, bucket)
            events += bucket.events
    gaps = columns.gaps(fold, where, events, now)
    return columns.lines(table, aggregation, bool(fold.spec.field), gaps, fold.first, now), gaps


@given(st.floats(1e9, 2e9), st.floats(1, 90 * 86400), st.integers(2, 2000))
def test_a_grid_covers_its_time_with_few_columns(start: float, length: float, points: int) -> None:
    made = grid(start, start + length, points, start)
    assert made.step in STEPS
    assert made.start <= start
    assert made.end >= start + length
    assert made.count <= points or made.step == STEPS[-1]


@pytest.mark.parametrize(
    ("length", "step"), [(60, 1), (300, 1), (3600, 5), (86_400, 120), (7 * 86_400, 900), (90 * 86_400, 10_800)]
)
def test_the_usual_ranges_have_round_steps(length: int, step: int) -> None:
    assert grid(START, START + length, 1000, START).step == step
    assert grid(START, START + length, 1000, START + 1).step >= MINUTE, "older seconds are not kept"


def test_a_day_shows_a_single_bad_second_and_a_gap_of_half_a_minute() -> None:
    values = [{"v": random.Random(n).uniform(9, 11)} for n in range(86_400)]
    values[40_000], values[60_000] = {"v": 900}, {"v": -3}
    times = [float(n) for n in range(86_400)]
    for n in range(70_000, 86_400):
        times[n] += 30
    fold = folded(*values, times=times)
    (line,), gaps = drawn(fold, grid(START, START + 86_400, 1000, START + 1e6), "mean", START + 86_430)
    assert 2 * len(line.values) <= 2000
    assert line.low is not None
    assert line.high is not None
    assert max(value for value in line.high if value) == 900
    assert min(value for value in line.low if value) == -3
    assert all(value is None or value < 25 for value in line.values)
    assert gaps == [(START + 69_999, START + 70_030)]


def test_a_slow_topic_has_no_gaps_but_for_what_is_long_for_it() -> None:
    times = [n * 30.0 for n in range(20)] + [2000.0 + n * 30 for n in range(20)]
    fold = folded(*[{"v": 1}] * 40, times=times)
    (line,), gaps = drawn(fold, Grid(int(START), 10, 300, SECOND), "rate", START + 2600)
    assert gaps == [(START + 570, START + 2000)]
    assert line.values[:4] == [0.1, 0.0, 0.0, 0.1]
    assert line.values[100] is None, "in a gap nobody knows"
    assert line.values[290] is None, "this time has not come yet"


def test_an_unknown_value_is_not_drawn_as_zero() -> None:
    fold = folded({"v": 5}, {}, {"v": 7}, times=[10.0, 11.0, 13.0])
    (line,), _ = drawn(fold, Grid(int(START), 1, 15, SECOND), "mean", START + 14)
    assert line.values[10:] == [5.0, None, None, 7.0, None]
    assert line.values[:10] == [None] * 10
    (line,), _ = drawn(fold, Grid(int(START), 1, 15, SECOND), "sum", START + 14)
    assert line.values[9:] == [None, 5.0, 0.0, 0.0, 7.0, None]


def test_the_open_column_can_be_gone_on_with() -> None:
    fold = folded({"v": 5}, {"v": 9}, times=[10.2, 10.4])
    (line,), _ = drawn(fold, Grid(int(START), 1, 11, SECOND), "mean", START + 10.5)
    assert line.open == {"events": 2.0, "n": 2.0, "sum": 14.0, "low": 5.0, "high": 9.0, "last": 9.0}
    assert line.values[-1] == 7.0


def test_groups_are_lines_the_largest_first() -> None:
    spec = Spec("t", "", "g", False)
    fold = folded(*[{"g": g} for g in "abbbcc"], spec=spec, times=[0.0] * 6)
    made, _ = drawn(fold, Grid(int(START), 1, 2, SECOND), "count", START + 2)
    assert [(line.group, line.values[0]) for line in made] == [("b", 3.0), ("c", 2.0), ("a", 1.0)]


def test_silence_up_to_now_is_a_gap() -> None:
    fold = folded(*[{"v": 1}] * 30)
    _, gaps = drawn(fold, Grid(int(START), 1, 100, SECOND), "mean", START + 90)
    assert gaps == [(START + 29, START + 90)]
