"""Buckets: merged, they know what one bucket of all values would know."""

from __future__ import annotations

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.apps.series.bucket import AGGREGATIONS, Bucket, class_of, extremes, quantile

VALUES = st.lists(st.floats(-1e9, 1e9).filter(lambda v: v == 0 or abs(v) > 1e-6), min_size=1, max_size=60)


def bucket_of(seconds: list[list[float]]) -> Bucket:
    whole = Bucket(classes={})
    for values in seconds:
        second = Bucket(classes={})
        for value in values:
            second.add(value)
        whole.merge(second)
    return whole


@given(st.lists(VALUES, min_size=1, max_size=5))
def test_merged_buckets_are_the_bucket_of_all_values(seconds: list[list[float]]) -> None:
    bucket = bucket_of(seconds)
    values = [value for second in seconds for value in second]
    assert (bucket.events, bucket.n, bucket.low, bucket.high) == (len(values), len(values), min(values), max(values))
    assert bucket.last == values[-1]
    assert bucket.sum == pytest.approx(math.fsum(values), abs=1e-3, rel=1e-9)
    assert (bucket.least, bucket.most) == (min(map(len, seconds)), max(map(len, seconds)))
    assert bucket.top == pytest.approx(max(map(sum, seconds)), abs=1e-3)


@given(VALUES)
def test_quantiles_are_right_to_one_percent(values: list[float]) -> None:
    classes = bucket_of([values]).classes
    assert classes is not None
    ordered = sorted(values)
    for share in (0.0, 0.5, 0.99):
        exact = ordered[math.floor(share * (len(values) - 1))]
        assert quantile(classes, share) == pytest.approx(exact, rel=0.0101)


def test_classes_are_in_the_order_of_values_and_bounded() -> None:
    values = [-1e300, -5.0, -1e-3, 0.0, 1e-12, 1e-3, 1.0, 5.0, 1e300]
    classes = [class_of(value) for value in values]
    assert classes == sorted(classes)
    assert class_of(1e300) == class_of(1e13)
    assert class_of(-1e300) == -class_of(1e300)


def test_each_aggregation_says_what_its_name_says() -> None:
    bucket = bucket_of([[1.0, 2.0], [6.0]])
    found = {name: value(bucket, 10, True) for name, value in AGGREGATIONS.items()}
    assert found["p50"] == pytest.approx(2.0, rel=0.01)
    assert found["p99"] == pytest.approx(2.0, rel=0.01), "the second of three is the last that 99 % do not exceed"
    plain = {name: found[name] for name in ("rate", "count", "sum", "mean", "min", "max", "last")}
    assert plain == {"rate": 0.9, "count": 3, "sum": 9.0, "mean": 3.0, "min": 1.0, "max": 6.0, "last": 6.0}


def test_events_without_a_value_are_events_and_no_zeros() -> None:
    bucket = Bucket()
    bucket.add(None)
    bucket.add(None)
    assert AGGREGATIONS["rate"](bucket, 2, False) == 1.0
    assert AGGREGATIONS["count"](bucket, 2, True) == 0
    assert [AGGREGATIONS[name](bucket, 2, True) for name in ("mean", "min", "last", "p50")] == [None] * 4
    assert extremes(bucket, "mean", True) is None


def test_extremes_keep_a_single_bad_second() -> None:
    quiet = bucket_of([[1.0]] * 59 + [[40.0] * 7])
    assert extremes(quiet, "mean", True) == (1.0, 40.0)
    assert extremes(quiet, "rate", False) == (1, 7)
    assert extremes(quiet, "rate", True) == (1.0, 280.0)
    assert extremes(quiet, "sum", True) is None
    assert statistics.mean([1.0] * 59 + [40.0] * 7) == pytest.approx(AGGREGATIONS["mean"](quiet, 60, True))
