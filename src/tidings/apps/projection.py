"""The state of a topic: a fold of its log, begun at its last snapshot, and kept level in this process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

import msgspec

from tidings.delivery.hub import Hub
from tidings.errors import InvalidRequest, NotFound, TidingsError
from tidings.events import ORIGIN, Event, Offset, Retention
from tidings.log.names import parse_offset
from tidings.log.rules import Head

log = logging.getLogger("tidings.apps.folded")

EVERY = 500
"""Events after which a snapshot is written: a state is read from one, and from about as many events at most."""

KEPT = 1024
"""States that a process keeps, the last used."""

SNAPSHOTS = "snapshots"
"""The first segment of the topics that hold them: that of topic T is in `snapshots.T`."""

S = TypeVar("S")


class Snapshot(msgspec.Struct):
    """`state` is as it was at `offset`, by this version of its fold."""

    version: int
    offset: str
    state: msgspec.Raw


class Projection(Generic[S]):
    """A topic's state, and the offset of the last event in it: ORIGIN while there is no such topic."""

    __slots__ = ("lock", "offset", "pins", "saved", "state", "task", "topic")

    def __init__(self, topic: str, state: S) -> None:
        self.topic = topic
        self.state = state
        self.offset = ORIGIN
        self.saved = 0
        self.pins = 0
        self.lock = asyncio.Lock()
        self.task: asyncio.Task[None] | None = None

    def holds(self, tail: Offset) -> bool:
        """Whether it is at least as new as this."""
        return self.offset.epoch == tail.epoch and self.offset.n >= tail.n


