"""PURE: the fold of a topic's events into buckets of a second, a minute and an hour."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from tidings.events import Event

from .bucket import Bucket

VERSION = 1

SECOND, MINUTE, HOUR = 1, 60, 3600
"""Seconds of a bucket at each level."""

KEPT = {SECOND: 3700, MINUTE: 8 * 86_400, HOUR: 91 * 86_400}
"""Seconds for which the buckets of each level are kept."""

GROUPS = 20
"""Groups of a series. Events of further groups are counted, and not drawn."""

LONGEST_GROUP = 100
"""Characters of a group's name."""

SILENCE = 10.0
"""Seconds without an event that may be a gap in a chart."""

SILENCES = 10_000
"""Silences that are kept: the last ones."""

GREATEST = 1e150
"""The greatest magnitude of a value: a sum of a million of these is still a number."""

Groups = dict[str, Bucket]
"""The buckets of a span of time, by group; the group of a series without groups is `""`."""

_decode = msgspec.json.Decoder().decode


class Spec(NamedTuple):
    """The subject of a series: the values at the path `field` in the events of `topic`, empty for the events as such.

    `by`: the path of the field that names an event's group; empty: there are no groups. `quantiles`: keep histograms.
    """

    topic: str
    field: str
    by: str
    quantiles: bool


class Faults(msgspec.Struct):
    """Counts of events that had something that a chart cannot show.

    `bad`: a value that is no number. `late`: an earlier time than an event before. `beyond`: a group beyond GROUPS.
    """

    bad: int = 0
    late: int = 0
    beyond: int = 0


class Finished(msgspec.Struct):
    """A minute or an hour that has passed. `n`, `last`: number and time of its last event. `silences`: from when
    until when there was no event, of those that began in it."""

    start: int
    n: int
    last: float
    groups: Groups
    silences: list[tuple[float, float]]
    faults: Faults


