"""Timings: what is counted, and the quantiles that are read from it."""

from __future__ import annotations

import random
import statistics

from hypothesis import given
from hypothesis import strategies as st

from tidings.log.timings import BOUNDS, Timings, quantile


def test_quantiles_are_right_to_nine_percent() -> None:
    times = [random.Random(7).lognormvariate(-4, 1.5) for _ in range(5000)]
    timings = Timings()
    for time in times:
        timings.add(time)
    exact = statistics.quantiles(times, n=100, method="inclusive")
    for percent in (10, 50, 90, 99):
        found = quantile(timings.counts, percent / 100)
        assert found is not None
        assert abs(found / exact[percent - 1] - 1) < 0.1


def test_an_empty_count_has_no_quantile() -> None:
    assert quantile(Timings().counts, 0.5) is None


def test_differences_are_the_durations_in_between() -> None:
    timings = Timings()
    timings.add(5.0)
    before = list(timings.counts)
    timings.add(0.01)
    assert sum(timings.since(before)) == 1
    found = quantile(timings.since(before), 1.0)
    assert found is not None
    assert 0.009 < found < 0.011


@given(st.lists(st.floats(0, 1e6)))
def test_every_duration_is_in_one_class_and_in_all_buckets_above_it(times: list[float]) -> None:
    timings = Timings()
    for time in times:
        timings.add(time)
    assert sum(timings.counts) == len(times)
    assert timings.total == sum(times)
    buckets = timings.buckets()
    assert buckets[-1] == ("+Inf", len(times))
    assert [count for _, count in buckets] == sorted(count for _, count in buckets)
    for (_, count), bound in zip(buckets, BOUNDS[::4], strict=False):
        assert count == sum(time <= bound for time in times)
