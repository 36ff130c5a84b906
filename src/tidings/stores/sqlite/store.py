"""A store in one SQLite file, for any number of processes on one machine.

One thread writes: what waits for it, of any topic, becomes one transaction and one fsync (group commit). Two threads
read. A process that is frozen (not one that dies) inside a transaction stops the other writers until it goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import queue
import sqlite3
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from math import inf
from typing import Any, Concatenate, Literal, ParamSpec, TypeVar

from tidings.clock import unix_time
from tidings.errors import OutcomeUnknown, TidingsError, Unavailable
from tidings.log.port import Cast, News, Plan
from tidings.log.rules import Head, Known, Record
from tidings.stores.feed import Feeds

from .peers import News as Datagram
from .peers import Peers
from .reader import Reader, connect, kind
from .writer import Call, Lease, Release, Update, Writer, Written

READERS = 2

GROUP = 1_000
"""Calls that one transaction takes at most."""

POLL, POLL_ALONE = 1.0, 0.02
"""Seconds between two looks at the file for commits of other processes: with their datagrams, and without."""

GRACE = 0.05
"""Seconds that a datagram may take after the commit it tells of is visible."""

CLOSING = 10.0
"""Seconds for which `close` waits for the writer, should the disk hang."""

TIDY = 0.1
"""Seconds between two transactions that delete what dead logs have left."""

REASON = {
    "new": "The store is not open yet.",
    "gone": "The database was removed or replaced while it was open.",
    "closed": "The store is closed.",
}

logger = logging.getLogger("tidings")
P = ParamSpec("P")
T = TypeVar("T")


class SqliteStore:
    """A commit is on the disk. With durability "normal", a power cut (not a crash) may lose the last commits."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        durability: str = "full",
        clock: Callable[[], float] = unix_time,
    ) -> None:
        self._path = os.fspath(path)
        self._durability = durability
        self._clock = clock
        self._queue: queue.SimpleQueue[Call | None] = queue.SimpleQueue()
        self._waiting: dict[Call, asyncio.Future[Any]] = {}
        self._readers: queue.SimpleQueue[Reader] = queue.SimpleQueue()
        self._pool = ThreadPoolExecutor(READERS, "tidings-read")
        self._feeds = Feeds()
        self._peers = Peers(self._hear)
        self._heard = _Heard(0)
        self._tidied = 0.0
        self._file = (0, 0)
        self._state: Literal["new", "open", "gone", "closed"] = "new"

    async def open(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopped: asyncio.Future[None] = self._loop.create_future()
        self._closing: asyncio.Task[None] | None = None
        self._writer, bound, others = await self._loop.run_in_executor(self._pool, self._connect)
        self._state = "open"
        if bound:
            self._peers.listen()
            self._peers.meet(others)
        self._heard = _Heard(await self._read(Reader.commits))
        threading.Thread(target=self._write, name="tidings-write", daemon=True).start()
        self._poll = asyncio.create_task(self._look_now_and_then(bound))

    async def close(self) -> None:
        if self._state == "new":
            self._pool.shutdown(wait=False)
            return
        if self._closing is None:
            self._closing = asyncio.create_task(self._close())
        await asyncio.shield(self._closing)

    async def load(self, topic: str) -> Head | None:
        return await self._read(Reader.load, topic)

    def update(self, topic: str, keys: Sequence[str], plan: Plan) -> asyncio.Future[Known]:
        return self._call(Update(topic, keys, plan))

    async def read(self, topic: str, after: int, limit: int) -> tuple[Head | None, Sequence[Record]]:
        return await self._read(Reader.read, topic, after, limit)

    async def topics(self, prefix: str = "", after: str = "", limit: int = 1000) -> Sequence[tuple[str, Head]]:
        return await self._read(Reader.topics, prefix, after, limit)

    def changes(self) -> AsyncIterator[News]:
        return self._feeds.follow()

    async def cast(self, topic: str, payload: bytes) -> None:
        self._peers.cast(Cast(topic, payload))

    async def lease(self, topic: str, seconds: float, *, renew: bool) -> bool:
        held: bool = await self._call(Lease(topic, self._clock() + seconds, renew))
        return held

    async def release(self, topic: str, *, lapsed: bool = False) -> None:
        await self._call(Release(topic, self._clock() if lapsed else inf))

    async def lapsed(self, limit: int = 100) -> Sequence[str]:
        return await self._read(Reader.lapsed, self._clock(), limit)

    # ------------------------------------------------------------ reading: any of the pool's threads

    def _connect(self) -> tuple[Writer, bool, list[str]]:
        self._path = os.path.abspath(self._path)  # as of now: the application may change its directory later
        with contextlib.ExitStack() as opened:
            connections = []
            for _ in range(1 + READERS):
                connections.append(connect(self._path, self._durability))
                opened.callback(connections[-1].close)
            try:
                writer = Writer(connections[0], self._clock)
            except sqlite3.Error as error:
                raise kind(error) from None
            for connection in connections[1:]:
                self._readers.put(Reader(connection))
            file = os.stat(self._path)
            self._file = file.st_dev, file.st_ino
            opened.pop_all()
        return writer, self._peers.bind(self._path), self._peers.look()

    async def _read(self, what: Callable[Concatenate[Reader, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        if self._state != "open":
            raise Unavailable(REASON[self._state])

        def read() -> T:
            reader = self._readers.get()
            try:
                return what(reader, *args, **kwargs)
            except sqlite3.Error as error:
                raise kind(error) from None
            finally:
                self._readers.put(reader)

        return await self._loop.run_in_executor(self._pool, read)

    def _disconnect(self) -> None:
        for _ in range(READERS):
            self._readers.get().close()
        self._peers.remove()

    # ------------------------------------------------------------ writing: the writer's thread

    def _write(self) -> None:
        calls: deque[Call] = deque()
        stopping = False
        while calls or not stopping:
            stopping = self._gather(calls) or stopping
            if calls:
                stopping = not self._write_some(calls) or stopping
            if self._writer.untidy and not stopping:
                self._tidy()
        self._writer.close()
        self._post(self._stopped.set_result, None)

    def _gather(self, calls: deque[Call]) -> bool:
        """Takes what waits; if nothing is there to be done, waits. True: it was told to stop."""
        patience = TIDY if self._writer.untidy else None
        with contextlib.suppress(queue.Empty):
            while len(calls) < GROUP:
                call = self._queue.get_nowait() if calls else self._queue.get(timeout=patience)
                if call is None:
                    return True
                calls.append(call)
        return False

    def _write_some(self, calls: deque[Call]) -> bool:
        """One transaction. An error is the calls' and never the thread's. False: nobody is there to be told."""
        written, error, done = None, None, len(calls)
        try:
            written = self._writer.write(tuple(calls))
            done = written.calls
        except TidingsError as uncertain:
            error = uncertain
        except Exception as failure:
            error = kind(failure)
            logger.error("A transaction failed", exc_info=failure)
        return self._post(self._settle, [calls.popleft() for _ in range(done)], written, error)

    def _tidy(self) -> None:
        if time.monotonic() < self._tidied + TIDY:
            return
        self._tidied = time.monotonic()
        try:
            self._writer.tidy()
        except sqlite3.Error as error:  # what it leaves is nobody's, and it comes back
            logger.info("Tidying failed: %s", error)

    def _post(self, what: Callable[..., object], *args: object) -> bool:
        try:
            self._loop.call_soon_threadsafe(what, *args)
        except RuntimeError:  # the loop ended without close()
            return False
        return True

    # ------------------------------------------------------------ the loop's thread

    def _call(self, call: Call) -> asyncio.Future[Any]:
        answer: asyncio.Future[Any] = self._loop.create_future()
        if self._state == "open":
            self._waiting[call] = answer
            self._queue.put(call)
        else:
            answer.set_exception(Unavailable(REASON[self._state]))
        return answer

    def _settle(self, calls: list[Call], written: Written | None, failure: TidingsError | None) -> None:
        for call in calls:
            answer = self._waiting.pop(call, None)
            if answer is None or answer.done():
                continue
            if error := call.error or failure:
                answer.set_exception(error)
            else:
                answer.set_result(call.result)
        if written and written.tails:
            self._heard.add(written.number)
            self._feeds.changed_here(written.tails)
            self._peers.tell(written.number, written.tails)

    def _hear(self, news: Datagram) -> None:
        for number in news.commits:
            self._heard.add(number)
        if news.tails is None:
            self._feeds.look_at_all()
        elif news.tails:
            self._feeds.changed(news.tails)
        if news.cast:
            self._feeds.cast(news.cast)

    async def _look_now_and_then(self, bound: bool) -> None:
        """Finds commits that no datagram told of: their process died, was full, or cannot send any."""
        while True:
            await asyncio.sleep(POLL if bound else POLL_ALONE)
            with contextlib.suppress(Unavailable):
                number = await self._read(Reader.commits)
                if bound:
                    self._peers.meet(await self._loop.run_in_executor(self._pool, self._peers.look))
                    await asyncio.sleep(GRACE)
                if self._heard.missed(number):
                    self._feeds.look_at_all()
            if not await self._loop.run_in_executor(self._pool, self._still_there):
                # What is written from now on would be lost with this process, so nobody is told that it is kept.
                logger.critical("The database was removed or replaced while it was open. Restart this process.")
                self._state = "gone"
                return

    def _still_there(self) -> bool:
        try:
            file = os.stat(self._path)
        except OSError:
            return False
        return (file.st_dev, file.st_ino) == self._file

    async def _close(self) -> None:
        self._state = "closed"
        self._poll.cancel()
        self._writer.patience = 1.0
        self._queue.put(None)
        await asyncio.wait((self._stopped,), timeout=CLOSING)
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(OutcomeUnknown("The disk hangs: the events are stored once, or not at all."))
        self._waiting.clear()
        self._feeds.close()
        self._peers.close()
        await self._loop.run_in_executor(self._pool, self._disconnect)
        self._pool.shutdown(wait=False)


class _Heard:
    """Which commits this process has heard of: all up to `upto`, and those `ahead`, which came out of order."""

    def __init__(self, upto: int) -> None:
        self._upto = upto
        self._ahead: set[int] = set()

    def add(self, number: int) -> None:
        if number > self._upto:
            self._ahead.add(number)
        while self._upto + 1 in self._ahead:
            self._upto += 1
            self._ahead.remove(self._upto)

    def missed(self, number: int) -> bool:
        """Whether one up to `number` has not been heard of. It counts as heard from now on."""
        missed = number > self._upto
        if missed:
            self._upto = number
            self._ahead = {each for each in self._ahead if each > number}
            self.add(number)
        return missed
