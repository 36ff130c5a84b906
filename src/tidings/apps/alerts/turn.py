"""The turn to judge: one process of a store judges at a time. The log says from when on judging has had no gap."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Awaitable, Callable
from typing import ClassVar

import msgspec

from tidings.clock import steady_time, unix_time
from tidings.delivery.hub import Hub
from tidings.errors import Conflict, TidingsError
from tidings.events import ORIGIN, Event, Retention
from tidings.log.names import text_of
from tidings.log.rules import NEW

from .service import CALLED, CALLS, PREFIX

log: logging.Logger = logging.getLogger("tidings.alerts")

BEAT = 2.0
"""Seconds between two beats of the process that judges."""

LAPSE = 6.0
"""Seconds without a beat after which another process takes the turn."""

IDLE = 5.0
"""Seconds between two looks for a first rule."""


class Beat(msgspec.Struct, frozen=True, kw_only=True):
    """A sign of life of the process that judges. `since`: the time from which on processes have judged without a gap;
    `at`: the time up to which all is judged and stored; `left`: the process gives its turn away."""

    type: ClassVar[str] = "judge.beat"
    process: str
    since: float
    at: float
    left: bool = False


class Turn:
    """Takes turns with the other processes of the store.

    `lead(since, at, gap)` runs while this process has the turn, and is cancelled when the process loses the turn.
    `gap`: no process has judged between `at` and now. `through()`: the time up to which the process has judged.

    A beat is appended at the exact end of the log. So only one of two processes that want the turn gets it, and the
    next beat of a process that was frozen is refused if another process has taken the turn meanwhile.
    """

    def __init__(
        self, hub: Hub, lead: Callable[[float, float, bool], Awaitable[None]], through: Callable[[], float]
    ) -> None:
        self.process: str = secrets.token_hex(8)
        self.called: Callable[[str], None] = lambda rule: None
        self._hub, self._lead, self._through = hub, lead, through
        self._began = 0.0
        self._offset = ORIGIN
        self.last: Beat | None = None
        self._heard = self._beaten = 0.0
        self._wake = asyncio.Event()
        self._leading: asyncio.Future[None] | None = None
        self._closing = False

    @property
    def leads(self) -> bool:
        """True while this process judges."""
        return self._leading is not None

    def open(self) -> None:
        """Begin to take turns."""
        self._began, self._heard, self._closing = unix_time(), steady_time(), False
        self._offset, self.last, self._wake = ORIGIN, None, asyncio.Event()
        self._hub.delivery.listen(CALLS, self._call)
        self._hub.delivery.background(self._hear())
        self._hub.delivery.background(self._run())

    async def close(self) -> None:
        """Give the turn away, if this process has it."""
        self._closing = True
        self._wake.set()
        if self._leading is not None and self.last is not None:
            since = self.last.since
            await self._stop()
            with contextlib.suppress(TidingsError):
                await self._append(Beat(process=self.process, since=since, at=self._through(), left=True))

    def _call(self, type: str, rule: str) -> None:
        if type == CALLED:
            self._wake.set()
            self.called(rule)

    async def _hear(self) -> None:
        while True:
            try:
                async for event in self._hub.subscribe(CALLS, "earliest" if self._offset == ORIGIN else self._offset):
                    self._take(event)
            except TidingsError as error:
                log.info("%s is not followed: %s", CALLS, error)
            await asyncio.sleep(1.0)

    def _take(self, event: Event) -> None:
        if event.type != Beat.type or event.offset is None:
            return
        beat = msgspec.json.decode(event.data, type=Beat)
        newer = event.offset.epoch != self._offset.epoch or event.offset.n > self._offset.n
        if newer:
            self._offset, self.last, self._beaten = event.offset, beat, event.time
            self._heard = min(steady_time(), steady_time() - (unix_time() - event.time))
        self._wake.set()

    async def _run(self) -> None:
        while not self._closing:
            self._wake.clear()
            try:
                wait = await self._step()
            except TidingsError as error:
                log.info("The turn to judge is not taken now: %s", error)
                wait = 1.0
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):  # `wait_for` may lose a cancellation, before Python 3.12
                    await self._wake.wait()

    async def _step(self) -> float:
        """Beat, take the turn, or wait; return the seconds until the next step."""
        if self._leading is not None:
            if self.last is not None and self.last.process != self.process:
                log.info("Another process judges now.")
                await self._stop()
            elif self._leading.done():
                await self._stop()
                return 1.0
            else:
                return await self._beat()
        silent = steady_time() - self._heard
        if self.last is not None and not self.last.left and silent < LAPSE:
            return LAPSE - silent
        if not await self._hub.log.heads(PREFIX, "", 1):
            return IDLE
        await self._begin()
        return BEAT

    async def _beat(self) -> float:
        assert self.last is not None
        due = self._heard + BEAT - steady_time()
        if due > 0.05:
            return due
        await self._append(msgspec.structs.replace(self.last, at=max(self.last.at, self._through()), left=False))
        return BEAT

    async def _begin(self) -> None:
        """Take the turn."""
        last, now = self.last, unix_time()
        # A process that was open before the last beat has followed the log since then, so it has missed no beat.
        gap = last is None or self._began > self._beaten
        since, at = (now, 0.0) if last is None else (now if gap else last.since, last.at)
        await self._append(Beat(process=self.process, since=since, at=at))
        log.info("This process judges the alerts.")
        self._leading = asyncio.ensure_future(self._lead(since if last is None else last.since, at, gap))

    async def _stop(self) -> None:
        leading, self._leading = self._leading, None
        if leading is not None:
            leading.cancel()
            await asyncio.wait([leading])
            if not leading.cancelled() and leading.exception() is not None:
                log.error("Judging failed, and starts again.", exc_info=leading.exception())

    async def _append(self, beat: Beat) -> None:
        """Append a beat. Raises Conflict, after reading the beat of the other process, if that one came first."""
        expected = NEW if self._offset == ORIGIN else self._offset
        try:
            done = await self._hub.log.append(
                CALLS,
                [(Beat.type, text_of(beat))],
                expected=expected,
                retention=Retention(max_events=100),
                default=None,
            )
        except Conflict:
            await self._look()
            raise
        self._offset, self.last, self._heard, self._beaten = done.last, beat, steady_time(), unix_time()

    async def _look(self) -> None:
        page = await self._hub.log.read_before(CALLS, None, 1)
        for event in page.events:
            self._take(event)
