"""A store in this process's memory: for tests, demos, and what may be lost with the process."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import AsyncIterator, Callable, Sequence
from itertools import islice
from math import inf
from operator import attrgetter

from tidings.clock import steady_time, unix_time
from tidings.errors import Unavailable
from tidings.events import ORIGIN, Offset
from tidings.log.port import KEYS, PAGE, News, Plan
from tidings.log.rules import Head, Known, Record

from .feed import Feeds


class MemoryStore:
    """Every promise of the port but durability. Its lock is that nothing here awaits."""

    def __init__(self, *, clock: Callable[[], float] = unix_time, steady: Callable[[], float] = steady_time) -> None:
        self._clock = clock
        self._steady = steady
        self._logs: dict[str, _Kept] = {}
        self._leases: dict[str, float] = {}
        self._feeds = Feeds()
        self._closed = False
        self._changed: float | None = None

    async def open(self) -> None:
        return None

    async def close(self) -> None:
        self._closed = True
        self._feeds.close()

    async def load(self, topic: str) -> Head | None:
        self._check()
        return self._known(topic, ()).head

    def update(self, topic: str, keys: Sequence[str], plan: Plan) -> asyncio.Future[Known]:
        done: asyncio.Future[Known] = asyncio.get_running_loop().create_future()
        try:
            self._check()
            done.set_result(self._update(topic, keys, plan))
        except Exception as error:
            done.set_exception(error)
        return done

    async def read(self, topic: str, after: int, limit: int) -> tuple[Head | None, Sequence[Record]]:
        self._check()
        kept = self._logs.get(topic)
        if kept is None:
            return None, ()
        found: list[Record] = []
        size = 0
        for record in islice(kept.records, kept.first_after(after), None):
            if found and (record.base >= after + limit or size >= PAGE):
                break
            found.append(record)
            size += len(record.blob)
        return kept.head, found

    async def topics(self, prefix: str = "", after: str = "", limit: int = 1000) -> Sequence[tuple[str, Head]]:
        self._check()
        names = sorted(name for name in self._logs if name.startswith(prefix) and name > after)
        return [(name, self._logs[name].head) for name in names[:limit]]

    def changes(self) -> AsyncIterator[News]:
        return self._feeds.follow()

    async def probe(self) -> float | None:
        self._check()
        return self._changed

    async def lost(self) -> str:
        never: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        return await never

    async def cast(self, topic: str, payload: bytes) -> None:
        """There is no other process."""

    async def lease(self, topic: str, seconds: float, *, renew: bool) -> bool:
        self._check()
        if renew and topic not in self._leases:
            return False
        self._leases[topic] = self._steady() + seconds
        return True

    async def release(self, topic: str, *, lapsed: bool = False) -> None:
        self._check()
        if not lapsed or self._leases.get(topic, inf) <= self._steady():
            self._leases.pop(topic, None)

    async def lapsed(self, limit: int = 100) -> Sequence[str]:
        self._check()
        now = self._steady()
        late = sorted((deadline, topic) for topic, deadline in self._leases.items() if deadline <= now)
        return [topic for _, topic in late[:limit]]

    def _check(self) -> None:
        if self._closed:
            raise Unavailable("The store is closed.")

    def _known(self, topic: str, keys: Sequence[str]) -> Known:
        kept = self._logs.get(topic)
        if kept is None:
            return Known(None)
        seen = {}
        for key in keys:
            first, last, since = kept.keys.get(key, (0, 0, -KEYS))
            if since > self._clock() - KEYS:
                seen[key] = first, last
        return Known(kept.head, seen)

    def _update(self, topic: str, keys: Sequence[str], plan: Plan) -> Known:
        known = self._known(topic, keys)
        change = plan(known)
        if change is None:
            return known
        self._changed = self._clock()
        if change.head is None or change.fresh:
            self._logs.pop(topic, None)
            self._leases.pop(topic, None)
        if change.head is None:
            self._feeds.changed_here({topic: None})
            return Known(None)
        kept = self._logs.setdefault(topic, _Kept(change.head))
        if change.head.start != kept.head.start:
            del kept.records[: kept.first_after(change.head.start)]
        kept.head = change.head
        if change.record:
            kept.records.append(change.record)
        for key, first, last in change.keys:
            kept.forget(self._clock() - KEYS)
            kept.keys[key] = first, last, self._clock()
        self._feeds.changed_here({topic: Offset(change.head.epoch, change.head.tail) if change.record else ORIGIN})
        return Known(change.head)


class _Kept:
    """One log. `keys`: span and time of each, in the order of time."""

    def __init__(self, head: Head) -> None:
        self.head = head
        self.records: list[Record] = []
        self.keys: dict[str, tuple[int, int, float]] = {}

    def first_after(self, n: int) -> int:
        """The index of the first record with `last > n`."""
        return bisect_right(self.records, n, key=attrgetter("last"))

    def forget(self, before: float) -> None:
        while self.keys and (oldest := next(iter(self.keys.items())))[1][2] <= before:
            del self.keys[oldest[0]]
