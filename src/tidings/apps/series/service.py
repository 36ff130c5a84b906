"""Series: aggregates of the events of topics, kept in memory and, by the minute and the hour, in the store."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Sequence
from time import monotonic, time

import msgspec

from tidings.apps.derivations import derived_from
from tidings.apps.snapshots import SNAPSHOTS
from tidings.delivery.hub import Hub
from tidings.errors import Conflict, NotFound, TidingsError
from tidings.events import ORIGIN, Offset, Retention
from tidings.log.head import Head
from tidings.log.rules import NEW
from tidings.slices import in_slices

from . import columns
from .columns import Line, Table
from .fold import GROUPS, HOUR, KEPT, MINUTE, SECOND, VERSION, Faults, Finished, SeriesFold, Spec

log: logging.Logger = logging.getLogger("tidings.series")

FRESH = 0.5
"""Seconds for which a look at the log serves all who ask. What follows comes to them live."""

BUCKETS = 600_000
"""Buckets that a process keeps in memory, of 150 bytes each: those of the series that were asked for last."""

ANSWERS = 32
"""Answers that a series remembers, for those who ask the same before there is another event."""

STORED_EVERY = 60.0
"""Seconds between two commits of a series' minutes."""

REFRESH = 600.0
"""Seconds between two looks at the series that nobody asks for, so that they miss nothing that is trimmed."""

PART = 200
"""Minutes or hours in one append."""

FIRST_SECONDS = KEPT[SECOND] - MINUTE


class Stored(msgspec.Struct, array_like=True):
    """A finished minute or hour in the store, with the life of the topic that it tells of, and the redactions in it."""

    epoch: str
    redactions: int
    span: Finished


class Answer(msgspec.Struct, rename={"from_": "from"}):
    """A series between two times, in Unix seconds, in columns of `step` seconds.

    `offset`: events of the topic after it are not in the answer, and those up to it are. `gaps`: spans of time without
    events. `bad`: values that are no numbers; `late`: events whose time is before that of an earlier one; `beyond`:
    events of groups beyond the limit; `notes` says so in sentences. They count what is kept of the topic.
    """

    topic: str
    field: str
    agg: str
    by: str
    from_: int
    to: int
    step: int
    offset: str
    lines: list[Line]
    gaps: list[tuple[float, float]]
    bad: int
    late: int
    beyond: int
    notes: list[str]


class _Series:
    """A series in memory, as of `offset`. `answers` are those that were given since the last event.

    `kept`: minutes of it are in the store, of which `fold` has only the buckets.
    """

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.fold = SeriesFold(spec)
        self.offset: Offset = ORIGIN
        self.redactions = 0
        self.looked = -FRESH
        self.stored = -STORED_EVERY
        self.kept = False
        self.lock = asyncio.Lock()
        self.answers: dict[tuple[str, columns.Grid], Answer] = {}
        digest = hashlib.sha256(msgspec.json.encode([VERSION, *spec])).hexdigest()[:24]
        self.topic = f"{SNAPSHOTS}.series.{digest}"


