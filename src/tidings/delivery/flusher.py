"""The flush: hands each lane's new events to the readers that are level with it, a slice of a millisecond at a time.

Measured (docs/design.md, Delivery). A write costs about 5 µs whatever its size, so the lever is fewer writes: a lane
that has just flushed waits for `min(5 ms, 3 x the duration of that flush)`. That caps its share of a core under load,
and delays a small audience by nothing. Topics take turns, 32 readers each, and the loop gets its turn after 1 ms, so a
lone reader beside a topic of 9,000 still has its event in 7 ms rather than in 177.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterator
from time import monotonic
from typing import TYPE_CHECKING

from tidings.events import Event
from tidings.wire.sse import Format

from .live_topic import ARMED, FLUSHING, IDLE, LiveTopic

if TYPE_CHECKING:
    from .subscription import Subscription

log = logging.getLogger("tidings.flush")

GAP = 0.005
GAP_FACTOR = 3.0
QUANTUM = 32
SLICE = 0.001
SOON = 0.0005
"""uvloop's timers are whole milliseconds: a shorter gap is none."""


class Flusher:
    """The run queue of one loop. Nothing a reader does can raise into it: each write is guarded, for one exception
    here would leave `running` set and the whole hub dead."""

    def __init__(self) -> None:
        self._queue: deque[Iterator[None]] = deque()
        self._running = False
        self.loop = asyncio.get_running_loop()
        self.deliveries = 0
        self.writes = 0

    def arm(self, lane: LiveTopic) -> None:
        """The lane has something new: flush it at once, or when its gap is over."""
        if lane.state != IDLE:
            return
        lane.state = ARMED
        wait = lane.flush_at - monotonic()
        if wait > SOON:
            self.loop.call_later(wait, self._ready, lane)
        else:
            self.loop.call_soon(self._ready, lane)

    def _ready(self, lane: LiveTopic) -> None:
        lane.state = FLUSHING
        self._queue.append(self._flush(lane))
        if not self._running:
            self._running = True
            self._run()

    def _run(self) -> None:
        until = monotonic() + SLICE
        while self._queue:
            job = self._queue.popleft()
            try:
                next(job)
                self._queue.append(job)
            except StopIteration:
                pass
            if self._queue and monotonic() > until:
                self.loop.call_soon(self._run)
                return
        self._running = False

    def _flush(self, lane: LiveTopic) -> Iterator[None]:
        began = monotonic()
        old, epoch, life = lane.vis, lane.epoch, lane.life
        new = lane.vis = lane.reach(old, lane.head)
        casts, lane.casts = lane.casts, []
        bodies: dict[Format, bytes] = {}
        form: Format | None = None
        body = b""
        written = 0
        last = lane.closed and new == lane.head
        lane.wake()
        for i, subscription in enumerate(list(lane.level)):
            position = lane.level.get(subscription)
            # It may have left, parked or moved since the snapshot, by a flush of another of its topics.
            if position is not None:
                if subscription.full:
                    subscription.kick()
                elif position.n == old and position.epoch == epoch and lane.life == life:
                    position.n = new
                    try:
                        if subscription.format is not form:
                            body = self._encode(lane, subscription.format, old, new, casts, bodies)
                            form = subscription.format
                        subscription.write(body, lane)
                    except Exception:
                        self._drop(lane, subscription)
                    written += 1
                elif position.n < lane.vis or position.epoch != lane.epoch:
                    subscription.kick()
                if last:
                    subscription.kick()
            if i % QUANTUM == QUANTUM - 1:
                yield
        self.writes += written
        self.deliveries += written * (new - old)
        lane.trim()
        lane.flush_at = monotonic() + min(GAP, GAP_FACTOR * (monotonic() - began))
        lane.state = IDLE
        # A topic that was closed in the meantime has nothing new, but its readers are to hear of their end.
        if lane.head > lane.vis or lane.casts or (lane.closed and not last):
            self.arm(lane)

    def _encode(
        self, lane: LiveTopic, form: Format, old: int, new: int, casts: list[Event], bodies: dict[Format, bytes]
    ) -> bytes:
        if form not in bodies:
            bodies[form] = form.encode(lane.name, [*lane.slice(old, new), *casts])
        return bodies[form]

    def _drop(self, lane: LiveTopic, subscription: Subscription) -> None:
        log.exception("a reader of %s was dropped: its write failed", lane.name)
        subscription.end(clean=False)
