"""Timings: durations, counted in classes of growing width."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate

LEAST, STEPS, OCTAVES = 0.0001, 4, 20

BOUNDS: tuple[float, ...] = tuple(LEAST * 2 ** (n / STEPS) for n in range(STEPS * OCTAVES + 1))
"""The upper bounds of the classes, in seconds: from 0.1 ms to 105 s, four to a doubling. A quantile that is read from
classes of this width is wrong by 9 % at most."""


class Timings:
    """Durations in seconds. `counts`: how many were in each class, of which the last is above all bounds."""

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts: list[int] = [0] * (len(BOUNDS) + 1)
        self.total: float = 0.0

    def add(self, seconds: float) -> None:
        """Count a duration."""
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.total += seconds

    def since(self, before: Sequence[int]) -> list[int]:
        """Return the counts of the durations that were added since the counts were `before`."""
        return [now - then for now, then in zip(self.counts, before, strict=True)]

    def buckets(self) -> list[tuple[str, int]]:
        """Return every fourth bound with the number of durations up to it, as Prometheus has them."""
        totals: list[tuple[str, int]] = []
        seen = 0
        for n, count in enumerate(self.counts):
            seen += count
            if n == len(BOUNDS):
                totals.append(("+Inf", seen))
            elif n % STEPS == 0:
                totals.append((f"{BOUNDS[n]:.4g}", seen))
        return totals


def quantile(counts: Sequence[int], share: float) -> float | None:
    """Return the duration that a `share` of the counted ones does not exceed, to 9 %; None if none was counted."""
    rank = share * sum(counts)
    if not rank:
        return None
    n = bisect_left(list(accumulate(counts)), rank - 1e-9)
    return BOUNDS[min(n, len(BOUNDS) - 1)] / 2 ** (1 / STEPS / 2)