class SeriesService:
    """The series of a hub. Many who ask for one series cost one computation."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._kept: dict[Spec, _Series] = {}

    def open(self) -> None:
        """Begin to keep the series that were asked for up to date. The work ends with the hub."""
        self._hub.delivery.background(self._refresh())

    async def answer(self, spec: Spec, aggregation: str, start: float, end: float, points: int) -> Answer:
        """Return a series of at most `points` columns. Raises Unavailable.

        A topic that does not exist yet has no lines; its first event follows the offset `0-0`.
        """
        series = self._kept.pop(spec, None) or _Series(spec)
        self._kept[spec] = series  # at the end of the order: the first is the one that nobody has asked for longest
        await self._advance(series)
        self._forget()
        now = time()
        grid = columns.grid(start, end, points, now - FIRST_SECONDS)
        async with series.lock:  # of several who ask for the same, the first computes it
            answer = series.answers.get((aggregation, grid))
            if answer is None:
                if len(series.answers) >= ANSWERS:
                    series.answers.clear()
                answer = series.answers[aggregation, grid] = await self._compute(series, aggregation, grid, now)
            return answer

    async def _compute(self, series: _Series, aggregation: str, grid: columns.Grid, now: float) -> Answer:
        spec, fold = series.spec, series.fold
        table = Table(grid, spec.quantiles)
        events = 0
        async for at, groups in in_slices(list(fold.spans(grid.level, grid.start, grid.end))):
            for group, bucket in groups.items():
                table.add(at, group, bucket)
                events += bucket.events
        gaps = columns.gaps(fold, grid, events, now)
        faults = fold.faults_now
        return Answer(
            topic=spec.topic,
            field=spec.field,
            agg=aggregation,
            by=spec.by,
            from_=grid.start,
            to=grid.end,
            step=grid.step,
            offset=str(series.offset),
            lines=columns.lines(table, aggregation, bool(spec.field), gaps, fold.first, now),
            gaps=gaps,
            bad=faults.bad,
            late=faults.late,
            beyond=faults.beyond,
            notes=notes(faults, spec),
        )

    def _forget(self) -> None:
        size = sum(series.fold.size for series in self._kept.values())
        for spec, series in list(self._kept.items())[:-1]:
            if size <= BUCKETS:
                return
            if not series.lock.locked():
                size -= series.fold.size
                del self._kept[spec]

    async def _refresh(self) -> None:
        while True:
            await asyncio.sleep(REFRESH)
            for series in list(self._kept.values()):
                try:
                    await self._advance(series)
                except TidingsError as error:
                    log.warning("The series of %s is not kept up to date: %s", series.spec.topic, error)

    # Following a topic.

    async def _advance(self, series: _Series) -> None:
        """Bring a series to the tail of its topic, as of half a second ago at most."""
        if monotonic() < series.looked + FRESH:
            return
        async with series.lock:
            if monotonic() < series.looked + FRESH:
                return
            looked = monotonic()
            head = await self._hub.log.describe(series.spec.topic)
            if head is None:
                self._restart(series)
            else:
                if head.epoch != series.offset.epoch or head.redactions != series.redactions:
                    await self._load(series, head)
                await self._read(series, head)
                if not await self._store(series):
                    await self._load(series, head)
                    await self._read(series, head)
            series.looked = looked

    def _restart(self, series: _Series) -> None:
        if series.offset != ORIGIN:
            series.fold, series.offset, series.redactions = SeriesFold(series.spec), ORIGIN, 0
            series.kept = False
            series.answers.clear()

    async def _read(self, series: _Series, head: Head) -> None:
        while series.offset.epoch != head.epoch or series.offset.n < head.tail:
            after = series.offset if series.offset.epoch == head.epoch else "earliest"
            try:
                page = await self._hub.read(series.spec.topic, after)
            except NotFound:
                return
            if page.next.epoch != head.epoch:
                return  # another life has begun: the next look begins with it
            series.answers.clear()
            async for event in in_slices(page.events):
                series.fold.apply(event)
            series.offset = page.next

    # What is kept in the store.

    async def _load(self, series: _Series, head: Head) -> None:
        """Begin with the minutes and hours in the store, if they are of this life and hold no redacted event."""
        self._restart(series)
        series.redactions = head.redactions
        minutes = await self._spans(f"{series.topic}.m")
        if minutes:
            last = minutes[-1]
            if head.locate(Offset(last.epoch, last.span.n)) is None or last.redactions != head.redactions:
                for name in (f"{series.topic}.m", f"{series.topic}.h"):
                    await self._hub.delete(name)
                minutes = []
        series.kept = bool(minutes)
        kept = _until(minutes, head, time() - FIRST_SECONDS)
        if kept:
            hours = await self._spans(f"{series.topic}.h")
            series.fold.begin([hour.span for hour in hours], [minute.span for minute in kept])
            series.offset = Offset(head.epoch, kept[-1].span.n)

    async def _spans(self, topic: str) -> list[Stored]:
        spans: dict[int, Stored] = {}
        after: Offset | str = "earliest"
        while True:
            try:
                page = await self._hub.read(topic, after)
            except NotFound:
                return list(spans.values())
            async for event in in_slices(page.events):
                stored = _decode(event.data)
                spans[stored.span.start] = stored
            if page.up_to_date:
                return [spans[start] for start in sorted(spans)]
            after = page.next

    async def _store(self, series: _Series) -> bool:
        """Append the minutes and hours that are finished, unless another process has done so.

        False: the minutes before these were deleted, since they might hold what was redacted. All are made anew.
        """
        fold = series.fold
        if not fold.finished or monotonic() < series.stored + STORED_EVERY:
            return True
        series.stored = monotonic()
        since = time() - KEPT[MINUTE]
        try:
            await self._append(series, "m", [span for span in fold.finished if span.start >= since], MINUTE)
            await self._append(series, "h", fold.hours(), HOUR)
            fold.finished.clear()
        except NotFound:
            return False
        except Conflict:
            log.debug("Another process has just stored the series of %s.", series.spec.topic)
        except TidingsError as error:
            log.warning("The series of %s is not stored: %s", series.spec.topic, error)
            del fold.finished[: -KEPT[MINUTE] // MINUTE]
        return True

    async def _append(self, series: _Series, suffix: str, spans: Sequence[Finished], width: int) -> None:
        topic = f"{series.topic}.{suffix}"
        last, tail = -1, None
        try:
            page = await self._hub.read(topic, -1)
            tail = page.tail
            last = _decode(page.events[-1].data).span.start if page.events else -1
        except NotFound:
            if series.kept and width == MINUTE:
                raise
        new = [span for span in spans if span.start > last]
        for at in range(0, len(new), PART):
            items = [
                (suffix, _encode(Stored(series.offset.epoch, series.redactions, span))) for span in new[at : at + PART]
            ]
            done = await self._hub.log.append(
                topic,
                items,
                expected=NEW if tail is None else tail,
                retention=Retention(max_age=float(KEPT[width])),
                ttl=float(KEPT[HOUR]),
                labels={derived_from(series.spec.topic, series.offset.epoch, series.redactions): True},
            )
            tail = done.last
        if width == MINUTE:
            series.kept = tail is not None


_decode = msgspec.json.Decoder(Stored).decode


def _encode(stored: Stored) -> str:
    return msgspec.json.encode(stored).decode()


def _until(minutes: Sequence[Stored], head: Head, seconds_from: float) -> Sequence[Stored]:
    """Return the minutes to begin with: those after which the log still has every event, and the seconds are wanted.

    What follows is folded once more from the log, and gives the same minutes again.
    """
    whole = [n for n, minute in enumerate(minutes) if minute.span.n >= head.start]
    early = [n for n in whole if minutes[n].span.start < seconds_from]
    if early:
        return minutes[: early[-1] + 1]
    if not head.start:
        return ()
    return minutes[: whole[0] + 1] if whole else minutes


def notes(faults: Faults, spec: Spec) -> list[str]:
    """Return sentences about what a chart does not show."""
    found = []
    if faults.bad:
        found.append(f"{faults.bad:,} values of {spec.field or spec.by} were no numbers, and are not drawn.")
    if faults.beyond:
        found.append(f"{faults.beyond:,} events of further groups are not drawn: a chart has at most {GROUPS} groups.")
    if faults.late:
        found.append(
            f"{faults.late:,} events had a time before that of an earlier event, and are drawn at the latter's."
        )
    return found
