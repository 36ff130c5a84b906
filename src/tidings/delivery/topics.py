"""The lanes of one process: opened from the store, kept level with it, forgotten when nobody reads them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final, Literal

import msgspec

from tidings.errors import Unavailable
from tidings.events import ORIGIN, Event, Offset
from tidings.log.head import Head
from tidings.log.journal import Journal
from tidings.log.names import valid_topic
from tidings.log.port import Cast

from .flusher import Flusher
from .live_topic import WINDOW_BYTES, WINDOW_EVENTS, LiveTopic
from .page_cache import PageCache
from .position import Position

log = logging.getLogger("tidings.lanes")

Start = Literal["earliest", "tail"]
TAIL: Final = "tail"
EARLIEST: Final = "earliest"

IDLE_KEPT = 1024
"""Topics that nobody reads now but whose windows stay warm for those who come back."""

RETRY = 1.0
"""Seconds until a store that did not answer is asked again."""


class Topics:
    """Every topic that this process follows, and what moves it: commits made here, and news of others'."""

    def __init__(self, log: Journal, background: Callable[[Coroutine[Any, Any, Any]], asyncio.Task[Any]]) -> None:
        self.log = log
        self.pages = PageCache(log)
        self.flusher = Flusher()
        self._background = background
        self._lanes: dict[str, LiveTopic] = {}
        self.listeners: dict[str, Callable[[str, str], None]] = {}
        """By topic, who hears its transient events in this process beside its readers: called with type and data."""
        log.on_commit = self._committed
        log.on_delete = self._deleted

    def __len__(self) -> int:
        return len(self._lanes)

    async def follow(self, topic: str, start: Offset | Start) -> Position:
        """A position in the topic, whose lane is kept until `unfollow`. Raises InvalidRequest, Unavailable."""
        lane = self._lanes.get(topic)
        if lane is None:
            # In the dictionary first, loaded then: a commit meanwhile marks it stale and it is loaded again.
            lane = self._lanes[topic] = LiveTopic(valid_topic(topic))
            lane.opening = self.flusher.loop.create_future()
            self._background(self._open_lane(lane, lane.opening))
            self._forget_idle_lanes()
        lane.readers += 1
        try:
            if lane.opening is not None:
                await asyncio.shield(lane.opening)
            return await self._position(lane, start)
        except BaseException:
            lane.readers -= 1
            raise

    def unfollow(self, position: Position) -> None:
        position.lane.readers -= 1

    def observe(self, topic: str, observer: Callable[[Sequence[Event], Offset], None]) -> Callable[[], None]:
        """See `Hub.observe`."""
        observers = self._lanes[topic].observers
        observers.append(observer)
        observer((), Offset(self._lanes[topic].epoch, self._lanes[topic].head))
        return lambda: observers.remove(observer)

    def wake(self) -> None:
        """Let every waiting iterator look again, at whether the hub is still open."""
        for lane in self._lanes.values():
            lane.wake()

    async def _open_lane(self, lane: LiveTopic, opened: asyncio.Future[None]) -> None:
        try:
            lane.begin(await self.log.describe(lane.name))
        except Exception as error:
            self._lanes.pop(lane.name, None)
            opened.set_exception(error)
            opened.exception()
        except asyncio.CancelledError:
            opened.set_exception(Unavailable("This process is going away."))
            opened.exception()
            raise
        else:
            opened.set_result(None)
        finally:
            lane.opening = None
        if lane.stale:
            # Not looked at again before it opens: beside a publisher in a hurry no look is ever the last.
            self._reload_soon(lane)

    def _forget_idle_lanes(self) -> None:
        if len(self._lanes) > IDLE_KEPT and not len(self._lanes) % 64:
            idle = [name for name, lane in self._lanes.items() if not lane.readers and lane.opening is None]
            for name in idle[: max(len(idle) - IDLE_KEPT, 0)]:
                del self._lanes[name]

    async def _position(self, lane: LiveTopic, start: Offset | Start) -> Position:
        """A position in the lane. An offset beyond what is visible is looked up in the store before it is believed
        to be of another life: its commit may only not have reached this process."""
        if start == TAIL:
            return Position(lane, lane.tail)
        if start == EARLIEST:
            return Position(lane, Offset(lane.epoch, lane.start) if lane.epoch != ORIGIN.epoch else ORIGIN)
        assert isinstance(start, Offset)
        position = Position(lane, start)
        if start.epoch != lane.epoch or start.n > lane.head:
            await self.reload(lane)
            position.ahead = start.epoch == lane.epoch and start.n > lane.head
        return position

    async def load(self, position: Position) -> None:
        """Bring the page a position needs from the store. Raises Unavailable."""
        lane = position.lane
        page = await self.pages.load(lane, position.n)
        if page.lost == "trimmed" and page.next.epoch == lane.epoch:
            lane.start = max(lane.start, page.earliest.n - 1)
        elif page.lost is not None:
            await self.reload(lane)
        elif not page.events:
            raise Unavailable("The store has not given the events it has announced.")

    # What moves a lane: commits of this process, news of others'.

    def _committed(self, topic: str, head: Head, base: Offset, events: Sequence[Event]) -> None:
        lane = self._lanes.get(topic)
        if lane is None:
            return
        if lane.opening is not None:
            lane.stale = True
            return
        if lane.epoch == ORIGIN.epoch:
            lane.begin(head, base.n)
            self._born(lane)
        # A life this process did not see begin, or the notice of one that another has since ended: the store knows.
        if head.epoch != lane.epoch or not lane.append(base.n, events):
            self._reload_soon(lane)
            return
        self._moved(lane, head)

    def _moved(self, lane: LiveTopic, head: Head) -> None:
        lane.start = max(lane.start, head.start)
        lane.closed = lane.closed or (head.closed and lane.head >= head.tail)
        if lane.readers:
            self.flusher.arm(lane)
        elif not lane.state:
            lane.vis = lane.head
            lane.trim()

    def _deleted(self, topic: str) -> None:
        lane = self._lanes.get(topic)
        if lane is None:
            return
        if lane.opening is not None:
            lane.stale = True
        elif lane.epoch != ORIGIN.epoch:
            lane.begin(None)
            self._restart(lane)

    def _born(self, lane: LiveTopic) -> None:
        """The log that readers waited for exists, from its first event: who was level is level. A pump for each would
        be a stampede: 1,000 of them hold the loop for 60 to 80 ms."""
        if lane.vis or lane.start:
            self._restart(lane)
            return
        for position in lane.level.values():
            position.epoch = lane.epoch

    def _restart(self, lane: LiveTopic) -> None:
        """Another life of the log: every reader finds its own way into it."""
        for subscription in list(lane.level):
            subscription.kick()
        lane.wake()

    def _reload_soon(self, lane: LiveTopic) -> None:
        lane.stale = True
        if lane.reloading is None and lane.opening is None:
            lane.reloading = self._background(self._reload(lane))

    async def reload(self, lane: LiveTopic) -> None:
        """Bring the lane level with the store as it is now. Raises Unavailable."""
        looked = self.flusher.loop.create_future()
        lane.wanted.append(looked)
        self._reload_soon(lane)
        await looked

    async def _reload(self, lane: LiveTopic) -> None:
        wanted: list[asyncio.Future[None]] = []
        failure = Unavailable("This process is going away.")
        try:
            while lane.stale:
                # Who wants a look waits for one that began after that, and for no more: beside another process that
                # publishes without a pause, the lane may be stale for as long.
                lane.stale = False
                wanted, lane.wanted = lane.wanted, []
                await self._look(lane)
                _resolve(wanted, None)
        except Unavailable as error:
            failure = error
            log.warning("%s is not level with its store, which is tried again: %s", lane.name, error)
            self._background(self._reload_later(lane))
        finally:
            lane.reloading = None
            _resolve([*wanted, *lane.wanted], failure)
            lane.wanted = []

    async def _reload_later(self, lane: LiveTopic) -> None:
        """What was announced must still be found, or readers would wait for it until the next announcement."""
        await asyncio.sleep(RETRY)
        self._reload_soon(lane)

    async def _look(self, lane: LiveTopic) -> None:
        life = lane.life
        head = await self.log.describe(lane.name)
        if lane.life != life:
            # A commit of this process has begun another life meanwhile: this look may be older than it.
            lane.stale = True
            return
        if head is None:
            self._deleted(lane.name)
            return
        # Too far behind for the window, its readers catch up page by page.
        if head.epoch != lane.epoch or head.tail - lane.head > WINDOW_EVENTS:
            lane.begin(head)
            self._restart(lane)
        elif not await self._extend(lane, head):
            lane.stale = True
            return
        self._moved(lane, head)

    async def _extend(self, lane: LiveTopic, head: Head) -> bool:
        """Add what is missing up to the head; False if the lane has begun another life over it."""
        life = lane.life
        while lane.head < head.tail:
            base = lane.head
            page = await self.log.read(lane.name, Offset(head.epoch, base), head.tail - base)
            if lane.life != life:
                return False
            if page.lost is not None or not page.events:
                lane.begin(head)
                self._restart(lane)
                return False
            lane.append(base, page.events)
            if lane.size > 2 * WINDOW_BYTES and lane.head < head.tail:
                # Too far behind for the window in bytes: none of this is visible yet, so none could be forgotten.
                lane.begin(head)
                self._restart(lane)
        return True

    async def follow_changes(self) -> None:
        """Hear of other processes' changes, for as long as the store is open."""
        async for change in self.log.store.changes():
            if change is None:
                for lane in list(self._lanes.values()):
                    self._reload_soon(lane)
            elif isinstance(change, Cast):
                self.cast(change.topic, *msgspec.msgpack.decode(change.payload))
            else:
                for topic, tail in change.items():
                    known = self._lanes.get(topic)
                    if known is not None and not self._knows(known, tail):
                        self._reload_soon(known)

    def _knows(self, lane: LiveTopic, tail: Offset | None) -> bool:
        if tail is None:
            return lane.epoch == ORIGIN.epoch and lane.opening is None
        return tail != ORIGIN and lane.epoch == tail.epoch and lane.head >= tail.n and lane.opening is None

    def cast(self, topic: str, type: str, data: str, at: float) -> None:
        if (hear := self.listeners.get(topic)) is not None:
            hear(type, data)
        lane = self._lanes.get(topic)
        if lane is not None and lane.level:
            lane.casts.append(Event(topic, None, type, data, at))
            self.flusher.arm(lane)


def _resolve(wanted: Sequence[asyncio.Future[None]], failure: Unavailable | None) -> None:
    for looked in wanted:
        if looked.done():
            continue
        if failure is None:
            looked.set_result(None)
        else:
            looked.set_exception(Unavailable(str(failure)))
