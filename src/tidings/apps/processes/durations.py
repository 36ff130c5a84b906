"""PURE: the durations of one edge, in microseconds: exact sums and extremes, and a median in bounded memory."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from itertools import repeat
from operator import truediv
from typing import NamedTuple

EXACT = 1_000
"""Durations up to which an edge keeps each of them, so that the median is exact."""

WIDTH = math.log(1.02)
"""Logarithm of the ratio of a bucket's ends. Its geometric middle differs from no duration in it by over 1 %."""


class Summary(NamedTuple):
    """The figures of an edge, in microseconds. `exact`: the median is, too; all others always are."""

    events: int
    sum: int
    low: int
    high: int
    median: float
    exact: bool


class Durations:
    """The times between two events that follow each other, for one edge of the map.

    `cases`: the cases in which the edge occurs. `values`: the durations that came last, and all of them as long as
    there are few. Once there are many they are counted in `buckets`, a thousand at a time: `counted`, `sum`, `low` and
    `high` are the figures of these, and `lows` and `highs` say how often their extremes occur. A duration that is taken
    away from buckets may leave an extreme unknown, or so few durations that the median must be exact: then the edge is
    `stale` until `restore`.
    """

    __slots__ = ("_summary", "buckets", "cases", "counted", "high", "highs", "low", "lows", "stale", "sum", "values")

    def __init__(self) -> None:
        self.cases: int = 0
        self.values: array[int] = array("q")
        self.buckets: dict[int, int] = {}
        self.counted: int = 0
        self.sum: int = 0
        self.low: int = 0
        self.high: int = 0
        self.lows: int = 0
        self.highs: int = 0
        self.stale: bool = False
        self._summary: Summary | None = None

    @property
    def events(self) -> int:
        """The number of durations."""
        return self.counted + len(self.values)

    def add(self, duration: int) -> None:
        """Add a duration."""
        self.values.append(duration)
        if len(self.values) > EXACT:
            self._count()

    def remove(self, duration: int) -> None:
        """Take away a duration that was added."""
        self._summary = None
        if not self.buckets or duration in self.values:
            self.values.remove(duration)
        else:
            bucket = _bucket(duration)
            self.buckets[bucket] -= 1
            if not self.buckets[bucket]:
                del self.buckets[bucket]
            self.counted -= 1
            self.sum -= duration
            self.lows -= duration == self.low
            self.highs -= duration == self.high
            self.stale = self.stale or not self.lows or not self.highs
        self.stale = self.stale or (self.counted > 0 and self.events <= EXACT)

    def restore(self, durations: array[int]) -> None:
        """Make a stale edge right again, from all its durations."""
        self.buckets, self.counted, self.sum, self.stale = {}, 0, 0, False
        self.values, self._summary = durations, None
        if len(durations) > EXACT:
            self._count()

    def summary(self) -> Summary:
        """Return the figures of an edge that is not stale and has a duration.

        The median of an even number is the mean of the middle two. Of over 1,000 durations it is within 1 % of a value
        between the 49 and the 51 % quantiles.
        """
        if self._summary is None or self._summary.events != self.events:
            if self.counted:
                self._count()
            values, events = self.values, self.events
            middle = (events - 1) // 2, events // 2
            if self.counted:
                median = sum(self._at(rank) for rank in middle) / 2
                self._summary = Summary(events, self.sum, self.low, self.high, median, False)
            else:
                ordered = sorted(values)
                median = (ordered[middle[0]] + ordered[middle[1]]) / 2
                self._summary = Summary(events, sum(values), ordered[0], ordered[-1], median, True)
        return self._summary

    def _count(self) -> None:
        """Count the last durations in buckets."""
        values = self.values
        if not values:
            return
        low, high = min(values), max(values)
        if not self.counted or low < self.low:
            self.low, self.lows = low, 0
        if not self.counted or high > self.high:
            self.high, self.highs = high, 0
        self.lows += values.count(self.low)
        self.highs += values.count(self.high)
        self.sum += sum(values)
        self.counted += len(values)
        # Mapped, because a call for each value takes four times as long.
        logarithms = map(math.log, filter(None, values))
        buckets = Counter(map(int, map(truediv, logarithms, repeat(WIDTH))))
        if zeros := values.count(0):
            buckets[-1] = zeros
        for bucket, count in buckets.items():
            self.buckets[bucket] = self.buckets.get(bucket, 0) + count
        self.values = array("q")

    def _at(self, rank: int) -> float:
        for bucket in sorted(self.buckets):
            rank -= self.buckets[bucket]
            if rank < 0:
                return min(max(math.exp((bucket + 0.5) * WIDTH), self.low), self.high) if bucket >= 0 else 0.0
        raise AssertionError("a rank is below the number of durations")


def _bucket(duration: int) -> int:
    return int(math.log(duration) / WIDTH) if duration else -1
