"""PURE: the present values of an instance, and sliding windows of values."""

from __future__ import annotations

import math
import sys
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable

from .rule import Agg

MOST = 100_000
"""Values that one window keeps. A window with more lets the oldest go early, and says so."""

_COMBINE: dict[str, Callable[[float, float], float]] = {
    "sum": lambda a, b: a + b,
    "mean": lambda a, b: a + b,
    "min": min,
    "max": max,
}
_RANKS = {"p50": 0.5, "p99": 0.99}


class Window:
    """The values of (t − `seconds`, t], aggregated. Times come in order.

    A sum, a minimum and a maximum are kept by two stacks: the older values with the aggregate of each and of all that
    follow it, and the newer ones with one aggregate. So a value costs the same however long the window is, and no
    rounding error adds up, since nothing is ever subtracted.
    """

    __slots__ = ("_agg", "_back", "_combine", "_front", "_seconds", "_sorted", "_times", "_values", "cut")

    def __init__(self, seconds: float, agg: Agg) -> None:
        self._seconds, self._agg = seconds, agg
        self._times: deque[float] = deque()
        self._values: deque[float] = deque()
        self._combine = _COMBINE.get(agg)
        self._front: list[float] = []
        self._back: float | None = None
        self._sorted: list[float] = []
        self.cut: bool = False

    def __len__(self) -> int:
        return len(self._times)

    @property
    def oldest(self) -> float | None:
        """The time of the oldest value."""
        return self._times[0] if self._times else None

    def add(self, at: float, value: float) -> None:
        """Add a value that is not older than those that are there."""
        if len(self._times) >= MOST:
            self.cut = True
            self._drop()
        self._times.append(at)
        if self._agg in ("count", "rate"):
            return
        self._values.append(value)
        if self._combine is not None:
            self._back = value if self._back is None else self._combine(self._back, value)
        elif self._agg in _RANKS:
            insort(self._sorted, value)

    def value(self, at: float) -> float | None:
        """Return the aggregate at a time; None if there is no value, but 0 for a count and a rate."""
        while self._times and self._times[0] <= at - self._seconds:
            self._drop()
        count = len(self._times)
        if self._agg == "count":
            return float(count)
        if self._agg == "rate":
            return count / self._seconds
        if not count:
            return None
        if self._agg == "last":
            return self._values[-1]
        if self._agg in _RANKS:
            return self._sorted[math.ceil(_RANKS[self._agg] * count) - 1]
        made = self._aggregate()
        made = made / count if self._agg == "mean" else made
        return made if math.isfinite(made) else math.copysign(sys.float_info.max, made)

    def _aggregate(self) -> float:
        assert self._combine is not None
        if not self._front:
            assert self._back is not None
            return self._back
        return self._front[-1] if self._back is None else self._combine(self._front[-1], self._back)

    def _drop(self) -> None:
        """Drop the oldest value."""
        self._times.popleft()
        if self._agg in ("count", "rate"):
            return
        if self._combine is not None:
            if not self._front:
                for value in reversed(self._values):
                    self._front.append(self._combine(value, self._front[-1]) if self._front else value)
                self._back = None
            self._front.pop()
        value = self._values.popleft()
        if self._agg in _RANKS:
            del self._sorted[bisect_left(self._sorted, value)]


class Reading:
    """The values of an instance as they are known now: its window, or its last value, which counts until the next.

    `steady`: since when each look at an instance that recovers found it clear; None: the last look did not.
    """

    __slots__ = ("at", "event_at", "steady", "value", "window")

    def __init__(self, window: Window | None) -> None:
        self.window: Window | None = window
        self.value: float | None = None
        self.at: float = -math.inf
        self.event_at: float = -math.inf
        self.steady: float | None = None
