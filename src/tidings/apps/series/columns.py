"""PURE: the columns of a chart, made of buckets: one value for each span of time, with the extremes that it hides."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import msgspec

from .bucket import ADDED, AGGREGATIONS, Bucket, extremes
from .fold import HOUR, MINUTE, SECOND, SILENCE, SeriesFold

STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)
"""The widths of columns, in seconds."""

MISSED = 5
"""A silence of so many usual intervals between events is a gap."""


class Line(msgspec.Struct):
    """A line of a chart. `values` has one value for each column, null where there is none; `low` and `high` have the
    least and the greatest value in it, for lines whose columns hide some. `open` is the last column's bucket, to which
    events after the answer's offset are added: of the values, their number `n`, `sum`, `low`, `high` and `last`."""

    group: str
    values: list[float | None]
    low: list[float | None] | None
    high: list[float | None] | None
    open: dict[str, float] | None


class Grid(msgspec.Struct, frozen=True):
    """The columns of a chart: `count` of them from `start`, each `step` seconds wide, made of a level's buckets."""

    start: int
    step: int
    count: int
    level: int

    @property
    def end(self) -> int:
        return self.start + self.count * self.step


def grid(start: float, end: float, points: int, seconds_from: float) -> Grid:
    """Return at most `points` columns that cover a span of time; `seconds_from`: before, no seconds are kept."""
    least = SECOND if start >= seconds_from else MINUTE
    step = next((step for step in STEPS if step >= least and (end - start) / step <= points - 1), STEPS[-1])
    level = HOUR if step >= HOUR else MINUTE if step >= MINUTE else SECOND
    first = int(start // step) * step
    return Grid(first, step, max(1, -int((first - end) // step)), level)


class Table:
    """The buckets of a grid's columns, by group."""

    def __init__(self, grid: Grid, quantiles: bool) -> None:
        self.grid = grid
        self.groups: dict[str, list[Bucket | None]] = {}
        self._quantiles = quantiles

    def add(self, at: int, group: str, bucket: Bucket) -> None:
        """Merge a bucket that begins at `at` into its column."""
        columns = self.groups.setdefault(group, [None] * self.grid.count)
        n = (at - self.grid.start) // self.grid.step
        column = columns[n]
        if column is None:
            column = columns[n] = Bucket(classes={} if self._quantiles else None)
        column.merge(bucket)


def gaps(fold: SeriesFold, grid: Grid, events: int, now: float) -> list[tuple[float, float]]:
    """Return the spans of time in a grid in which events were missing, as far as their usual interval tells."""
    end = min(now, grid.end)
    silent = [(a, b) for a, b in fold.silences if b > grid.start and a < end]
    usual = _usual(silent, events, grid.start, min(end, fold.newest))
    limit = max(SILENCE, MISSED * usual)
    if fold.newest and fold.newest < end:
        silent.append((fold.newest, end))
    return [(round(a, 3), round(b, 3)) for a, b in silent if b - a > limit]


def _usual(silent: Sequence[tuple[float, float]], events: int, start: float, end: float) -> float:
    lengths = [b - a for a, b in silent]
    if events > 2 * len(lengths):
        return max(0.0, end - start - sum(lengths)) / (events - len(lengths))
    return statistics.median(lengths) if lengths else 0.0


def lines(
    table: Table, aggregation: str, valued: bool, gaps: Sequence[tuple[float, float]], since: float, now: float
) -> list[Line]:
    """Return the lines of a table, the largest group first.

    `since`: the time of the first event that is known. A column of events that are added up is 0 if it is silent and
    in no gap, and has no value before its time has passed.
    """
    grid, value = table.grid, AGGREGATIONS[aggregation]
    columns = range(grid.start, grid.end, grid.step)
    known = [since < at + grid.step <= now for at in columns]
    for a, b in gaps:
        for n, at in enumerate(columns):
            known[n] = known[n] and not (a < at + grid.step and at < b)
    made = []
    for group, buckets in table.groups.items():
        values = [None if b is None else _short(value(b, grid.step, valued)) for b in buckets]
        if aggregation in ADDED:
            for n, at in enumerate(columns):
                if at + grid.step > now:
                    values[n] = None
                elif values[n] is None and known[n]:
                    values[n] = 0.0
        low, high = _extremes(buckets, values, aggregation, valued)
        made.append((sum(b.events for b in buckets if b), Line(group, values, low, high, _open(buckets[-1]))))
    return [line for _, line in sorted(made, key=lambda item: (-item[0], item[1].group))]


def _extremes(
    buckets: Sequence[Bucket | None], values: Sequence[float | None], aggregation: str, valued: bool
) -> tuple[list[float | None] | None, list[float | None] | None]:
    pairs = [
        None if bucket is None or value is None else extremes(bucket, aggregation, valued)
        for bucket, value in zip(buckets, values, strict=True)
    ]
    if all(pair is None or pair[0] == pair[1] for pair in pairs):
        return None, None
    return [_short(p[0]) if p else None for p in pairs], [_short(p[1]) if p else None for p in pairs]


def _open(bucket: Bucket | None) -> dict[str, float] | None:
    if bucket is None:
        return None
    names = ("events", "n", "sum", "low", "high", "last")
    return {name: float(getattr(bucket, name)) for name in names}


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.7g}")
