"""PURE: buckets, which hold what is known of the values of a span of time, and can be merged."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import msgspec

WIDTH = math.log(1.02)
"""The classes of a histogram are 2 % wide, so that a quantile is right to 1 %."""

MIDDLE = 20_000
"""The class of the value 1, so that classes of positive values have positive numbers."""

SMALLEST, LARGEST = 1e-9, 1e12
"""The least and the greatest magnitude that quantiles tell apart, so that a histogram has at most 4,900 classes."""


class Bucket(msgspec.Struct, array_like=True, omit_defaults=True):
    """The values of one group in one span of time.

    `events`: how many events there were, of which `n` had a value. `low`, `high`, `last`: the least, the greatest and
    the last value. `least`, `most`: the fewest and the most events in one of the seconds that had any; `bottom`, `top`:
    the least and the greatest sum of such a second. `classes`: the values as a histogram, None where nobody asks for
    quantiles.
    """

    events: int = 0
    n: int = 0
    sum: float = 0.0
    low: float = 0.0
    high: float = 0.0
    last: float = 0.0
    least: int = 0
    most: int = 0
    bottom: float = 0.0
    top: float = 0.0
    classes: dict[int, int] | None = None

    def add(self, value: float | None) -> None:
        """Take an event of this second, with its value or without one."""
        self.events += 1
        self.least = self.most = self.events
        if value is None:
            return
        self.low, self.high = (min(self.low, value), max(self.high, value)) if self.n else (value, value)
        self.n += 1
        self.sum += value
        self.last = value
        self.bottom = self.top = self.sum
        if self.classes is not None:
            number = class_of(value)
            self.classes[number] = self.classes.get(number, 0) + 1

    def merge(self, later: Bucket) -> None:
        """Take the values of a later bucket, too."""
        if not self.events:
            self.least, self.most, self.bottom, self.top = later.least, later.most, later.bottom, later.top
        elif later.events:
            self.least, self.most = min(self.least, later.least), max(self.most, later.most)
            self.bottom, self.top = min(self.bottom, later.bottom), max(self.top, later.top)
        if later.n:
            low, high = (min(self.low, later.low), max(self.high, later.high)) if self.n else (later.low, later.high)
            self.low, self.high, self.last = low, high, later.last
        self.events += later.events
        self.n += later.n
        self.sum += later.sum
        if self.classes is not None and later.classes:
            for number, count in later.classes.items():
                self.classes[number] = self.classes.get(number, 0) + count


def class_of(value: float) -> int:
    """Return the class of a value in a histogram. Classes are in the order of their values; zero has the class 0."""
    size = abs(value)
    if size < SMALLEST:
        return 0
    number = math.floor(math.log(min(size, LARGEST)) / WIDTH) + MIDDLE
    return number if value > 0 else -number


def quantile(classes: Mapping[int, int], share: float) -> float:
    """Return the value that a `share` of the values does not exceed, to 1 %."""
    rank, seen = share * (sum(classes.values()) - 1), 0
    number = 0
    for number in sorted(classes):
        seen += classes[number]
        if seen > rank:
            break
    if not number:
        return 0.0
    return math.copysign(math.exp((abs(number) - MIDDLE + 0.5) * WIDTH), number)


def _mean(bucket: Bucket, width: float, valued: bool) -> float | None:
    return bucket.sum / bucket.n if bucket.n else None


def _of(name: str) -> Callable[[Bucket, float, bool], float | None]:
    return lambda bucket, width, valued: getattr(bucket, name) if bucket.n else None


def _quantile(share: float) -> Callable[[Bucket, float, bool], float | None]:
    return lambda bucket, width, valued: quantile(bucket.classes, share) if bucket.classes else None


AGGREGATIONS: dict[str, Callable[[Bucket, float, bool], float | None]] = {
    "rate": lambda bucket, width, valued: (bucket.sum if valued else bucket.events) / width,
    "count": lambda bucket, width, valued: bucket.n if valued else bucket.events,
    "sum": lambda bucket, width, valued: bucket.sum,
    "mean": _mean,
    "min": _of("low"),
    "max": _of("high"),
    "last": _of("last"),
    "p50": _quantile(0.5),
    "p99": _quantile(0.99),
}
"""The value of a bucket of `width` seconds, by aggregation, or None if there is none. `valued`: a field is aggregated,
and not the events themselves."""

ADDED = frozenset({"rate", "count", "sum"})
"""The aggregations that are 0, and not unknown, in a span of time without events."""

QUANTILES = frozenset({"p50", "p99"})


def extremes(bucket: Bucket, aggregation: str, valued: bool) -> tuple[float, float] | None:
    """Return the least and the greatest value in a bucket, which a point of many seconds would hide; None: none.

    A rate is compared by the second. A count or a sum is that of the whole bucket, which hides nothing.
    """
    if aggregation == "rate":
        return (bucket.bottom, bucket.top) if valued else (bucket.least, bucket.most)
    return (bucket.low, bucket.high) if aggregation not in ADDED and bucket.n else None
