"""A topic as this process sees it: its recent events, the readers that are level with it, and its flushes.

Three offset numbers describe the window of recent events: the window begins after `base` and ends at `head`, the
durable tail known here; the last flush wrote the events up to `visible`. Readers join at `visible`, never at `head`, so
that one flush writes the same bytes to all of them. `size` is in bytes of memory.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from sys import getsizeof
from time import time
from typing import Protocol

import msgspec

from tidings.events import ORIGIN, Event, Offset, redacted_event
from tidings.log.head import Head
from tidings.wire.sse import Format

from .memory import WindowMemory

WINDOW_EVENTS = 1024
WINDOW_BYTES = 1 << 20
PAGE = 400
"""Events of a page of history. Pages end at multiples of it, so that readers at different offsets share bytes after
their first, partial page: private pages cost 2.5 times the CPU in a storm and delay live events by 705 ms
(docs/design.md, Delivery)."""
PAGE_BYTES = 1 << 16
"""Bytes at which a flush or a page is cut: a transport buffer asks for a pause at this size, so it is the memory that
one slow reader may cost."""

IDLE, ARMED, FLUSHING = range(3)


class Cursor(Protocol):
    """The place of a reader in a log: it has the first `n` events of the life `epoch`, and the first `said`
    announcements of redacted events."""

    epoch: str
    n: int
    said: int


class LevelReader(Protocol):
    """A reader as a flush sees it."""

    @property
    def format(self) -> Format:
        """The format of its bytes."""

    @property
    def full(self) -> bool:
        """True if a write now would only lie in a buffer."""

    def write(self, body: bytes, live: LiveTopic) -> None:
        """Write the bytes of a flush, without waiting. The reader's cursor is past them already."""

    def kick(self) -> None:
        """Leave the level readers and catch up in a task."""

    def close(self) -> None:
        """Close the reader's stream before the end of its body."""


