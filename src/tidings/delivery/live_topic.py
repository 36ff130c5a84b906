"""A lane: one topic as this process sees it. A tail window of recent events, the readers level with it, its own rhythm.

Three numbers say where the lane is: `base` (the window starts after it), `head` (the durable tail known here) and
`vis`, the visible head: what the last flush handed out. Readers join at `vis`, never at `head`, so that one flush
writes the same bytes to all of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from tidings.events import ORIGIN, Event, Offset
from tidings.log.head import Head

if TYPE_CHECKING:
    from .position import Position
    from .subscription import Subscription

WINDOW_EVENTS = 1024
WINDOW_BYTES = 1 << 20
PAGE = 400
"""Events a page. PageCache end at multiples of it, so that readers at different offsets share bytes after their first,
partial page: private pages cost 2.5 times the CPU in a storm and 705 ms of live latency (docs/design.md, Delivery)."""
PAGE_BYTES = 1 << 16
"""A flush or page is cut here: it is what one transport buffer takes before it asks to pause, and so the memory that
one slow reader may cost."""

IDLE, ARMED, FLUSHING = range(3)


class LiveTopic:
    """What this process knows of one topic. All methods run on the loop's thread and never wait."""

    __slots__ = (
        "base",
        "casts",
        "closed",
        "epoch",
        "events",
        "flush_at",
        "head",
        "level",
        "life",
        "name",
        "observers",
        "opening",
        "readers",
        "reloading",
        "size",
        "stale",
        "start",
        "state",
        "vis",
        "waiters",
        "wanted",
    )

    def __init__(self, name: str) -> None:
        self.name = name
        self.level: dict[Subscription, Position] = {}
        self.waiters: set[asyncio.Future[None]] = set()
        self.casts: list[Event] = []
        self.readers = 0
        self.state = IDLE
        self.flush_at = 0.0
        self.opening: asyncio.Future[None] | None = None
        self.reloading: asyncio.Task[None] | None = None
        self.wanted: list[asyncio.Future[None]] = []
        self.stale = False
        self.life = 0
        self.observers: list[Callable[[Sequence[Event], Offset], None]] = []
        self.begin(None)

    def begin(self, head: Head | None, tail: int | None = None) -> None:
        """Start over at `tail` (default: the head's) of the life `head` describes; None: there is no such log now.

        `life` moves on, so that a flush which is under way writes no more of what it began with.
        """
        self.life += 1
        self.epoch, self.start = (head.epoch, head.start) if head else ORIGIN
        self.closed = head.closed if head else False
        self.base = self.head = self.vis = (head.tail if head else 0) if tail is None else tail
        self.events: list[Event] = []
        self.size = 0
        self._inform(())

    @property
    def tail(self) -> Offset:
        """The visible end of the log."""
        return Offset(self.epoch, self.vis)

    @property
    def earliest(self) -> Offset:
        return Offset(self.epoch, self.start + 1)

    def append(self, base: int, events: Sequence[Event]) -> bool:
        """Add events that follow `base`; False if there is a hole before them, and nothing was added.

        The join of what is loaded and what is committed here is by offset, never by timing: a load may already hold
        a commit whose notice has yet to come. The overlap is dropped.
        """
        if base > self.head:
            return False
        if base < self.head:
            events = events[self.head - base :]
        if events:
            self.events += events
            self.head += len(events)
            for event in events:
                self.size += len(event.data)
            self._inform(events)
        return True

    def _inform(self, events: Sequence[Event]) -> None:
        """Show the observers what is new. The visible head has not moved yet, so that no reader was given any of it."""
        for observe in tuple(self.observers):
            observe(events, Offset(self.epoch, self.head))

    def trim(self) -> None:
        """Forget the oldest events of the window; never above `vis`, where level readers still need them."""
        if len(self.events) <= 2 * WINDOW_EVENTS and self.size <= 2 * WINDOW_BYTES:
            return
        drop, size = 0, self.size
        limit = self.vis - self.base
        while drop < limit and (len(self.events) - drop > WINDOW_EVENTS or size > WINDOW_BYTES):
            size -= len(self.events[drop].data)
            drop += 1
        del self.events[:drop]
        self.base += drop
        self.size = size

    def slice(self, a: int, b: int) -> Sequence[Event]:
        """The events a < n <= b, all of which the window holds."""
        return self.events[a - self.base : b - self.base]

    def reach(self, a: int, b: int) -> int:
        """The largest n <= b such that the window's events a < n hold at most PAGE_BYTES; at least a + 1."""
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
            # Who gives up waiting leaves nothing behind: a topic may be silent for ever.
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
