"""A store in the memory of this process: for tests, demos, and logs that may be lost with the process."""

from __future__ import annotations

import asyncio
import heapq
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from itertools import islice
from math import inf
from operator import attrgetter

from tidings.clock import steady_time, unix_time
from tidings.errors import Unavailable
from tidings.events import ORIGIN, Offset
from tidings.log.head import Head, Known
from tidings.log.port import KEYS, PAGE, SEALED, Extras, News, Plan, Seal
from tidings.log.records import Record
from tidings.log.retention import due

from .feed import Feeds


class MemoryStore:
    """A store that keeps every promise of the port but durability. No method awaits, so that each is atomic."""

    def __init__(self, *, clock: Callable[[], float] = unix_time, steady: Callable[[], float] = steady_time) -> None:
        self._clock = clock
        self._steady = steady
        self._logs: dict[str, _Kept] = {}
        self._labels: dict[str, set[str]] = {}  # topics by label
        self._leases: dict[str, float] = {}
        self._due: list[tuple[float, str]] = []  # a heap: per log one entry, or few, none after the log is due
        self._keys: deque[tuple[float, str, str]] = deque()  # time, topic and key, nearly in the order of time
        self._feeds = Feeds()
        self._closed = False
        self._changed: float | None = None
        self._seal = Seal.OPEN

    async def open(self) -> None:
        if self._closed:
            self._closed, self._feeds = False, Feeds()

    async def close(self) -> None:
        self._closed = True
        self._feeds.close()

    async def load(self, topic: str) -> Head | None:
        self._check()
        return self._known(topic, ()).head

    def update(self, topic: str, keys: Sequence[str], plan: Plan) -> asyncio.Future[Known]:
        done: asyncio.Future[Known] = asyncio.get_running_loop().create_future()
        try:
            self._check_writable()
            done.set_result(self._update(topic, keys, plan))
        except Exception as error:
            done.set_exception(error)
        return done

    async def read(self, topic: str, after: int, limit: int) -> tuple[Head | None, Sequence[Record]]:
        self._check()
        kept = self._logs.get(topic)
        if kept is None:
            return None, ()
        records: list[Record] = []
        size = 0
        for record in islice(kept.records, kept.first_after(after), None):
            if records and (record.base >= after + limit or size >= PAGE):
                break
            records.append(record)
            size += len(record.blob)
        return kept.head, records

    async def topics(
        self, prefix: str = "", after: str = "", limit: int = 1000, labels: Sequence[str] | None = None
    ) -> Sequence[tuple[str, Head]]:
        self._check()
        among = self._logs if labels is None else set().union(*[self._labels.get(label, ()) for label in labels])
        names = sorted(name for name in among if name.startswith(prefix) and name > after)
        return [(name, self._logs[name].head) for name in names[:limit]]

    async def labels(self, prefix: str = "", after: str = "", limit: int = 1000) -> Sequence[str]:
        self._check()
        return sorted(label for label in self._labels if label.startswith(prefix) and label > after)[:limit]

    async def due(self, now: float, limit: int = 100) -> Sequence[tuple[str, Head]]:
        self._check()
        self._forget_keys()
        late: dict[str, float] = {}
        while self._due and self._due[0][0] <= now and len(late) < limit:
            _, topic = heapq.heappop(self._due)
            if kept := self._logs.get(topic):
                kept.queued = inf
                time = due(kept.head)
                if time is not None and time <= now:
                    late[topic] = time
                else:
                    self._queue(topic, kept)
        for topic in late:
            self._queue(topic, self._logs[topic])
        return [(topic, self._logs[topic].head) for topic in late]

    def changes(self) -> AsyncIterator[News]:
        return self._feeds.follow()

    async def extras(self, topic: str, first: int, last: int) -> Extras:
        self._check()
        kept = self._logs.get(topic)
        if kept is None:
            return Extras()
        keys = [(key, *span) for key, span in kept.keys.items() if first <= span[1] <= last]
        return Extras(keys, sorted(kept.labels))

    async def seal(self, seal: Seal | None = None) -> Seal:
        self._check()
        self._seal = seal or self._seal
        return self._seal

    async def probe(self) -> float | None:
        self._check_writable()
        return None if self._changed is None else self._steady() - self._changed

    async def size(self) -> int:
        self._check()
        return sum(kept.head.size for kept in self._logs.values())

    async def lost(self) -> str:
        never: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        return await never

    async def cast(self, topic: str, payload: bytes) -> None:
        """Do nothing: there is no other process."""

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

    async def lapsed(self, limit: int = 100, within: float = 0.0) -> Sequence[str]:
        self._check()
        now = self._steady() + within
        late = sorted((deadline, topic) for topic, deadline in self._leases.items() if deadline <= now)
        return [topic for _, topic in late[:limit]]

    def _check(self) -> None:
        if self._closed:
            raise Unavailable("The store is closed.")

    def _check_writable(self) -> None:
        self._check()
        if self._seal is not Seal.OPEN:
            raise Unavailable(SEALED)

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
        self._changed = self._steady()
        if change.head is None or change.fresh:
            if gone := self._logs.pop(topic, None):
                self._label(topic, gone, dict.fromkeys(gone.labels, False))
            self._leases.pop(topic, None)
        if change.head is None:
            self._feeds.changed_here({topic: None})
            return Known(None)
        kept = self._logs.setdefault(topic, _Kept(change.head))
        if change.head.start != kept.head.start:
            del kept.records[: kept.first_after(change.head.start)]
        kept.head = change.head
        for new in change.replaced:
            kept.records[bisect_left(kept.records, new.base, key=attrgetter("base"))] = new
        kept.records += change.records
        for key, first, last in change.keys:
            time = change.times.get(key, self._clock())
            kept.keys[key] = first, last, time
            self._keys.append((time, topic, key))
        self._label(topic, kept, change.labels)
        self._queue(topic, kept)
        self._feeds.changed_here({topic: Offset(change.head.epoch, change.head.tail) if change.records else ORIGIN})
        return Known(change.head)

    def _label(self, topic: str, kept: _Kept, labels: Mapping[str, bool]) -> None:
        for label, has in labels.items():
            if has:
                kept.labels.add(label)
                self._labels.setdefault(label, set()).add(topic)
            elif label in kept.labels:
                kept.labels.remove(label)
                self._labels[label].remove(topic)
                if not self._labels[label]:
                    del self._labels[label]

    def _forget_keys(self) -> None:
        before = self._clock() - KEYS
        while self._keys and self._keys[0][0] <= before:
            time, topic, key = self._keys.popleft()
            kept = self._logs.get(topic)
            if kept and kept.keys.get(key, (0, 0, inf))[2] <= time:
                del kept.keys[key]

    def _queue(self, topic: str, kept: _Kept) -> None:
        """See to it that `due` looks at a log in time. An entry that comes too early is replaced when it is looked at,
        so that appends which put the expiry off cost nothing."""
        time = due(kept.head)
        if time is not None and time < kept.queued:
            kept.queued = time
            heapq.heappush(self._due, (time, topic))


class _Kept:
    """A log. `keys`: the span and the time of each. `queued`: the time of its earliest entry in the heap."""

    def __init__(self, head: Head) -> None:
        self.head = head
        self.records: list[Record] = []
        self.labels: set[str] = set()
        self.keys: dict[str, tuple[int, int, float]] = {}
        self.queued = inf

    def first_after(self, n: int) -> int:
        """Return the index of the first record with `last > n`."""
        return bisect_right(self.records, n, key=attrgetter("last"))