class LiveTopic:
    """The state of a topic in this process. All methods run on the loop's thread and never wait."""

    __slots__ = (
        "base",
        "closed",
        "epoch",
        "events",
        "flush_at",
        "head",
        "level",
        "life",
        "lives",
        "memory",
        "name",
        "observers",
        "opening",
        "readers",
        "redacted",
        "redactions",
        "reloading",
        "said",
        "size",
        "stale",
        "start",
        "state",
        "told",
        "transient",
        "visible",
        "waiters",
        "waiting",
        "wanted",
    )

    def __init__(self, name: str, memory: WindowMemory) -> None:
        self.name: str = name
        self.memory: WindowMemory = memory
        self.level: dict[LevelReader, Cursor] = {}
        self.waiters: set[asyncio.Future[None]] = set()
        self.transient: list[Event] = []
        self.waiting: list[Event] = []
        self.readers: int = 0
        self.state: int = IDLE
        self.flush_at: float = 0.0
        self.opening: asyncio.Future[None] | None = None
        self.reloading: asyncio.Task[None] | None = None
        self.wanted: list[asyncio.Future[None]] = []
        self.stale: bool = False
        self.told: Offset | None = None  # the newest tail of which news came while the store was being asked
        self.life: int = 0
        self.epoch: str = ""
        self.size: int = 0
        self.observers: list[Callable[[Sequence[Event], Offset], None]] = []
        self.begin(None)

    def begin(self, head: Head | None, tail: int | None = None) -> None:
        """Start over at `tail` (default: the head's) of the life that `head` describes; None: there is no such log.

        `life` is incremented, so that a flush under way writes no more of what it began with.
        """
        self.life += 1
        if head is None or head.epoch != self.epoch:
            self.lives: tuple[tuple[str, int], ...] | tuple[()] = head.lives if head else ()
            # A life that goes on from the one before, as after a failover of the store, has its redactions too.
            known = self.redactions if self.epoch in dict(self.lives) else math.inf
            self.redactions: int = int(min(known, head.redactions)) if head else 0
            self.redacted: list[tuple[int, str]] = []
            self.said: int = 0
        self.epoch = head.epoch if head else ORIGIN.epoch
        self.start: int = head.start if head else ORIGIN.n
        self.closed: bool = head.closed if head else False
        self.base: int = (head.tail if head else 0) if tail is None else tail
        self.head: int = self.base
        self.visible: int = self.base
        self.events: list[Event] = []
        self.memory.size -= self.size
        self.size = 0
        self._inform(())

    @property
    def tail(self) -> Offset:
        """The visible end of the log."""
        return Offset(self.epoch, self.visible)

    @property
    def earliest(self) -> Offset:
        """The offset of the first event that the log still has."""
        return Offset(self.epoch, self.start + 1)

    def append(self, base: int, events: Sequence[Event]) -> bool:
        """Add events that follow `base`. False: events before them are missing, and nothing was added.

        Loaded and committed events are joined by offset, never by timing: a load may already hold a commit whose
        notice is still on its way. The overlap is dropped.
        """
        if base > self.head:
            return False
        if base < self.head:
            events = events[self.head - base :]
        if events:
            self.events += events
            self.head += len(events)
            size = 0
            for event in events:
                size += getsizeof(event.data)
            self.size += size
            self.memory.size += size
            self._inform(events)
        return True

    def _inform(self, events: Sequence[Event]) -> None:
        """Show the observers what is new. The visible head has not moved yet, so no reader was given any of it."""
        for observe in tuple(self.observers):
            observe(events, Offset(self.epoch, self.head))

    def redact(self, named: Sequence[tuple[int, str]], redactions: int) -> None:
        """Replace redacted events, given as number and type, in the window, and have them announced to the readers.

        `redactions` is how many the log has had. Each takes about 100 bytes while the topic is followed: the last flush
        announced the first `said` of them.
        """
        for n, type in named:
            if self.base < n <= self.head:
                before = self.events[n - self.base - 1]
                after = redacted_event(self.name, Offset(self.epoch, n), type, before.time)
                size = getsizeof(after.data) - getsizeof(before.data)
                self.size += size
                self.memory.size += size
                self.events[n - self.base - 1] = after
        self.redacted += named
        self.redactions = redactions
        self._inform(self.announcements(len(self.redacted) - len(named), len(self.redacted)))

    def announcements(self, a: int, b: int) -> list[Event]:
        """The announcements a <= i < b of redacted events. They have no offset, so they move no reader's position."""
        now = time()
        events = [redacted_event(self.name, Offset(self.epoch, n), type, now) for n, type in self.redacted[a:b]]
        return [msgspec.structs.replace(event, offset=None) for event in events]

    def locate(self, offset: Offset) -> Offset:
        """The offset itself; or, of an earlier life that has the same events up to there, the offset in this life."""
        for epoch, shared in self.lives:
            if offset.epoch == epoch and offset.n <= shared:
                return Offset(self.epoch, offset.n)
        return offset

    def trim(self) -> None:
        """Drop the oldest events of a window that is twice as large as it should be."""
        if len(self.events) > 2 * WINDOW_EVENTS or self.size > 2 * WINDOW_BYTES:
            self.shrink(WINDOW_EVENTS, WINDOW_BYTES)

    def shrink(self, most_events: int, most_bytes: int) -> None:
        """Drop the oldest events until this many are left; never one above `visible`, which level readers need."""
        drop, size = 0, self.size
        limit = self.visible - self.base
        while drop < limit and (len(self.events) - drop > most_events or size > most_bytes):
            size -= getsizeof(self.events[drop].data)
            drop += 1
        del self.events[:drop]
        self.base += drop
        self.memory.size -= self.size - size
        self.size = size

    def slice(self, a: int, b: int) -> Sequence[Event]:
        """The events a < n <= b, all of which the window holds."""
        return self.events[a - self.base : b - self.base]

    def reach(self, a: int, b: int) -> int:
        """The largest n <= b such that the window's events a < i <= n hold at most PAGE_BYTES; at least a + 1."""
        if self.size <= PAGE_BYTES:
            return b
        return self.base + fit(self.events, a - self.base, b - self.base)

    async def woken(self) -> None:
        """Wait until there may be something new."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiters.add(waiter)
        try:
            await waiter
        finally:
            # A cancelled waiter is removed here: a topic may be silent for ever.
            self.waiters.discard(waiter)

    def wake(self) -> None:
        """Let every waiting iterator look again."""
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_result(None)
        self.waiters.clear()


def fit(events: Sequence[Event], a: int, b: int) -> int:
    """The largest index <= b such that `events[a:index]` holds at most PAGE_BYTES; at least a + 1."""
    room = PAGE_BYTES
    for i in range(a, b):
        room -= len(events[i].data) + 64
        if room < 0:
            return max(i, a + 1)
    return b
