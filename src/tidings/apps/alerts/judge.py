"""The judge: judges all rules of the hub while this process has the turn, and stores the resulting facts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from copy import deepcopy
from heapq import heappop, heappush
from math import floor
from time import monotonic
from typing import Any

from tidings.clock import unix_time
from tidings.delivery.hub import Hub
from tidings.errors import Closed, Conflict, TidingsError
from tidings.events import ORIGIN, Event, Offset
from tidings.slices import in_slices

from . import facts, silences
from .facts import Fact, Notice
from .fold import State
from .judgement import Judgement
from .seat import Known, Seat, reached
from .service import PREFIX, SILENCES, Alerts
from .silences import Silences
from .sources import Source, data_of, past

log: logging.Logger = logging.getLogger("tidings.alerts")

LAG = 0.1
"""Seconds by which a second is judged late, so that its events have arrived."""

SCAN = 5.0
"""Seconds between two looks for rules that another process has changed and whose call was lost."""

OURS = (facts.Changed, facts.Notice, facts.BadValues, facts.HandedOn)
"""Facts that only a judge stores."""

HandOn = Callable[[str, State, Sequence[Notice]], Awaitable[None]]
"""Hands notices of a rule on, to people and webhooks. A repeated call hands no notice on twice."""


class Judge:
    """Judges every rule. `lead` runs from the moment at which this process has the turn until it is cancelled."""

    def __init__(self, hub: Hub, alerts: Alerts, hand_on: HandOn) -> None:
        self.hub: Hub = hub
        self.alerts: Alerts = alerts
        self._hand_on = hand_on
        self._clear()

    def _clear(self) -> None:
        self.seats: dict[str, Seat] = {}
        self._sources: dict[str, Source] = {}
        self._silences = Silences()
        self._heap: list[tuple[float, str]] = []
        self._from: dict[str, float] = {}
        self._calls: dict[str, None] = {}
        self._called = asyncio.Event()
        self._since = self._at = 0.0
        self._gap = False
        self._second = 0.0
        self._tasks: set[asyncio.Task[None]] = set()
        self._clock = unix_time() - monotonic()

    def call(self, id: str) -> None:
        """Look at a rule now, because a person has changed it."""
        self._calls[id] = None
        self._called.set()

    def through(self) -> float:
        """The time up to which all events and seconds are judged and the facts are stored."""
        unstored = [seat.unstored[0][0] for seat in self.seats.values() if seat.unstored]
        return min([*unstored, self._second]) if self._second else self._at

    @property
    def now(self) -> float:
        """The time of day, by a clock that does not jump."""
        return self._clock + monotonic()

    async def lead(self, since: float, at: float, gap: bool) -> None:
        """Judge all rules from `at` on. `since`: the time from which on processes have judged without a gap; `gap`: no
        process has judged between `at` and now."""
        self._clear()
        self._since, self._at, self._gap = since, at, gap
        listening = asyncio.create_task(self._listen_to_silences(await self._load_silences()))
        try:
            await self._scan()
            self._gap, self._since = False, (self.now if gap else since)
            self._second = floor(self.now - LAG)
            ticking = asyncio.create_task(self._tick())
            self._tasks |= {listening, ticking}
            while True:
                try:
                    async with asyncio.timeout(SCAN):  # `wait_for` may lose a cancellation, before Python 3.12
                        await self._called.wait()
                    self._called.clear()
                    await self._answer_calls()
                except TimeoutError:
                    await self._scan()
        finally:
            listening.cancel()
            for task in self._tasks:
                task.cancel()
            for source in self._sources.values():
                source.close()

    # Rules.

    async def _scan(self) -> None:
        """Look at every rule that has changed."""
        after = ""
        while heads := await self._try(self.hub.log.heads(PREFIX, after)):
            for topic, head in heads:
                id = topic.removeprefix(PREFIX)
                seat = self.seats.get(id)
                if seat is None and not head.closed:
                    await self._seat(id)
                elif seat is not None and seat.tail != Offset(head.epoch, head.tail) and not seat.lock.locked():
                    await self._sync(seat)
            after = heads[-1][0]

    async def _try(self, work: Awaitable[Any]) -> Any:
        try:
            return await work
        except TidingsError as error:
            log.warning("The changed rules cannot be read now: %s", error)
            return None

    async def _answer_calls(self) -> None:
        calls, self._calls = self._calls, {}
        for id in calls:
            seat = self.seats.get(id)
            if seat is None:
                await self._seat(id)
            else:
                await self._sync(seat)

    async def _seat(self, id: str) -> None:
        """Begin to judge a rule, from where its topic's log ends."""
        try:
            found = await self.alerts.state(id)
            if found.state.rule is not None:
                state = deepcopy(found.state)
                await self._begin(Seat(id, Judgement(id, state, self._since, self._silences), found.offset), state)
        except TidingsError as error:
            log.warning("The rule %s is not judged yet: %s", id, error)

    async def _begin(self, seat: Seat, state: State) -> None:
        """Read the past of a rule's topic, judge the events since the last judgement, and follow the topic."""
        through = max(self._from.pop(seat.id, self._at), state.began)
        judgement = Judgement(seat.id, state, self._since, self._silences, through)
        seat.judgement = judgement
        self._leave(seat)
        self.seats[seat.id] = seat
        self._made(seat, judgement.begin())
        if state.unsent:
            self._spawn(self._hand(seat, list(state.unsent)))
        rule = state.judged
        if rule is None:
            self._spawn(self._store(seat))
            return
        span = max(rule.window or 0.0, rule.no_data or 0.0, rule.absent or 0.0)
        events, tail = await past(self.hub, rule.topic, through - span)
        if self._gap:
            judgement.sleep(through)
        known = Known(max(through, state.second), None if state.offset is None else Offset.parse(state.offset))
        async for event in in_slices(events):
            self._step(seat, event, known)
        await self._join(seat, rule.topic, tail, known)
        self._made(seat, judgement.wake(self.now) if self._gap else judgement.second(floor(self.now - LAG)))

    def _step(self, seat: Seat, event: Event, known: Known) -> None:
        """Judge an event of the past, unless a process has judged the event before."""
        if event.offset is None or event.type.startswith("tidings."):
            return
        if event.time <= known.through or reached(known.offset, event.offset):
            seat.judgement.fill(event.time, data_of(event))
        else:
            at = min(event.time, self.now)
            self._made(seat, seat.judgement.event(at, str(event.offset), data_of(event)))

    async def _join(self, seat: Seat, topic: str, tail: Offset | None, known: Known) -> None:
        """Give the rule its topic's events from now on. Between the last look and the joining there is no `await`."""
        source = self._sources.get(topic)
        if source is None:
            source = self._sources[topic] = Source(self.hub, topic, tail, self._hear)
        at = tail
        while source.offset is not None and not reached(at, source.offset):
            if at is not None and at.epoch != source.offset.epoch:
                break
            page = await self.hub.read(topic, at or "earliest")
            for event in page.events:
                self._step(seat, event, known)
            at = page.next
        source.rules[seat.id] = at
        seat.watched = topic

    def _leave(self, seat: Seat) -> None:
        """Stop watching the rule's topic for this rule."""
        topic, seat.watched = seat.watched, None
        if topic is not None and (source := self._sources.get(topic)) is not None:
            source.rules.pop(seat.id, None)
            if not source.rules:
                source.close()
                del self._sources[topic]

    # Judging.

    def _hear(self, topic: str, event: Event, data: Any) -> None:
        assert event.offset is not None
        now, offset = self.now, str(event.offset)
        for id, known in list(self._sources[topic].rules.items()):
            seat = self.seats.get(id)
            if seat is not None and not reached(known, event.offset):
                self._made(seat, seat.judgement.event(min(event.time, now), offset, data))

    async def _heard(self, time: float) -> None:
        """Let sources that have given way go on until a time: events are judged before what happens after them."""
        while any(source.behind <= time for source in self._sources.values()):  # noqa: ASYNC110 - a turn each
            await asyncio.sleep(0)

    async def _tick(self) -> None:
        """Judge each second."""
        while True:
            now = self.now
            await asyncio.sleep(floor(now - LAG) + 1 + LAG - now)
            second = floor(self.now - LAG)
            await self._heard(second)
            due: list[Seat] = []
            while self._heap and self._heap[0][0] <= second:
                when, id = heappop(self._heap)
                seat = self.seats.get(id)
                if seat is not None and seat.due == when:
                    seat.due = float("inf")
                    due.append(seat)
            async for seat in in_slices(due):
                self._made(seat, seat.judgement.second(second))
            self._second = second

    def _file(self, seat: Seat) -> None:
        due = seat.judgement.due
        if due < seat.due:
            seat.due = due
            heappush(self._heap, (due, seat.id))

    def _made(self, seat: Seat, made: list[Fact]) -> None:
        """Store the facts that a judgement made, in their order."""
        self._file(seat)
        if made:
            seat.unstored.append((self.now, made))
            if not seat.lock.locked():
                self._spawn(self._store(seat))

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._spawned)

    def _spawned(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("A task of the judge failed.", exc_info=task.exception())

    async def _store(self, seat: Seat) -> None:
        async with seat.lock:
            while seat.unstored and self.seats.get(seat.id) is seat:
                made = seat.unstored[0][1]
                notices = [fact for fact in made if isinstance(fact, Notice)]
                try:
                    done = await self.hub.log.append(
                        seat.topic,
                        [facts.to_item(fact) for fact in made],
                        expected=seat.tail,
                        key=notices[0].id if notices else None,
                        default=None,
                    )
                except Closed:
                    seat.unstored.clear()
                    return
                except Conflict:
                    await self._take(seat)
                    continue
                except TidingsError as error:
                    log.warning("The judged facts of the rule %s cannot be stored yet: %s", seat.id, error)
                    await asyncio.sleep(0.5)
                    await self._take(seat)
                    continue
                if done.duplicate:
                    self._forget(seat)
                    return
                seat.tail = done.last
                del seat.unstored[0]
                if notices:
                    self._spawn(self._hand(seat, notices))
            await self._close_deleted(seat)

    async def _close_deleted(self, seat: Seat) -> None:
        if seat.judgement.state.deleted and not seat.judgement.state.unsent and self.seats.get(seat.id) is seat:
            del self.seats[seat.id]
            self._leave(seat)
            await self._try(self.hub.close_topic(seat.topic))

    async def _hand(self, seat: Seat, notices: list[Notice]) -> None:
        """Hand notices on, and append `alert.handed_on`. A judge after a crash hands on the notices without that fact
        again, with the same keys."""
        while True:
            try:
                await self._hand_on(seat.id, seat.judgement.state, notices)
                break
            except TidingsError as error:
                log.warning("Notices of the rule %s are not handed on yet: %s", seat.id, error)
                await asyncio.sleep(1.0)
        fact = facts.HandedOn(notices=[notice.id for notice in notices])
        self._made(seat, [*seat.judgement.changed(fact, self.now), fact])

    # Facts that people store.

    async def _sync(self, seat: Seat) -> None:
        async with seat.lock:
            await self._take(seat)
        self._made(seat, [])
        if seat.unstored:
            await self._store(seat)
        else:
            await self._close_deleted(seat)

    async def _take(self, seat: Seat) -> None:
        """Apply the facts that people have stored. A fact of another judge means that this process lost its turn."""
        try:
            page = await self.hub.read(seat.topic, seat.tail)
        except TidingsError:
            return
        await self._heard(self.now)
        if page.lost is not None:
            self._forget(seat)
            return
        anew = False
        for event in page.events:
            try:
                fact = facts.read(event.type, event.data)
            except TidingsError:
                continue
            if isinstance(fact, OURS):
                self._forget(seat)
                return
            before = seat.judgement.state.judged
            made = seat.judgement.changed(fact, event.time)
            if made:
                seat.unstored.append((self.now, made))
            now = seat.judgement.state.judged
            anew = anew or (now is not None and (before is None or before.condition() != now.condition()))
        seat.tail = page.next
        if anew:
            self._spawn(self._begin_anew(seat))

    async def _begin_anew(self, seat: Seat) -> None:
        """Judge a rule whose condition was changed: read the events that its window needs."""
        if self.seats.get(seat.id) is seat:
            await self._begin(seat, seat.judgement.state)

    def _forget(self, seat: Seat) -> None:
        """Judge the rule again from its log, because this process's state of the rule differs from the log."""
        self.seats.pop(seat.id, None)
        self._leave(seat)
        self._from[seat.id] = seat.unstored[0][0] if seat.unstored else self.now
        seat.unstored.clear()
        self.call(seat.id)

    # Silences.

    async def _load_silences(self) -> Offset | None:
        found, offset = await self.alerts.silences()
        self._silences = deepcopy(found)
        return offset if offset != ORIGIN else None

    async def _listen_to_silences(self, offset: Offset | None) -> None:
        while True:
            try:
                async for event in self.hub.subscribe(SILENCES, offset or "earliest"):
                    if event.offset is not None:
                        offset = event.offset
                        await self._heard(self.now)
                        silences.apply(self._silences, event)
                        async for seat in in_slices(list(self.seats.values())):
                            self._made(seat, seat.judgement.silenced(self._silences, self.now))
            except TidingsError as error:
                log.info("Silences are not followed now: %s", error)
            await asyncio.sleep(1.0)
