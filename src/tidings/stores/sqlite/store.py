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
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from math import inf
from time import monotonic
from typing import Any, Concatenate, Literal, ParamSpec, TypeVar

from tidings.clock import steady_time, unix_time
from tidings.errors import OutcomeUnknown, TidingsError, Unavailable
from tidings.log.head import Head, Known
from tidings.log.port import Cast, Extras, News, Plan, Seal
from tidings.log.records import Record
from tidings.stores.feed import Feeds

from .connection import DAMAGED as DAMAGED_CODES
from .connection import code, connect, meaning
from .file import DAMAGED, REMOVED, DatabaseFile
from .group_commit import GroupCommit
from .heard import Heard
from .peers import News as Datagram
from .peers import Peers
from .reader import Reader
from .reserve import Reserve
from .tidier import Tidier
from .writer import Call, Lease, Probe, Release, SealCall, Update, Writer, Written

READERS = 2

POLL, POLL_ALONE = 1.0, 0.02
"""Seconds between two looks at the file for commits of other processes: with their datagrams, and without."""

GRACE = 0.05
"""Seconds that a datagram may take after the commit it tells of is visible."""

WATCH = 0.5
"""Seconds between two looks that see whether the file is still in order."""

PROOF = 0.5
"""Seconds for which a write proves that the database can be written."""

CLOSING = 10.0
"""Seconds for which `close` waits for the writer, should the disk hang."""

REASON = {"new": "The store is not open yet.", "closed": "The store is closed."}

logger: logging.Logger = logging.getLogger("tidings")
P = ParamSpec("P")
T = TypeVar("T")