class SeriesFold:
    """The buckets of one series. The events are given to `apply` in the order of the log.

    Time never runs backwards here: an event with an earlier time than one before it counts at that one's. So the
    outcome depends on the log alone. `first` and `newest` are the times of the first and the last event that is known,
    0 before any, and `n` is the number of the last one. `finished` are the minutes that have passed, until somebody
    takes them away. `silences` are spans of time without an event, of all groups.
    """

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.n: int = 0
        self.first: float = 0.0
        self.newest: float = 0.0
        self.levels: dict[int, dict[int, Groups]] = {SECOND: {}, MINUTE: {}, HOUR: {}}
        self.silences: list[tuple[float, float]] = []
        self.faults: Faults = Faults()
        self.finished: list[Finished] = []
        self._minute: int | None = None  # which is not finished yet
        self._minute_faults = Faults()
        self._field = tuple(spec.field.split(".")) if spec.field else ()
        self._by = tuple(spec.by.split(".")) if spec.by else ()
        self._known: set[str] = set()

    @property
    def size(self) -> int:
        """The number of buckets."""
        return sum(len(groups) for level in self.levels.values() for groups in level.values())

    def apply(self, event: Event) -> None:
        """Take the next event."""
        time = event.time
        self.first = self.first or time
        if time < self.newest:
            self._minute_faults.late += time < self.newest - 1
            time = self.newest
        silence = (self.newest, time)
        # A fold that begins at stored minutes has the silence that ended with its first event already.
        if self.newest and time - self.newest > SILENCE and self.silences[-1:] != [silence]:
            self.silences.append(silence)
        minute = int(time) // MINUTE * MINUTE
        if self._minute is not None and minute > self._minute:
            self._finish(self._minute)
        self._minute = minute
        self.newest = time
        if event.offset is not None:
            self.n = event.offset.n
        if not event.redacted:
            self._count(event.data, int(time))

    def _count(self, data: str, second: int) -> None:
        value: float | None = None
        group = ""
        if self._field or self._by:
            try:
                values = _decode(data)
            except (ValueError, RecursionError):
                self._minute_faults.bad += 1
                return
            if self._by:
                group = _group(_at(values, self._by))
                if group not in self._known:
                    if len(self._known) >= GROUPS:
                        self._minute_faults.beyond += 1
                        return
                    self._known.add(group)
            if self._field:
                found = _at(values, self._field)
                value = _number(found)
                if value is None and found is not None:
                    self._minute_faults.bad += 1
        self._bucket(self.levels[SECOND].setdefault(second, {}), group).add(value)

    def _bucket(self, groups: Groups, group: str) -> Bucket:
        bucket = groups.get(group)
        if bucket is None:
            bucket = groups[group] = Bucket(classes={} if self.spec.quantiles else None)
        return bucket

    def _finish(self, start: int) -> None:
        """Merge the seconds of the minute that has passed into it, and the minute into its hour."""
        minute = self.levels[MINUTE][start] = self._merged(self.levels[SECOND], start, start + MINUTE)
        hour = self.levels[HOUR].setdefault(start // HOUR * HOUR, {})
        for group, bucket in minute.items():
            self._bucket(hour, group).merge(bucket)
        silences = [silence for silence in self.silences if start <= silence[0] < start + MINUTE]
        self.finished.append(Finished(start, self.n, self.newest, minute, silences, self._minute_faults))
        self.faults, self._minute_faults = self.faults_now, Faults()
        self._forget()

    def _merged(self, level: dict[int, Groups], start: int, end: int) -> Groups:
        merged: Groups = {}
        for second in range(start, end):
            for group, bucket in level.get(second, {}).items():
                self._bucket(merged, group).merge(bucket)
        return merged

    def _forget(self) -> None:
        for width, level in self.levels.items():
            before = self.newest - KEPT[width]
            while level and (oldest := next(iter(level))) < before:
                del level[oldest]
        del self.silences[: max(0, len(self.silences) - SILENCES)]
        if len(self._known) >= GROUPS:
            self._known = {group for groups in self.levels[HOUR].values() for group in groups}

    # Beginning again where a process has left off.

    def begin(self, hours: Sequence[Finished], minutes: Sequence[Finished]) -> None:
        """Begin after minutes that are finished, with the hours before. Call it before any event is applied."""
        for finished in minutes:
            self.levels[MINUTE][finished.start] = finished.groups
            self.silences += finished.silences
            self._minute_faults = finished.faults
            self.faults, self._minute_faults = self.faults_now, Faults()
            self.n, self.newest = finished.n, finished.last
        self.first = min([float(finished.start) for finished in (*hours[:1], *minutes[:1])], default=0.0)
        # The hour in which the next minute lies is made of its minutes: the rest of them follows.
        following = (minutes[-1].start + MINUTE) // HOUR * HOUR if minutes else 0
        kept = {finished.start: finished.groups for finished in hours if finished.start < following}
        made: dict[int, Groups] = {}
        for finished in minutes:
            start = finished.start // HOUR * HOUR
            if start not in kept:
                for group, bucket in finished.groups.items():
                    self._bucket(made.setdefault(start, {}), group).merge(bucket)
        self.levels[HOUR] = dict(sorted({**kept, **made}.items()))
        self._known = {group for groups in self.levels[HOUR].values() for group in groups}

    # Reading.

    @property
    def faults_now(self) -> Faults:
        """The faults so far, with those of the minute that is not finished."""
        one, two = self.faults, self._minute_faults
        return Faults(one.bad + two.bad, one.late + two.late, one.beyond + two.beyond)

    def hours(self) -> list[Finished]:
        """Return the hours that are finished."""
        now = None if self._minute is None else self._minute // HOUR * HOUR
        return [
            Finished(start, self.n, self.newest, groups, [], Faults())
            for start, groups in self.levels[HOUR].items()
            if start != now
        ]

    def spans(self, width: int, start: float, end: float) -> Iterator[tuple[int, Groups]]:
        """Yield the buckets of a level that begin from `start` to `end`, in order, with what is not finished yet."""
        now = None if width == SECOND or self._minute is None else self._minute // width * width
        for at, groups in self.levels[width].items():
            if start <= at < end and at != now:
                yield at, groups
        if now is not None and self._minute is not None and start <= now < end:
            groups = {} if width == MINUTE else copies(self.levels[width].get(now, {}))
            for group, bucket in self._merged(self.levels[SECOND], self._minute, self._minute + MINUTE).items():
                self._bucket(groups, group).merge(bucket)
            yield now, groups


def copies(groups: Groups) -> Groups:
    """Return copies of buckets, which may be merged with others."""
    return {
        group: msgspec.structs.replace(bucket, classes=None if bucket.classes is None else dict(bucket.classes))
        for group, bucket in groups.items()
    }


def _at(value: Any, path: tuple[str, ...]) -> Any:
    """Return the value at a path of names, None if there is none."""
    for name in path:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if -GREATEST < value < GREATEST and not math.isnan(value) else None


def _group(value: Any) -> str:
    """Return the name of a group. Events whose field is absent, or no text, number or truth value, have none: `""`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)[:LONGEST_GROUP] if isinstance(value, str | int | float) else ""