class Projections(Generic[S]):
    """The states of topics of one kind. `new` makes the state before any event, `apply` changes it by the next one.

    `version` is the fold's: change it with the fold, and older snapshots are not read. `keep`: states that are kept.
    `changed` are called after every change with the events that made it; with none, when the topic was deleted.
    """

    def __init__(
        self, hub: Hub, new: Callable[[], S], apply: Callable[[S, Event], None], *, version: int, keep: int = KEPT
    ) -> None:
        self.hub = hub
        self.changed: list[Callable[[Projection[S], Sequence[Event]], None]] = []
        self._new, self._apply, self._version, self._keep = new, apply, version, keep
        self._decode: Callable[[msgspec.Raw], S] = msgspec.json.Decoder(type(new())).decode
        self._kept: dict[str, Projection[S]] = {}

    async def get(self, topic: str, *, fresh: bool = True, tail: Offset = ORIGIN) -> Projection[S]:
        """The topic's state. `fresh`: as new as its log was when this was called, whichever process wrote to it, or as
        `tail`, where one is given; otherwise a state that follows its topic will do. Raises Unavailable."""
        found = self._kept.pop(topic, None) or Projection(topic, self._new())
        self._kept[topic] = found  # at the end of the order: the first is the one longest unused
        self._forget()
        if fresh or found.task is None:
            await self._advance(found, tail)
        return found

    def kept(self, topic: str) -> Projection[S] | None:
        """The topic's state as it is known here, if it is."""
        return self._kept.get(topic)

    async def at(self, topic: str, tail: Offset) -> Projection[S]:
        """The topic's state, at least as new as `tail`: the store is asked only for what is missing."""
        found = self._kept.get(topic)
        return found if found is not None and found.holds(tail) else await self.get(topic, tail=tail)

    async def following(self, topic: str) -> Projection[S]:
        """The topic's state, which from now on follows its topic while it is kept. Raises Unavailable."""
        found = await self.get(topic, fresh=False)
        self.follow(found)
        return found

    def follow(self, found: Projection[S]) -> None:
        """Keep a state level with what this process knows of its topic. Idempotent."""
        if found.task is None and found.offset != ORIGIN and self.hub.opened:
            found.task = self.hub.background(self._follow(found, found.offset))

    def pin(self, found: Projection[S]) -> Callable[[], None]:
        """Keep a state, and level, until the function that this returns is called."""
        found.pins += 1
        self._kept.setdefault(found.topic, found)
        self.follow(found)

        def release() -> None:
            found.pins -= 1

        return release

    def _forget(self) -> None:
        if len(self._kept) > self._keep:
            for topic, found in list(self._kept.items())[: len(self._kept) - self._keep]:
                if not found.pins:
                    del self._kept[topic]
                    if found.task is not None:
                        found.task.cancel()

    # What moves a state: looking at the store, and following the topic. Both may be under way.

    async def _advance(self, found: Projection[S], tail: Offset) -> None:
        topic = found.topic
        async with found.lock:
            # Of many that wait, one looks, and by then the state may have followed its topic as far as they need.
            while tail == ORIGIN or not found.holds(tail):
                head = await self.hub.describe(topic)
                if head is None:
                    self._restart(found)
                    if not found.pins and self._kept.get(topic) is found:
                        del self._kept[topic]
                    return
                if found.offset.epoch != head.epoch:
                    self._restart(found)
                    await self._begin(found, head)
                if found.offset.epoch == head.epoch and found.offset.n >= head.tail:
                    self._save_now_and_then(found)
                    return
                try:
                    page = await self.hub.read(topic, None if found.offset == ORIGIN else found.offset)
                except NotFound:
                    continue
                if page.lost in (None, "trimmed") and page.next.epoch == head.epoch:
                    self._take(found, page.events, page.next)

    async def _follow(self, found: Projection[S], after: Offset) -> None:
        """Take what comes, as it comes."""
        try:
            async for event in self.hub.subscribe(found.topic, after):
                assert event.offset is not None
                if event.type == "tidings.reset" and event.offset.epoch != found.offset.epoch:
                    self._restart(found)
                self._take(found, () if event.type == "tidings.reset" else (event,), event.offset)
                self._save_now_and_then(found)
        except TidingsError as error:
            log.info("%s is followed no more: %s", found.topic, error)
        finally:
            found.task = None

    def _take(self, found: Projection[S], events: Iterable[Event], to: Offset) -> None:
        """Change the state by those of the events that it does not hold yet."""
        at = found.offset.n if found.offset.epoch == to.epoch else 0
        new = [event for event in events if event.offset is not None and event.offset.n > at]
        for event in new:
            self._apply(found.state, event)
        found.offset = max(Offset(to.epoch, at), to)
        if new:
            self._tell(found, new)

    def _restart(self, found: Projection[S]) -> None:
        if found.offset != ORIGIN:
            found.state, found.offset, found.saved = self._new(), ORIGIN, 0
            self._tell(found, ())

    def _tell(self, found: Projection[S], events: Sequence[Event]) -> None:
        for tell in self.changed:
            tell(found, events)

    # Snapshots. They spare reading a log whole, and nothing is lost without one.

    async def _begin(self, found: Projection[S], head: Head) -> None:
        """Begin at the topic's snapshot, if it has one of this life and version."""
        if head.tail - head.start < EVERY and not head.start:
            return
        try:
            page = await self.hub.read_before(f"{SNAPSHOTS}.{found.topic}", None, 1)
            snapshot = msgspec.json.decode(page.events[-1].data, type=Snapshot) if page.events else None
            if snapshot is None or snapshot.version != self._version:
                return
            offset, state = parse_offset(snapshot.offset), self._decode(snapshot.state)
        except (NotFound, InvalidRequest, msgspec.DecodeError):
            return
        if offset.epoch == head.epoch and offset.n <= head.tail and found.offset == ORIGIN:
            found.state, found.offset, found.saved = state, offset, offset.n

    def _save_now_and_then(self, found: Projection[S]) -> None:
        if found.offset.n - found.saved >= EVERY and self.hub.opened:
            found.saved = found.offset.n
            state = msgspec.Raw(msgspec.json.encode(found.state))
            data = msgspec.json.encode(Snapshot(self._version, str(found.offset), state)).decode()
            self.hub.background(self._save(found.topic, data))

    async def _save(self, topic: str, data: str) -> None:
        try:
            await self.hub.append(f"{SNAPSHOTS}.{topic}", [("snapshot", data)], retention=Retention(max_events=1))
        except TidingsError as error:
            log.warning("no snapshot of %s was written: %s", topic, error)
