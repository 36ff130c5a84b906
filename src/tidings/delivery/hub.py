"""The hub: publish to topics and follow them. The log is the queue; the hub wakes its readers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from functools import partial
from time import time
from typing import Any, Literal, Self, overload

import msgspec
from msgspec import UNSET, UnsetType

from tidings.errors import InvalidRequest, NotFound, Unavailable
from tidings.events import MESSAGE, Event, Offset, Page, Retention, Topic
from tidings.log.head import Head
from tidings.log.journal import Journal
from tidings.log.names import EARLIEST, TAIL, After, pairs_of, parse_after, text_of
from tidings.log.port import Leases, Store
from tidings.log.rules import Appended, Expected
from tidings.stores import open_store

from .delivery import Delivery
from .memory import WINDOWS, WRITES
from .position import Reset, reset_data

log: logging.Logger = logging.getLogger("tidings.hub")

State = Literal["closed", "open", "draining"]


class Hub:
    """Topics over one store, for one event loop at a time: the hub of `tidings.api` without its runs."""

    def __init__(
        self,
        store: str | Store = "memory:",
        *,
        keep_alive: float = 15.0,
        retry: tuple[float, float] = (1.0, 4.0),
        drain_window: float = 2.0,
        stream_life: float | None = None,
        retention: Retention | None = None,
        window_bytes: int = WINDOWS,
        write_bytes: int = WRITES,
    ) -> None:
        self._store = open_store(store) if isinstance(store, str) else store
        self._retention = retention
        self._deliver: Callable[[Journal], Delivery] = partial(
            Delivery,
            keep_alive=keep_alive,
            retry=retry,
            drain_window=drain_window,
            stream_life=stream_life,
            window_bytes=window_bytes,
            write_bytes=write_bytes,
        )
        self._journal: Journal | None = None
        self._delivery: Delivery | None = None
        self._opening = False
        self._change: asyncio.Future[None] | None = None
        """The opening or closing that is under way: the next change waits for its end."""

    # Opening and closing.

    async def open(self) -> Self:
        """Open the store and begin to follow it.

        Raises Unavailable or InvalidRequest if the store cannot be opened, RuntimeError if the hub is open already.
        """
        if self._delivery is not None or self._opening:
            raise RuntimeError("This hub is open already.")
        self._opening = True
        try:
            async with self._alone():
                journal = Journal(self._store, retention=self._retention)
                await journal.open()
                self._journal = journal
                self._delivery = self._deliver(journal)
                self._delivery.start()
                self._delivery.background(self._drain_when_lost(self._delivery))
        finally:
            self._opening = False
        return self

    async def close(self) -> None:
        """End the runs and the open streams, then close the store. Idempotent. Every acknowledged event is durable.

        An `open` that is under way is waited for, and then undone.
        """
        async with self._alone():
            await self._close()

    @asynccontextmanager
    async def _alone(self) -> AsyncGenerator[None, None]:
        """Wait until the hub is neither being opened nor closed, and let no other change begin meanwhile."""
        while self._change is not None:
            await asyncio.wait([self._change])
        change = self._change = asyncio.get_running_loop().create_future()
        try:
            yield
        finally:
            self._change = None
            change.set_result(None)

    async def _close(self) -> None:
        delivery, journal = self._delivery, self._journal
        if delivery is None or journal is None:
            return
        delivery.draining = True
        self._delivery = None
        await delivery.close()
        await journal.close()

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @asynccontextmanager
    async def lifespan(self, app: object = None) -> AsyncGenerator[None, None]:
        """The hub's life as an app's: `FastAPI(lifespan=hub.lifespan)` or `Starlette(lifespan=hub.lifespan)`."""
        async with self:
            yield

    @property
    def state(self) -> State:
        """`draining` from the first call of `drain` or `close` until the hub is closed."""
        if self._delivery is None:
            return "closed"
        return "draining" if self._delivery.draining else "open"

    def drain(self, *, hurry: bool = False) -> None:
        """Close the open streams in random order over the drain window; their clients resume in another process.

        Idempotent, and safe to call from the loop's signal callbacks. Each stream is closed without the end of its
        body, so that no client takes it for the end of its topics. `hurry`: close all of them now, also those that a
        drain under way has left.
        """
        if self._delivery is not None:
            self._delivery.drain(hurry=hurry)

    async def _drain_when_lost(self, delivery: Delivery) -> None:
        """End the streams, and refuse new ones, once the store is gone for good."""
        await delivery.lost()
        self.drain(hurry=True)

    # Parts for Tidings' own packages. They may change in any release.

    @property
    def delivery(self) -> Delivery:
        """The streams and background tasks. Raises Unavailable while the hub is closed, RuntimeError in another
        event loop."""
        if self._delivery is None:
            raise Unavailable(
                "This hub is not open: give the app `lifespan=hub.lifespan`, or use `async with hub`. An app that is "
                "mounted in another does not run its own lifespan, so give it to the outer app."
            )
        if asyncio.get_running_loop() is not self._delivery.loop:
            raise RuntimeError(
                "A hub belongs to the event loop that opened it. In a thread, use "
                "`anyio.from_thread.run(hub.publish, …)`, or `asyncio.run_coroutine_threadsafe(hub.publish(…), loop)` "
                "with that loop."
            )
        return self._delivery

    @property
    def log(self) -> Journal:
        """The logs of the store. Raises as `delivery`."""
        _ = self.delivery
        assert self._journal is not None
        return self._journal

    @property
    def leases(self) -> Leases:
        """The deadlines in the store by which processes show that they are alive."""
        return self._store

    # Publishing.

    @overload
    async def publish(
        self,
        topic: str,
        data: Any,
        type: str = ...,
        *,
        transient: Literal[False] = False,
        key: str | None = None,
        expected: Literal[Expected.NEW] | str | Offset | None = None,
        close: bool = False,
    ) -> Offset: ...

    @overload
    async def publish(self, topic: str, data: Any, type: str = ..., *, transient: Literal[True]) -> None: ...

    async def publish(
        self,
        topic: str,
        data: Any,
        type: str = MESSAGE,
        *,
        transient: bool = False,
        key: str | None = None,
        expected: Literal[Expected.NEW] | str | Offset | None = None,
        close: bool = False,
    ) -> Offset | None:
        """Append one event and return its offset once it is stored as durably as the store promises.

        `data`: text, which is kept exactly, or another value that JSON can hold, which is stored as JSON. `key`: the
        same key again within 24 h appends nothing and returns the first offset. `expected`: append only to a new topic
        (`NEW`), only to this epoch, or only at this offset. `close`: close the topic with this event. `transient`:
        write the event to those who follow the topic now, store it nowhere and return None.

        Raises InvalidRequest or TooLarge for what breaks a rule, Conflict for what is not as expected, Closed,
        Unavailable if the event was not stored, OutcomeUnknown if it may have been.
        """
        if not transient:
            return (await self.log.append(topic, [(type, text_of(data))], expected=expected, key=key, close=close)).last
        if close or not (key is None and expected is None):
            raise InvalidRequest("A transient event takes no `key`, no `expected` and no `close`.")
        await self.delivery.publish_transient(topic, text_of(data), type)
        return None

    async def publish_many(
        self,
        topic: str,
        events: Iterable[tuple[str, Any]],
        *,
        key: str | None = None,
        expected: Literal[Expected.NEW] | str | Offset | None = None,
        close: bool = False,
    ) -> Appended:
        """Append events, given as `(type, data)` pairs, in one commit: all of them or none, next to each other.

        The parameters and errors are those of `publish`. Returns the first and the last offset, and whether the key
        was seen before.
        """
        items = [(type, text_of(data)) for type, data in pairs_of(events)]
        return await self.log.append(topic, items, expected=expected, key=key, close=close)

    # Reading.

    async def read(self, topic: str, after: After = EARLIEST, limit: int = 1000) -> Page:
        """Return a page: at most `limit` events after `after`, in order.

        `after`: an offset or its text, `"earliest"`, `"tail"`, or `-N` for the last N events. Raises InvalidRequest,
        NotFound, Unavailable.
        """
        start = parse_after(after)
        if isinstance(start, Offset):
            return await self.log.read(topic, start, limit)
        page = await self.log.read(topic, None, limit if start == EARLIEST else 1)
        if start == EARLIEST:
            return page
        back = 0 if start == TAIL else -start
        n = max(page.earliest.n - 1, page.tail.n - back)
        return await self.log.read(topic, Offset(page.tail.epoch, n), limit)

    async def subscribe(self, topic: str, after: After = TAIL) -> AsyncGenerator[Event, None]:
        """Every event after `after`, in order and once. The iterator ends when the topic is closed and read.

        `after`: an offset or its text, `"earliest"`, `"tail"`, or `-N` for the last N events. A topic that does not
        exist yet is waited for. Where events are gone, the iterator yields an event of type `tidings.reset`, whose data
        is `{"topic", "reason", "earliest"}`, and goes on from the earliest. When an event is redacted, the iterator
        yields an event of type `tidings.redacted` without an offset. Transient events are not yielded.

        Raises InvalidRequest; Unavailable when the hub is closed before the topic is, or the store cannot be read.
        """
        delivery = self.delivery
        topics = delivery.topics
        position = await delivery.follow(topic, parse_after(after))
        live = position.live
        try:
            while True:
                step = position.step(topics.pages)
                if step is None:
                    if topics.closed:
                        raise Unavailable("The hub is closed.")
                    # No await between the look that found nothing and this: no wake-up is lost.
                    await live.woken()
                elif step == "load":
                    await topics.load(position)
                elif step == "end":
                    return
                elif isinstance(step, Reset):
                    data = msgspec.json.encode(reset_data(topic, step)).decode()
                    yield Event(topic, Offset(position.epoch, position.n), "tidings.reset", data, time())
                else:
                    for event in step.events:
                        yield event
        finally:
            delivery.unfollow(position)

    # Topics.

    async def describe(self, topic: str) -> Topic:
        """The topic as it is now. Raises NotFound, InvalidRequest, Unavailable."""
        return _described(topic, await self.log.describe(topic))

    async def configure(
        self, topic: str, *, retention: Retention | UnsetType = UNSET, ttl: float | UnsetType | None = UNSET
    ) -> Topic:
        """Set the retention, the time to live in seconds (None: for ever), or both; what is not given stays.

        Creates the topic if there is none. Raises InvalidRequest, Unavailable, OutcomeUnknown.
        """
        return _described(topic, await self.log.configure(topic, retention=retention, ttl=ttl))

    async def redact(self, topic: str, offset: Offset | str) -> None:
        """Remove the content of an event, given by its offset or the text of it, for good. Idempotent.

        The event keeps its offset, type and time.
        From now on the event is read as `tidings.redacted`. Open streams, in every process, get an event of that type
        without an id within a second. Raises NotFound if there is no such event, or it is trimmed; Unavailable,
        OutcomeUnknown.
        """
        await self.log.redact(topic, Offset.parse(offset) if isinstance(offset, str) else offset)
        await asyncio.sleep(0)  # in this turn of the loop the recent events in memory change, too

    async def close_topic(self, topic: str) -> Topic:
        """Let no further event into the topic; its streams end once they have read it. Idempotent.

        Raises NotFound, InvalidRequest, Unavailable, OutcomeUnknown.
        """
        return _described(topic, await self.log.close_topic(topic))

    async def delete(self, topic: str) -> None:
        """Delete the topic with its events; those who follow it get a reset. Idempotent.

        Raises InvalidRequest, Unavailable, OutcomeUnknown.
        """
        await self.log.delete(topic)

    async def topics(self, prefix: str = "", after: str = "", limit: int = 1000) -> list[str]:
        """The next topics in byte order. The last of them is the next `after`; an empty list: there are no more."""
        return await self.log.topics(prefix, after, limit)


def _text(data: Any) -> str:
    return data if isinstance(data, str) else msgspec.json.encode(data).decode()


def _described(topic: str, head: Head | None) -> Topic:
    if head is None:
        raise NotFound(f"There is no topic {topic}.", topic=topic)
    return Topic(
        name=topic,
        earliest=Offset(head.epoch, head.start + 1),
        tail=Offset(head.epoch, head.tail),
        closed=head.closed,
        retention=head.retention,
        ttl=head.ttl,
        owner=head.owner,
    )