class SqliteStore:
    """The store in one SQLite file. An update that has returned is on the disk.

    With durability "normal", a power cut (not a crash) may lose the last commits. `clock` dates what is kept, `steady`
    measures leases.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        durability: str = "full",
        clock: Callable[[], float] = unix_time,
        steady: Callable[[], float] = steady_time,
    ) -> None:
        self._path = os.fspath(path)
        self._durability = durability
        self._clock = clock
        self._steady = steady
        self._waiting: dict[Call, asyncio.Future[Any]] = {}
        self._state: Literal["new", "open", "lost", "closed"] = "new"
        self._reason = REASON["new"]
        self._renew()

    def _renew(self) -> None:
        """Make the parts that live from `open` to `close`."""
        self._readers: queue.SimpleQueue[Reader] = queue.SimpleQueue()
        self._pool = ThreadPoolExecutor(READERS, "tidings-read")
        self._feeds = Feeds()
        self._peers = Peers(self._hear)
        self._heard = Heard(0)
        self._committed: float | None = None
        self._written = -inf

    async def open(self) -> None:
        if self._state == "closed":
            self._renew()
        self._loop = asyncio.get_running_loop()
        self._stopped: asyncio.Future[None] = self._loop.create_future()
        self._lost: asyncio.Future[str] = self._loop.create_future()
        self._closing: asyncio.Task[None] | None = None
        self._commits, self._heard, bound, others = await self._loop.run_in_executor(self._pool, self._connect)
        self._state = "open"
        self._commits.start(lambda: self._stopped.set_result(None))
        if bound:
            self._peers.listen()
            self._peers.meet(others)
        self._watching = [asyncio.create_task(self._look_for_commits(bound)), asyncio.create_task(self._watch_file())]

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

    async def topics(
        self, prefix: str = "", after: str = "", limit: int = 1000, labels: Sequence[str] | None = None
    ) -> Sequence[tuple[str, Head]]:
        return await self._read(Reader.topics, prefix, after, limit, labels)

    async def labels(self, prefix: str = "", after: str = "", limit: int = 1000) -> Sequence[str]:
        return await self._read(Reader.labels, prefix, after, limit)

    async def due(self, now: float, limit: int = 100) -> Sequence[tuple[str, Head]]:
        return await self._read(Reader.due, now, limit)

    def changes(self) -> AsyncIterator[News]:
        return self._feeds.follow()

    async def cast(self, topic: str, payload: bytes) -> None:
        self._peers.cast(Cast(topic, payload))

    async def lease(self, topic: str, seconds: float, *, renew: bool) -> bool:
        held: bool = await self._call(Lease(topic, seconds, renew))
        return held

    async def release(self, topic: str, *, lapsed: bool = False) -> None:
        await self._call(Release(topic, lapsed))

    async def lapsed(self, limit: int = 100, within: float = 0.0) -> Sequence[str]:
        return await self._read(Reader.lapsed, self._steady, limit, within)

    async def extras(self, topic: str, first: int, last: int) -> Extras:
        return await self._read(Reader.extras, topic, first, last)

    async def seal(self, seal: Seal | None = None) -> Seal:
        if seal:
            await self._call(SealCall(seal))
            return seal
        return await self._read(Reader.sealed)

    async def probe(self) -> float | None:
        if self._state == "open" and (reason := await self._loop.run_in_executor(self._pool, self._file.look)):
            self.lose(reason)
        if self._state != "open" or self._commits.full or monotonic() > self._written + PROOF:
            await self._call(Probe())
        return None if self._committed is None else self._steady() - self._committed

    async def size(self) -> int:
        if self._state != "open":
            raise Unavailable(self._reason)
        return await self._loop.run_in_executor(self._pool, self._file.size)

    async def lost(self) -> str:
        return await asyncio.shield(self._lost)

    # ------------------------------------------------------------ reading: any of the pool's threads

    def _connect(self) -> tuple[GroupCommit, Heard, bool, list[str]]:
        """Open the connections, all or none of them, and bind the socket."""
        self._path = os.path.abspath(self._path)  # as of now: the application may change its directory later
        with contextlib.ExitStack() as opened:
            connections = []
            before = _inode(self._path)
            for n in range(1 + READERS):
                connections.append(connect(self._path, self._durability, check=n == 0))
                opened.callback(connections[-1].close)
            try:
                if before not in (None, _inode(self._path)):  # `tidings restore` has just put another in its place
                    raise Unavailable(REMOVED)
                readers = [Reader(connection) for connection in connections[1:]]
                readers[0].commits()  # from here on, the files beside it exist
                self._file = DatabaseFile(self._path)
                writer = Writer(connections[0], self._file, clock=self._clock, steady=self._steady)
                tidier = Tidier(writer, self._clock)
                bound = self._peers.bind(self._path)
                opened.callback(self._peers.remove)
                heard = Heard(readers[0].commits())  # after the socket: later commits are told of
            except (sqlite3.Error, OSError) as error:
                raise meaning(error) from None
            for reader in readers:
                self._readers.put(reader)
            opened.pop_all()
        self._reserve = Reserve(self._path)
        return GroupCommit(writer, tidier, self._reserve, self, self._post), heard, bound, self._peers.look()

    async def _read(self, what: Callable[Concatenate[Reader, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        if self._state != "open":
            raise Unavailable(self._reason)

        def read() -> T:
            reader = self._readers.get()
            try:
                return what(reader, *args, **kwargs)
            except sqlite3.Error as error:
                if code(error) in DAMAGED_CODES:
                    self._post(self.lose, DAMAGED)
                raise meaning(error) from None
            finally:
                self._readers.put(reader)

        return await self._loop.run_in_executor(self._pool, read)

    def _disconnect(self) -> None:
        for _ in range(READERS):
            self._readers.get().close()
        self._peers.remove()
        if not self._peers.look():
            self._reserve.give_up()

    def _post(self, what: Callable[..., object], *args: object) -> bool:
        """Call `what` on the loop's thread. False: the loop has ended without `close`."""
        try:
            self._loop.call_soon_threadsafe(what, *args)
        except RuntimeError:
            return False
        return True

    # ------------------------------------------------------------ the loop's thread

    def _call(self, call: Call) -> asyncio.Future[Any]:
        answer: asyncio.Future[Any] = self._loop.create_future()
        if self._state == "open":
            self._waiting[call] = answer
            self._commits.put(call)
        else:
            answer.set_exception(Unavailable(self._reason))
        return answer

    def settle(self, calls: list[Call], written: Written | None, failure: TidingsError | None) -> None:
        for call in calls:
            answer = self._waiting.pop(call, None)
            if answer is None or answer.done():
                continue
            if error := call.error or failure:
                answer.set_exception(error)
            else:
                answer.set_result(call.result)
        if written and (written.tails or any(isinstance(call, Probe) for call in calls)):
            self._written = monotonic()  # a lease is no proof: a sealed store takes leases, too
        if written and written.tails:
            self._committed = self._steady()
            self._heard.add(written.number)
            self._feeds.changed_here(written.tails)
            self._peers.tell(written.number, written.tails)

    def lose(self, reason: str) -> None:
        if self._state == "open":
            # What is written from now on would be lost with this process, so no caller is told that it is kept.
            self._state, self._reason = "lost", reason
            logger.critical("%s This process can no longer serve it.", reason)
            self._lost.set_result(reason)

    def _hear(self, news: Datagram) -> None:
        if news.commits:
            self._committed = self._steady()
        for number in news.commits:
            self._heard.add(number)
        if news.tails is None:
            self._feeds.look_at_all()
        elif news.tails:
            self._feeds.changed(news.tails)
        if news.cast:
            self._feeds.cast(news.cast)

    async def _look_for_commits(self, bound: bool) -> None:
        """Find the commits that no datagram told of: their process died, was full, or cannot send any."""
        while self._state == "open":
            await asyncio.sleep(POLL if bound else POLL_ALONE)
            with contextlib.suppress(Unavailable):
                number = await self._read(Reader.commits)
                if bound:
                    self._peers.meet(await self._loop.run_in_executor(self._pool, self._peers.look))
                    await asyncio.sleep(GRACE)
                if self._heard.missed(number):
                    self._committed = self._steady()
                    self._feeds.look_at_all()

    async def _watch_file(self) -> None:
        while self._state == "open":
            await asyncio.sleep(WATCH)
            if reason := await self._loop.run_in_executor(self._pool, self._file.look):
                self.lose(reason)

    async def _close(self) -> None:
        self._state, self._reason = "closed", REASON["closed"]
        for watching in self._watching:
            watching.cancel()
        await asyncio.gather(*self._watching, return_exceptions=True)
        self._commits.stop()
        await asyncio.wait((self._stopped,), timeout=CLOSING)
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(OutcomeUnknown("The disk hangs: the events are stored once, or not at all."))
        self._waiting.clear()
        self._feeds.close()
        self._peers.close()
        await self._loop.run_in_executor(self._pool, self._disconnect)
        self._pool.shutdown(wait=False)


def _inode(path: str) -> tuple[int, int] | None:
    try:
        file = os.stat(path)
    except OSError:
        return None
    return file.st_dev, file.st_ino
