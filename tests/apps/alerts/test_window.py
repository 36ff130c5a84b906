"""Sliding windows, compared with an aggregation of a list."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.apps.alerts import window as module
from tidings.apps.alerts.rule import Agg
from tidings.apps.alerts.window import Window

AGGS: list[Agg] = ["last", "mean", "min", "max", "sum", "count", "rate", "p50", "p99"]


def listed(agg: Agg, values: list[float], seconds: float) -> float | None:
    """The aggregation of all values of a window."""
    ordered, count = sorted(values), len(values)
    if agg in ("count", "rate"):
        return count / (seconds if agg == "rate" else 1)
    if not values:
        return None
    if agg in ("sum", "mean"):
        total = sum(map(Fraction, values), Fraction(0))
        return float(total / count if agg == "mean" else total)
    ranks = {"p50": 0.5, "p99": 0.99}
    if agg in ranks:
        return ordered[math.ceil(ranks[agg] * count) - 1]
    return {"last": values[-1], "min": ordered[0], "max": ordered[-1]}[agg]


@given(st.sampled_from(AGGS), st.lists(st.tuples(st.integers(0, 3), st.integers(-99, 99), st.booleans()), max_size=60))
def test_a_window_aggregates_what_is_in_it(agg: Agg, steps: list[tuple[int, int, bool]]) -> None:
    window, at, given_values = Window(5, agg), 0, list[tuple[int, float]]()
    for gap, value, look in steps:
        at += gap
        window.add(at, value)
        given_values.append((at, float(value)))
        if look:
            inside = [v for t, v in given_values if at - 5 < t <= at]
            assert window.value(at) == pytest.approx(listed(agg, inside, 5), abs=1e-9)
            assert len(window) == len(inside)
            assert window.oldest == (next(t for t, _ in given_values if t > at - 5))
    assert window.value(at + 5) == listed(agg, [], 5)
    assert window.oldest is None


def test_no_rounding_error_adds_up() -> None:
    window = Window(2, "sum")
    for second in range(1, 1000):
        window.add(second, 1e17 if second % 3 == 0 else 1.0)
        assert window.value(second + 1) == (1e17 if second % 3 == 0 else 1.0)


def test_a_sum_that_is_too_large_is_the_largest_number() -> None:
    window = Window(5, "sum")
    for _ in range(3):
        window.add(1, -1.7e308)
    value = window.value(1)
    assert value is not None
    assert math.isfinite(value)
    assert value < -1e308


@pytest.mark.parametrize("agg", AGGS)
def test_a_window_is_bounded_and_says_so(monkeypatch: pytest.MonkeyPatch, agg: Agg) -> None:
    monkeypatch.setattr(module, "MOST", 10)
    window = Window(100, agg)
    for n in range(25):
        window.add(n, float(n))
    assert (len(window), window.cut, window.oldest) == (10, True, 15)
    assert window.value(25) == listed(agg, [float(n) for n in range(15, 25)], 100)
