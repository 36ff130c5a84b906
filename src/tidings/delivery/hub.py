"""The hub: publish to topics, follow topics. A wake-up and a tail window over the log; the log is the queue."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from time import monotonic, time
from typing import Any, NamedTuple, Self

import msgspec
from msgspec import UNSET, UnsetType

from tidings.errors import Unavailable
from tidings.events import MESSAGE, Event, Offset, Page, Retention
from tidings.log.head import Head
from tidings.log.journal import Journal
from tidings.log.names import valid_data, valid_topic, valid_type
from tidings.log.port import Leases, Store
from tidings.log.rules import Appended
from tidings.stores import open_store

from .position import Position, Reset
from .subscription import Subscription
from .timer_wheel import TimerWheel
from .topics import EARLIEST, Start, Topics

log = logging.getLogger("tidings.hub")


SWEEP = 10.0


class Counts(NamedTuple):
    """The work of one process: events published and delivered, and writes, since the start; open streams, streams that
    are catching up, and topics whose recent events are at hand, now."""

    published: int
    delivered: int
    writes: int
    streams: int
    behind: int
    topics: int


class Hub:
    """Durable topics over one store, for one event loop. Use it as an async context manager, or `hub.lifespan`.

    `store` is a URL (`sqlite:///tidings.db`, `memory:`) or a Store. Several processes may open the same database;
    what one publishes, readers of the others have within 20 ms.
    `keep_alive`: seconds of silence before a comment is sent. `retry`: the range, in seconds, of the reconnection time
    that a stream tells its client; random within it, so that a thousand clients do not come back in the same instant.
    `drain_window`: seconds over which open streams are closed when the process is asked to go.
    `retention`: that of topics which begin without one of their own; it changes no topic that exists.
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
        self._log = Journal(self.store, retention=retention)
        self.keep_alive = keep_alive
        self.retry = retry
        self.drain_window = drain_window
        self.subscriptions: set[Subscription] = set()
        self.draining = False
        self.on_drain: list[Callable[[bool], None]] = []
        self.on_close: list[Callable[[], Coroutine[Any, Any, None]]] = []
        self.wheel: TimerWheel
        self.loop: asyncio.AbstractEventLoop
        self.lanes: Topics
        self.opened = False
        self.published = 0
        self._tasks: set[asyncio.Task[Any]] = set()

    # Life.

    async def open(self) -> Self:
        """Open the store and begin to follow it. Raises Unavailable or InvalidRequest when it cannot be opened."""
        self.wheel = TimerWheel()
        self.loop = asyncio.get_running_loop()
        await self._log.open()
        self.lanes = Topics(self._log, self.background)
        self.opened = True
        self.background(self.lanes.follow_changes())
        self.background(self._sweep())
        self.background(self._drain_when_lost())
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
        self.lanes.wake()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.wheel.stop()
        await self._log.close()

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @asynccontextmanager
    async def lifespan(self, app: object = None) -> AsyncGenerator[None, None]:
        """For `FastAPI(lifespan=hub.lifespan)` or `Starlette(lifespan=hub.lifespan)`."""
        async with self:
            yield

    def must_be_open(self) -> None:
        """Raises Unavailable, in words for whoever mounts the hub, if it is not; RuntimeError off its event loop."""
        if not self.opened:
            raise Unavailable(
                "This hub is not open: give the app `lifespan=hub.lifespan`, or use `async with hub`. The lifespan of "
                "an app that is mounted in another is not run, so it is the outer app's that counts."
            )
        if asyncio.get_running_loop() is not self.loop:
            raise RuntimeError(
                "A hub belongs to the event loop that opened it. In a thread, use "
                "`anyio.from_thread.run(hub.publish, …)` or "
                "`asyncio.run_coroutine_threadsafe(hub.publish(…), hub.loop)`."
            )

    @property
    def log(self) -> Journal:
        """The logs of the store. Raises Unavailable while the hub is not open."""
        self.must_be_open()
        return self._log

    @property
    def leases(self) -> Leases:
        """The deadlines by which processes show that they live, in the store."""
        return self.store

    async def probe(self) -> float | None:
        """Prove that the store can be written; return the seconds since the last change known here. See the port.

        Raises Unavailable.
        """
        return await self.log.store.probe()

    async def lost(self) -> str:
        """Wait until the store is gone for good, and return the sentence that says why."""
        return await self.log.store.lost()

    def listen(self, topic: str, callback: Callable[[str, str], None]) -> None:
        """Call `callback(type, data)` for each transient event of the topic that reaches this process."""
        self.lanes.listeners[topic] = callback

    def counts(self) -> Counts:
        """The work of this process so far, and its open streams at this moment."""
        flusher = self.lanes.flusher if self.opened else None
        return Counts(
            published=self.published,
            delivered=flusher.deliveries if flusher else 0,
            writes=flusher.writes if flusher else 0,
            streams=len(self.subscriptions),
            behind=self.behind(),
            topics=len(self.lanes) if self.opened else 0,
        )

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

    def drain(self, *, hurry: bool = False) -> None:
        """Close the open streams in random order over `drain_window` seconds; their clients come back elsewhere.

        Idempotent, and safe to call from the loop's signal callbacks. A stream of a run that has not ended is closed
        without its final chunk, so that nobody takes the end for the end of the answer. `hurry`: all of it now, also
        what is left of a drain that has begun, and runs have no grace.
        """
        if self.draining and not hurry:
            return
        self.draining = True
        for callback in self.on_drain:
            callback(hurry)
        streams = list(self.subscriptions)
        random.shuffle(streams)
        if hurry:
            for stream in streams:
                stream.depart()
        elif streams:
            self.background(self._drain(streams))

    async def _drain_when_lost(self) -> None:
        """End the streams, and refuse new ones, once the store is gone for good."""
        await self.lost()
        for subscription in list(self.subscriptions):
            subscription.end(clean=False)
        self.drain(hurry=True)

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
        offset. `close`: no event will ever follow. Raises InvalidRequest, Conflict, Closed, Unavailable,
        OutcomeUnknown.
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
        retention: Retention | UnsetType = UNSET,
        ttl: float | UnsetType | None = UNSET,
        owner: str = "",
    ) -> Appended:
        """Append events `(type, data)` in one commit: all or nothing, and without another's event between them."""
        done = await self.log.append(
            topic, items, expected=expected, key=key, close=close, retention=retention, ttl=ttl, owner=owner
        )
        self.published += len(items)
        return done

    async def cast(self, topic: str, data: Any, type: str = MESSAGE) -> None:
        """Publish a transient event: to whoever follows the topic now, in any process; never stored."""
        text = valid_data(data if isinstance(data, str) else msgspec.json.encode(data).decode())
        payload = (valid_type(type), text, time())
        self.must_be_open()
        self.lanes.cast(valid_topic(topic), *payload)
        await self.store.cast(topic, msgspec.msgpack.encode(payload))

    # Topics.

    async def read(self, topic: str, after: Offset | None = None, limit: int = 1000) -> Page:
        """One page of events after an offset; None: from the earliest. Raises NotFound, Unavailable."""
        return await self.log.read(valid_topic(topic), after, limit)

    async def read_before(self, topic: str, before: Offset | None = None, limit: int = 1000) -> Page:
        """The last `limit` events up to an offset (None: the tail), or fewer. Raises NotFound, Unavailable."""
        return await self.log.read_before(valid_topic(topic), before, limit)

    async def describe(self, topic: str) -> Head | None:
        return await self.log.describe(valid_topic(topic))

    async def configure(
        self,
        topic: str,
        *,
        retention: Retention | UnsetType = UNSET,
        ttl: float | UnsetType | None = UNSET,
        expected: str | None = None,
    ) -> Head:
        """Change the retention, the ttl or both (None: for ever), creating the topic if there is none."""
        return await self.log.configure(valid_topic(topic), retention=retention, ttl=ttl, expected=expected)

    async def close_topic(self, topic: str) -> Head:
        return await self.log.close_topic(valid_topic(topic))

    async def delete(self, topic: str) -> None:
        await self.log.delete(valid_topic(topic))

    async def topics(self, prefix: str = "", after: str = "", limit: int = 1000) -> list[str]:
        """The next topics in byte order; the last of them is the next `after`. Empty: there are no more."""
        return await self.log.topics(prefix, after, limit)

    async def heads(self, prefix: str = "", after: str = "", limit: int = 1000) -> list[tuple[str, Head]]:
        """The same topics, with the ends of their logs."""
        return await self.log.heads(prefix, after, limit)

    # Following.

    async def subscribe(self, topic: str, after: Offset | Start | None = None) -> AsyncGenerator[Event, None]:
        """Every event after `after` (None: from the earliest), in order, once; ends when the topic is closed and read.

        Where events are gone, a `tidings.reset` event says so, as on the wire, and it goes on from the earliest. Raises
        Unavailable when the hub is closed before the topic is.
        """
        position = await self.follow(topic, after or EARLIEST)
        lane = position.lane
        try:
            while True:
                step = position.step(self.lanes.pages)
                if step is None:
                    if not self.opened:
                        raise Unavailable("The hub is closed.")
                    # Armed before any await that could let the visible head move: no wake-up is lost.
                    await lane.woken()
                elif step == "load":
                    await self.lanes.load(position)
                elif step == "end":
                    return
                elif isinstance(step, Reset):
                    data = {"topic": topic, "reason": step.reason, "earliest": str(step.earliest)}
                    at = Offset(position.epoch, position.n)
                    yield Event(topic, at, "tidings.reset", msgspec.json.encode(data).decode(), time())
                else:
                    for event in step.events:
                        yield event
        finally:
            self.unfollow(position)

    async def follow(self, topic: str, start: Offset | Start) -> Position:
        """A position in the topic, which is kept at hand until `unfollow`. Raises InvalidRequest, Unavailable."""
        self.must_be_open()
        return await self.lanes.follow(topic, start)

    def unfollow(self, position: Position) -> None:
        self.lanes.unfollow(position)

    def observe(self, topic: str, observer: Callable[[Sequence[Event], Offset], None]) -> Callable[[], None]:
        """Call `observer(events, tail)` for new events of a topic before any reader in this process is given them.

        The events are empty at the first call, which is made at once, and where events were skipped or another life of
        the log began. The topic must be followed (`follow`) until the function that this returns has ended it. An
        observer neither waits nor raises.
        """
        return self.lanes.observe(topic, observer)

    async def _sweep(self) -> None:
        """Trim by age and expire topics, now and then; what an append can trim, it trims itself."""
        while True:
            await asyncio.sleep(SWEEP)
            try:
                await self.log.sweep()
            except Unavailable as error:
                log.warning("the sweep is put off: %s", error)
