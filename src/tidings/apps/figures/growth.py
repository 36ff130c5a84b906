"""PURE: how fast counters grow, from the last value of each."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b

MOST = 50_000
"""Counters that are remembered. Beyond that, those that have not been seen for longest are forgotten."""

SECOND = 1_000_000_000
"""Nanoseconds."""

Seen = dict[bytes, tuple[int, float]]
"""The time in nanoseconds and the value of counters."""


class Growth:
    """The last value of each counter, in memory: a counter has no rate at the first value after a start.

    Each of several processes has its own, and takes the growth since the last value that it has seen itself.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._last: Seen = {}

    def rate(self, seen: Seen, counter: str, time: int, value: float) -> float | None:
        """Return the growth a second of a counter, and note its value in `seen`.

        None for the first value, for one that has shrunk, and for one that is not later than the last.
        """
        key = blake2b(counter.encode("utf-8", "replace"), digest_size=16).digest()
        last = seen.get(key) or self._last.get(key)
        if last is None or time > last[0]:
            seen[key] = time, value
        if last is None or time <= last[0] or value < last[1]:
            return None
        return (value - last[1]) / ((time - last[0]) / SECOND)

    def keep(self, seen: Mapping[bytes, tuple[int, float]]) -> None:
        """Remember the values of counters whose figures are stored."""
        for key, value in seen.items():
            last = self._last.pop(key, None)
            self._last[key] = value if last is None else max(last, value)
        while len(self._last) > self._most:
            del self._last[next(iter(self._last))]
