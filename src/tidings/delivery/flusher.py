"""The flusher: writes each topic's new events to the readers that are level with it, for a millisecond at a time.

Measured (docs/design.md, Delivery). A write costs about 5 µs whatever its size, so the lever is fewer writes: a topic
that has just been flushed waits for `min(5 ms, 3 x the duration of that flush)`. The wait caps the topic's share of a
core under load and does not delay a small audience. Topics take turns, 32 readers each (of a large body: one), and
the loop gets its turn after 1 ms (or more, if its turns are long), so a single reader beside a topic of 9,000 still has
its event in 7 ms rather than in 177.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterator
from time import monotonic

from tidings.events import Event
from tidings.wire.sse import Format

from .live_topic import ARMED, FLUSHING, IDLE, PAGE, PAGE_BYTES, LevelReader, LiveTopic

log: logging.Logger = logging.getLogger("tidings.flusher")

GAP = 0.005
GAP_FACTOR = 3.0
QUANTUM = 32
SLICE = 0.001
SHARE = 4
"""A turn of other work that took long is followed by a slice of `1 / SHARE` of its time, at most LONGEST. With slices
of 1 ms, 1,000 readers, whose writes take 5 ms, would wait for five turns of up to 45 ms each."""
LONGEST = 0.01
SOON = 0.0005
"""Seconds. uvloop's timers are whole milliseconds, so a shorter gap is skipped."""


class Flusher:
    """The run queue of one loop.

    Each write is guarded: an exception of one reader that reached the queue would leave `_running` set, and no reader
    of the hub would ever be written to again.
    """

    def __init__(self) -> None:
        self._queue: deque[Iterator[None]] = deque()
        self._running = False
        self._left = 0.0
        self.loop: asyncio.AbstractEventLoop = asyncio.get_running_loop()
        self.deliveries: int = 0
        self.writes: int = 0

    def arm(self, live: LiveTopic) -> None:
        """Flush the topic, which has something new, at once or when its gap is over."""
        if live.state != IDLE:
            return
        live.state = ARMED
        wait = live.flush_at - monotonic()
        if wait > SOON:
            self.loop.call_later(wait, self._ready, live)
        else:
            self.loop.call_soon(self._ready, live)

    def _ready(self, live: LiveTopic) -> None:
        live.state = FLUSHING
        self._queue.append(self._flush(live))
        if not self._running:
            self._running = True
            self._left = monotonic()
            self._run()

    def _run(self) -> None:
        now = monotonic()
        until = now + min(max(SLICE, (now - self._left) / SHARE), LONGEST)
        while self._queue:
            flush = self._queue.popleft()
            try:
                next(flush)
                self._queue.append(flush)
            except StopIteration:
                pass
            if self._queue and (now := monotonic()) > until:
                self._left = now
                self.loop.call_soon(self._run)
                return
        self._running = False

    def _flush(self, live: LiveTopic) -> Iterator[None]:
        began = monotonic()
        old, epoch, life = live.visible, live.epoch, live.life
        new = live.visible = live.reach(old, live.head)
        said = min(live.said + PAGE, len(live.redacted))
        transient, live.transient = [*live.announcements(live.said, said), *live.transient], []
        live.said = said
        bodies: dict[Format, bytes] = {}
        form: Format | None = None
        body = b""
        written = 0
        last = live.closed and new == live.head
        live.wake()
        for i, reader in enumerate(list(live.level)):
            cursor = live.level.get(reader)
            # The reader may have left, parked or moved since the snapshot, by a flush of another of its topics.
            if cursor is not None:
                if reader.full:
                    reader.kick()
                elif cursor.n == old and cursor.epoch == epoch and live.life == life:
                    cursor.n, cursor.said = new, said
                    try:
                        if reader.format is not form:
                            body = self._encode(live, reader.format, old, new, transient, bodies)
                            form = reader.format
                        reader.write(body, live)
                    except Exception:
                        self._drop(live, reader)
                    written += 1
                elif cursor.n < live.visible or cursor.epoch != live.epoch:
                    reader.kick()
                if last:
                    reader.kick()
            # The body of a large event takes up to 1 ms to write.
            if i % QUANTUM == QUANTUM - 1 or len(body) > PAGE_BYTES:
                yield
        self.writes += written
        self.deliveries += written * (new - old)
        live.trim()
        live.flush_at = monotonic() + min(GAP, GAP_FACTOR * (monotonic() - began))
        live.state = IDLE
        # A topic that was closed in the meantime has no new event, but its readers must be told of the end.
        if live.head > live.visible or live.transient or len(live.redacted) > live.said or (live.closed and not last):
            self.arm(live)

    def _encode(
        self, live: LiveTopic, form: Format, old: int, new: int, transient: list[Event], bodies: dict[Format, bytes]
    ) -> bytes:
        if form not in bodies:
            bodies[form] = form.encode(live.name, [*live.slice(old, new), *transient])
        return bodies[form]

    def _drop(self, live: LiveTopic, reader: LevelReader) -> None:
        log.exception("A reader of %s was dropped: its write failed.", live.name)
        reader.close()
