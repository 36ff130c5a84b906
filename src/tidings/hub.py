"""The hub: publish to topics, follow topics. A wake-up and a tail window over the log; the log is the queue."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from functools import cached_property
from time import monotonic, time
from typing import TYPE_CHECKING, Any, Final, Literal, Self

import msgspec

from .errors import Unavailable
from .events import MESSAGE, ORIGIN, Event, Offset, Page, Retention
from .flush import Flusher
from .lane import WINDOW_EVENTS, Lane
from .log import valid_data, valid_topic, valid_type
from .pages import Pages
from .position import Position, Reset
from .stores import open_store
from .stores.base import Appended, Cast, Head, Log, Store
from .subscription import Subscription
from .wheel import Wheel

if TYPE_CHECKING:
    from .runs import Runs

log = logging.getLogger("tidings.hub")

Start = Literal["earliest", "tail"]
TAIL: Final = "tail"
EARLIEST: Final = "earliest"

LANES_IDLE = 1024
"""Topics that nobody reads now but whose windows stay warm for those who come back."""
SWEEP = 10.0


class Hub:
    """Durable topics over one store, for one event loop. Use it as an async context manager, or `hub.lifespan`.

    `store` is a URL (`sqlite:///tidings.db`, `memory:`) or a Store. Several processes may open the same database;
    what one publishes, readers of the others have within 20 ms.
    `keep_alive`: seconds of silence before a comment is sent. `retry`: the range, in seconds, of the reconnection time
    that a stream tells its client; random within it, so that a thousand clients do not come back in the same instant.
    `drain_window`: seconds over which open streams are closed when the process is asked to go.
    `retention`: of topics that were given none of their own.
    """

    def __init__(
        self,
        store: str | Store = "memory:",
        *,
        keep_alive: float = 15.0,
        retry: tuple[float, float] = (1.0, 4.0),
        drain_window: float = 2.0,
        retention: Retention | None = None,
    ) -> None:
        self.store = open_store(store) if isinstance(store, str) else store
        self.log = Log(self.store)
        self.keep_alive = keep_alive
        self.retry = retry
        self.drain_window = drain_window
        self.retention = retention
        self.pages = Pages(self.log)
        self.subscriptions: set[Subscription] = set()
        self.lanes: dict[str, Lane] = {}
        self.draining = False
        self.on_drain: list[Callable[[], None]] = []
        self.on_close: list[Callable[[], Coroutine[Any, Any, None]]] = []
        self.wheel: Wheel
        self.flusher: Flusher
        self.opened = False
        self.published = 0
        self._tasks: set[asyncio.Task[Any]] = set()

    @cached_property
    def runs(self) -> Runs:
        """AI generations whose events are topics that end."""
        from .runs import Runs  # The one import against the arrows: runs are built on the hub, and found on it.

        return Runs(self)

    # Life.

    async def open(self) -> Self:
        """Open the store and begin to follow it. Raises Unavailable or Invalid when it cannot be opened."""
        self.wheel = Wheel()
        self.flusher = Flusher()
        await self.log.open()
        self.log.on_commit = self._committed
        self.log.on_delete = self._deleted
        self.opened = True
        self.background(self._follow_changes())
        self.background(self._sweep())
        return self

    async def close(self) -> None:
        """End streams and runs, then close the store. Everything acknowledged is durable."""
        if not self.opened:
            return
        self.draining = True
        for close in self.on_close:
            await close()
        for subscription in list(self.subscriptions):
            subscription.end(clean=False)
        self.opened = False
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.wheel.stop()
        await self.log.close()

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @asynccontextmanager
    async def lifespan(self, app: object = None) -> AsyncGenerator[None, None]:
        """For `FastAPI(lifespan=hub.lifespan)` or `Starlette(lifespan=hub.lifespan)`."""
        async with self:
            yield

    def behind(self) -> int:
        """How many open streams are catching up."""
        return sum(not any(s in p.lane.level for p in s.positions) for s in self.subscriptions)

    def background(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run `work` until it ends or the hub closes. The hub holds it: a task that nobody holds may be collected."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._background_done)
        return task

    def _background_done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("a background task of the hub failed", exc_info=task.exception())

    def drain(self) -> None:
        """Close the open streams in random order over `drain_window` seconds; their clients come back elsewhere.

        Idempotent, and safe to call from the loop's signal callbacks. A stream of a run that has not ended is closed
        without its final chunk, so that nobody takes the end for the end of the answer.
        """
        if self.draining:
            return
        self.draining = True
        for callback in self.on_drain:
            callback()
        streams = list(self.subscriptions)
        random.shuffle(streams)
        if streams:
            self.background(self._drain(streams))

    async def _drain(self, streams: list[Subscription]) -> None:
        began = monotonic()
        for i, stream in enumerate(streams):
            wait = began + self.drain_window * i / len(streams) - monotonic()
            if wait > 0.02:
                await asyncio.sleep(wait)
            stream.depart()

    # Publishing.

    async def publish(
        self,
        topic: str,
        data: Any,
        type: str = MESSAGE,
        *,
        key: str | None = None,
        expected: str | Offset | None = None,
        close: bool = False,
    ) -> Offset:
        """Append one event. When this returns, it is stored as durably as the store promises.

        `data` is text, kept exactly, or anything else JSON can say. With the same `key` again within 24 h nothing is
        appended and the first offset is returned. `expected`: append only to this life of the log, or only at this
        offset. `close`: no event will ever follow. Raises Invalid, Conflict, Closed, Unavailable, Uncertain.
        """
        text = data if isinstance(data, str) else msgspec.json.encode(data).decode()
        appended = await self.append(topic, [(type, text)], expected=expected, key=key, close=close)
        return appended.last

    async def append(
        self,
        topic: str,
        items: Sequence[tuple[str, str]],
        *,
        expected: Any = None,
        key: str | None = None,
        close: bool = False,
        retention: Retention | None = None,
        ttl: float | None = None,
    ) -> Appended:
        """Append events `(type, data)` in one commit: all or nothing, and without another's event between them."""
        done = await self.log.append(
            topic, items, expected=expected, key=key, close=close, retention=retention or self.retention, ttl=ttl
        )
        self.published += len(items)
        return done

    async def cast(self, topic: str, data: Any, type: str = MESSAGE) -> None:
        """Publish a transient event: to whoever follows the topic now, in any process; never stored."""
        text = valid_data(data if isinstance(data, str) else msgspec.json.encode(data).decode())
        payload = (valid_type(type), text, time())
        self._cast(valid_topic(topic), *payload)
        await self.store.cast(topic, msgspec.msgpack.encode(payload))

    def _cast(self, topic: str, type: str, data: str, at: float) -> None:
        lane = self.lanes.get(topic)
        if lane is not None and lane.level:
            lane.casts.append(Event(None, type, data, at))
            self.flusher.arm(lane)

    # Topics.

    async def read(self, topic: str, after: Offset | None = None, limit: int = 1000) -> Page:
        """One page of events after an offset; None: from the earliest. Raises NotFound, Unavailable."""
        return await self.log.read(valid_topic(topic), after, limit)

    async def describe(self, topic: str) -> Head | None:
        return await self.log.describe(valid_topic(topic))

    async def configure(self, topic: str, *, retention: Retention | None = None, ttl: float | None = None) -> Head:
        return await self.log.configure(valid_topic(topic), retention=retention, ttl=ttl)

    async def close_topic(self, topic: str) -> Head:
        return await self.log.close_topic(valid_topic(topic))

    async def delete(self, topic: str) -> None:
        await self.log.delete(valid_topic(topic))

    async def topics(self, prefix: str = "", after: str = "", limit: int = 1000) -> list[str]:
        """The next topics in byte order; the last of them is the next `after`. Empty: there are no more."""
        return await self.log.topics(prefix, after, limit)

    # Following.

    async def subscribe(self, topic: str, after: Offset | Start | None = None) -> AsyncGenerator[Event, None]:
        """Every event after `after` (None: from the earliest), in order, once; ends when the topic is closed and read.

        Where events are gone, a `tidings.reset` event says so, as on the wire, and it goes on from the earliest.
        """
        position = await self.follow(topic, after or EARLIEST)
        lane = position.lane
        try:
            while True:
                step = position.step(self.pages)
                if step is None:
                    # Armed before any await that could let the visible head move: no wake-up is lost.
                    waiter = self.flusher.loop.create_future()
                    lane.waiters.append(waiter)
                    await waiter
                elif step == "load":
                    await self.load(position)
                elif step == "end":
                    return
                elif isinstance(step, Reset):
                    data = {"topic": topic, "reason": step.reason, "earliest": str(step.earliest)}
                    at = Offset(position.epoch, position.n)
                    yield Event(at, "tidings.reset", msgspec.json.encode(data).decode(), time())
                else:
                    for event in step.events:
                        yield event
        finally:
            self.unfollow(position)

    async def follow(self, topic: str, start: Offset | Start) -> Position:
        """A position in the topic, whose lane is kept until `unfollow`. Raises Invalid, Unavailable."""
        lane = self.lanes.get(topic)
        if lane is None:
            # In the dictionary first, loaded then: a commit meanwhile marks it stale and it is loaded again.
            lane = self.lanes[topic] = Lane(valid_topic(topic))
            lane.opening = self.flusher.loop.create_future()
            self.background(self._open_lane(lane, lane.opening))
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

    async def _open_lane(self, lane: Lane, opened: asyncio.Future[None]) -> None:
        try:
            lane.stale = True
            while lane.stale:
                lane.stale = False
                lane.begin(await self.log.describe(lane.name))
        except Exception as error:
            self.lanes.pop(lane.name, None)
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

    def _forget_idle_lanes(self) -> None:
        if len(self.lanes) > LANES_IDLE and not len(self.lanes) % 64:
            idle = [name for name, lane in self.lanes.items() if not lane.readers and lane.opening is None]
            for name in idle[: max(len(idle) - LANES_IDLE, 0)]:
                del self.lanes[name]

    async def _position(self, lane: Lane, start: Offset | Start) -> Position:
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
        lane = self.lanes.get(topic)
        if lane is None:
            return
        if lane.opening is not None:
            lane.stale = True
            return
        if head.epoch != lane.epoch:
            lane.begin(head, base.n)
            self._restart(lane)
        if not lane.append(base.n, events):
            self._reload_soon(lane)
            return
        self._moved(lane, head)

    def _moved(self, lane: Lane, head: Head) -> None:
        lane.start = max(lane.start, head.start)
        lane.closed = lane.closed or (head.closed and lane.head >= head.tail)
        if lane.readers:
            self.flusher.arm(lane)
        elif not lane.state:
            lane.vis = lane.head
            lane.trim()

    def _deleted(self, topic: str) -> None:
        lane = self.lanes.get(topic)
        if lane is None:
            return
        if lane.opening is not None:
            lane.stale = True
        elif lane.epoch != ORIGIN.epoch:
            lane.begin(None)
            self._restart(lane)

    def _restart(self, lane: Lane) -> None:
        """Another life of the log: every reader finds its own way into it."""
        for subscription in list(lane.level):
            subscription.kick()
        lane.wake()

    def _reload_soon(self, lane: Lane) -> None:
        lane.stale = True
        if lane.reloading is None and lane.opening is None:
            lane.reloading = self.background(self._reload(lane))

    async def reload(self, lane: Lane) -> None:
        """Bring the lane level with the store. Raises Unavailable."""
        self._reload_soon(lane)
        if lane.reloading is not None:
            await asyncio.shield(lane.reloading)

    async def _reload(self, lane: Lane) -> None:
        try:
            while lane.stale:
                lane.stale = False
                head = await self.log.describe(lane.name)
                if head is None:
                    self._deleted(lane.name)
                    continue
                if head.epoch != lane.epoch:
                    lane.begin(head)
                    self._restart(lane)
                elif head.tail - lane.head > WINDOW_EVENTS:
                    # Too far behind for the window: its readers catch up page by page.
                    lane.begin(head)
                    self._restart(lane)
                elif head.tail > lane.head:
                    await self._extend(lane, head)
                self._moved(lane, head)
        finally:
            lane.reloading = None

    async def _extend(self, lane: Lane, head: Head) -> None:
        while lane.head < head.tail and lane.epoch == head.epoch:
            base = lane.head
            page = await self.log.read(lane.name, Offset(head.epoch, base), head.tail - base)
            if page.lost is not None or not page.events:
                lane.stale = True
                lane.begin(head)
                self._restart(lane)
                return
            if lane.epoch == head.epoch:
                lane.append(base, page.events)

    async def _follow_changes(self) -> None:
        async for change in self.store.changes():
            if change is None:
                for lane in list(self.lanes.values()):
                    self._reload_soon(lane)
            elif isinstance(change, Cast):
                self._cast(change.topic, *msgspec.msgpack.decode(change.payload))
            else:
                for topic, tail in change.items():
                    known = self.lanes.get(topic)
                    if known is not None and not self._knows(known, tail):
                        self._reload_soon(known)

    def _knows(self, lane: Lane, tail: Offset | None) -> bool:
        if tail is None:
            return lane.epoch == ORIGIN.epoch and lane.opening is None
        return lane.epoch == tail.epoch and lane.head >= tail.n and lane.opening is None

    async def _sweep(self) -> None:
        """Trim by age and expire topics, now and then; what an append can trim, it trims itself."""
        while True:
            await asyncio.sleep(SWEEP)
            try:
                await self.log.sweep()
            except Unavailable as error:
                log.warning("the sweep is put off: %s", error)
