"""The delivery of an open hub: its live topics, its open streams, and the tasks and timers that serve both."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Coroutine, Sequence
from time import monotonic, time
from typing import Any, NamedTuple, Protocol

import msgspec

from tidings.errors import Unavailable
from tidings.events import MESSAGE, Event, Offset
from tidings.log.journal import Journal
from tidings.log.names import Start, text_of, valid_data, valid_topic, valid_type

from .memory import WINDOWS, WRITES, WindowMemory, WriteMemory
from .position import Position
from .timer_wheel import TimerWheel
from .topics import Topics

log: logging.Logger = logging.getLogger("tidings.delivery")

SWEEP = 10.0
"""Seconds between two sweeps of the logs for what is too old."""


class Counts(NamedTuple):
    """The work of one process.

    Since the start: events `published` here, events `delivered` to streams, and `writes` that carried them. Now: open
    `streams`, those of them that are `behind`, `topics` whose recent events are in memory; the bytes of memory of these
    events, and of what slow readers keep, and the limits of both.
    """

    published: int = 0
    delivered: int = 0
    writes: int = 0
    streams: int = 0
    behind: int = 0
    topics: int = 0
    window_bytes: int = 0
    window_limit: int = 0
    write_bytes: int = 0
    write_limit: int = 0


class OpenStream(Protocol):
    """A stream as the delivery ends it."""

    @property
    def level(self) -> bool:
        """True if every event known here has been written."""

    def close(self) -> None:
        """Close the connection before the end of the body. The client comes back and resumes."""


class Delivery:
    """The parts with which an open hub delivers. A hub makes a new object at each opening, for that event loop.

    `keep_alive`: seconds of silence before a comment is written to a stream. `retry`: the range, in seconds, of the
    reconnection time that a stream tells its client. `drain_window`: seconds over which `drain` closes the streams.
    `stream_life`: seconds after which a stream is closed at the latest; None: there is no such time. `window_bytes`,
    `write_bytes`: the most memory for recent events, and for what slow readers keep.
    """

    def __init__(
        self,
        journal: Journal,
        *,
        keep_alive: float = 15.0,
        retry: tuple[float, float] = (1.0, 4.0),
        drain_window: float = 2.0,
        stream_life: float | None = None,
        window_bytes: int = WINDOWS,
        write_bytes: int = WRITES,
    ) -> None:
        self.keep_alive = keep_alive
        self.retry = retry
        self.drain_window = drain_window
        self.stream_life = stream_life
        self.draining: bool = False
        self.loop: asyncio.AbstractEventLoop = asyncio.get_running_loop()
        self.topics: Topics = Topics(journal, self.background, WindowMemory(window_bytes))
        self.write_memory: WriteMemory = WriteMemory(write_bytes)
        self.wheel: TimerWheel = TimerWheel()
        self.streams: set[OpenStream] = set()
        self._journal = journal
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self) -> None:
        """Begin to follow other processes' changes, and to sweep the logs."""
        self.background(self.topics.follow_changes())
        self.background(self._sweep())

    async def close(self) -> None:
        """End every stream and every background task."""
        for stream in list(self.streams):
            stream.close()
        self.topics.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.wheel.stop()

    def background(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run `work` until it ends or the hub closes. The task is held here, or it might be collected."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._background_done)
        return task

    def _background_done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("A background task of the hub failed.", exc_info=task.exception())

    async def follow(self, topic: str, start: Start) -> Position:
        """A position in the topic, whose recent events stay in memory until `unfollow`.

        Raises InvalidRequest or Unavailable.
        """
        return await self.topics.follow(topic, start)

    def unfollow(self, position: Position) -> None:
        """Give back a position that `follow` gave."""
        self.topics.unfollow(position)

    def observe(self, topic: str, observer: Callable[[Sequence[Event], Offset], None]) -> Callable[[], None]:
        """Call `observer(events, tail)` for new events of a topic before any reader in this process is given them.

        The events are empty at the first call, which is made at once, and where events were skipped or another life of
        the log began. The topic must be followed (`follow`) until the function that this returns has ended it. An
        observer neither waits nor raises.
        """
        return self.topics.observe(topic, observer)

    async def publish_transient(self, topic: str, data: Any, type: str = MESSAGE) -> None:
        """Write an event to those who follow the topic now, in any process, and store it nowhere.

        Raises InvalidRequest, TooLarge or Unavailable.
        """
        text = valid_data(text_of(data))
        event = (valid_type(type), text, time())
        self.topics.write_transient(valid_topic(topic), *event)
        await self._journal.store.cast(topic, msgspec.msgpack.encode(event))

    def listen(self, topic: str, callback: Callable[[str, str], None]) -> None:
        """Call `callback(type, data)` for each transient event of the topic that reaches this process."""
        self.topics.listeners[topic] = callback

    async def probe(self) -> float | None:
        """Prove that the store can be written; return the seconds since the last change known here. See the port.

        Raises Unavailable.
        """
        return await self._journal.store.probe()

    async def size(self) -> int:
        """Return the bytes that the store takes. Raises Unavailable."""
        return await self._journal.store.size()

    async def lost(self) -> str:
        """Wait until the store is gone for good, and return the sentence that says why."""
        return await self._journal.store.lost()

    def counts(self) -> Counts:
        """The work of this process so far, and its open streams at this moment."""
        return Counts(
            published=self._journal.published,
            delivered=self.topics.flusher.deliveries,
            writes=self.topics.flusher.writes,
            streams=len(self.streams),
            behind=sum(not stream.level for stream in self.streams),
            topics=len(self.topics),
            window_bytes=self.topics.memory.size,
            window_limit=self.topics.memory.limit,
            write_bytes=self.write_memory.size,
            write_limit=self.write_memory.limit,
        )

    # Draining.

    def drain(self, *, hurry: bool = False) -> None:
        """Close the open streams in random order over the drain window; `hurry`: all of them now."""
        if self.draining and not hurry:
            return
        self.draining = True
        streams = list(self.streams)
        random.shuffle(streams)
        if hurry:
            for stream in streams:
                stream.close()
        elif streams:
            self.background(self._drain(streams))

    async def _drain(self, streams: Sequence[OpenStream]) -> None:
        began = monotonic()
        for i, stream in enumerate(streams):
            wait = began + self.drain_window * i / len(streams) - monotonic()
            if wait > 0.02:
                await asyncio.sleep(wait)
            stream.close()

    async def _sweep(self) -> None:
        """Trim by age and expire topics, every SWEEP seconds. An append trims the rest itself."""
        while True:
            await asyncio.sleep(SWEEP)
            try:
                await self._journal.sweep()
            except Unavailable as error:
                log.warning("The sweep is put off: %s", error)
