"""A store in a PostgreSQL database, for any number of processes on any number of machines.

An update looks at a row, or remembers it, lets the plan decide, and writes if the row is still as it was. The updates
of many topics share one statement, one transaction and one sync of the disk (group commit).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from math import inf
from time import monotonic
from typing import Literal

from tidings.clock import steady_time
from tidings.errors import Unavailable
from tidings.events import Offset
from tidings.log.head import Head, Known
from tidings.log.port import Cast, Extras, News, Plan, Seal
from tidings.log.records import Record
from tidings.stores.feed import Feeds

from . import seals
from .address import parse_address
from .connection import Connection, Connections, Refused
from .eras import Eras
from .group_commit import GroupCommit
from .leases import EngineLeases
from .listener import Listener
from .news import Announcer, Mailbox
from .reader import Reader
from .schema import prepare, warn_of_settings
from .statement import NOW
from .tidier import Tidier
from .writer import Update, Writer

WAITING = 5.0
"""Seconds for which `open` waits for an engine that is away. It does not wait for an engine that refuses it."""

PAUSE = 0.2
"""Seconds between two attempts of `open`."""

PROOF = 0.5
"""Seconds for which a write proves that the database can be written."""

CLOSING = 10.0
"""Seconds for which `close` waits for the updates under way, should the engine hang."""

REASON = {"new": "The store is not open yet.", "closed": "The store is closed."}


class PostgresStore:
    """The store in one database. An update that has returned is as durable as the engine's settings say.

    `clock`: a test's clock in the place of the engine's. `steady` measures how long ago the last change was.
    """

    def __init__(
        self, url: str, *, clock: Callable[[], float] | None = None, steady: Callable[[], float] = steady_time
    ) -> None:
        self._address = parse_address(url)
        self._clock = clock
        self._steady = steady
        self._state: Literal["new", "open", "closed"] = "new"
        self._feeds = Feeds()
        self._closing: asyncio.Task[None] | None = None

    def _renew(self) -> None:
        """Make the parts that live from `open` to `close`."""
        self._feeds = Feeds()
        self._eras = Eras()
        self._connections = Connections(self._address, self._greet)
        self._writer = Writer(self._eras, self._clock, self._answer, self._written)
        self._commits = GroupCommit(self._connections, self._writer)
        self._reader = Reader(self._eras)
        self._leases = EngineLeases(self._connections, self._clock)
        self._mailbox = Mailbox()
        self._announcer = Announcer(self._connections, self._mailbox.name)
        self._listener = Listener(
            self._address.direct, self._eras, self._greet, self._feeds, self._mailbox, self._heard_of_change
        )
        self._tidier = Tidier(self._connections, self._clock)
        self._changed: float | None = None
        self._proved = -inf
        self._probing: asyncio.Task[None] | None = None
        self._closing = None

    async def open(self) -> None:
        self._renew()
        end = monotonic() + WAITING
        while True:
            try:
                await self._begin()
                return
            except BaseException as error:
                await self._listener.close()
                await self._connections.close()
                if not isinstance(error, Unavailable) or isinstance(error, Refused) or monotonic() > end:
                    raise
            await asyncio.sleep(PAUSE)

    async def _begin(self) -> None:
        await self._connections.run(warn_of_settings)
        await self._listener.open()
        self._tidier.start()
        self._state = "open"

    async def _greet(self, connection: Connection) -> None:
        """Look at what a new connection leads to."""
        await prepare(connection)
        if await self._eras.learn(connection):
            self._writer.forget()
            self._feeds.look_at_all()

    async def close(self) -> None:
        if self._state == "new":
            self._state = "closed"
            return
        if self._closing is None:
            self._closing = asyncio.create_task(self._close())
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        self._state = "closed"
        await self._commits.close(CLOSING)
        await self._announcer.close()
        self._feeds.close()
        await self._tidier.close()
        await self._listener.close()
        await self._connections.close()
        if self._probing is not None:  # a loop that ends while it connects leaves its socket open
            await asyncio.wait([self._probing], timeout=1.0)

    async def load(self, topic: str) -> Head | None:
        self._check()
        return await self._connections.run(lambda connection: self._reader.load(connection, topic))

    def update(self, topic: str, keys: Sequence[str], plan: Plan) -> asyncio.Future[Known]:
        if self._state == "open":
            return self._commits.put(topic, keys, plan)
        refused: asyncio.Future[Known] = asyncio.get_running_loop().create_future()
        refused.set_exception(Unavailable(REASON[self._state]))
        return refused

    async def read(self, topic: str, after: int, limit: int) -> tuple[Head | None, Sequence[Record]]:
        self._check()
        return await self._connections.run(lambda connection: self._reader.read(connection, topic, after, limit))

    async def topics(
        self, prefix: str = "", after: str = "", limit: int = 1000, labels: Sequence[str] | None = None
    ) -> Sequence[tuple[str, Head]]:
        self._check()
        return await self._connections.run(
            lambda connection: self._reader.topics(connection, prefix, after, limit, labels)
        )

    async def labels(self, prefix: str = "", after: str = "", limit: int = 1000) -> Sequence[str]:
        self._check()
        return await self._connections.run(lambda connection: self._reader.labels(connection, prefix, after, limit))

    async def due(self, now: float, limit: int = 100) -> Sequence[tuple[str, Head]]:
        self._check()
        return await self._connections.run(lambda connection: self._reader.due(connection, now, limit))

    def changes(self) -> AsyncIterator[News]:
        return self._feeds.follow()

    async def cast(self, topic: str, payload: bytes) -> None:
        self._check()
        self._announcer.cast(Cast(topic, payload))

    async def lease(self, topic: str, seconds: float, *, renew: bool) -> bool:
        self._check()
        return await self._leases.lease(topic, seconds, renew=renew)

    async def release(self, topic: str, *, lapsed: bool = False) -> None:
        self._check()
        await self._leases.release(topic, lapsed=lapsed)

    async def lapsed(self, limit: int = 100, within: float = 0.0) -> Sequence[str]:
        self._check()
        return await self._leases.lapsed(limit, within)

    async def extras(self, topic: str, first: int, last: int) -> Extras:
        self._check()
        return await self._connections.run(lambda connection: self._reader.extras(connection, topic, first, last))

    async def seal(self, seal: Seal | None = None) -> Seal:
        self._check()
        if seal:
            await self._connections.run(lambda connection: seals.put(connection, seal))
            return seal
        return await self._connections.run(seals.look)

    async def probe(self) -> float | None:
        self._check()
        if monotonic() > self._proved + PROOF:
            if self._probing is None or self._probing.done():
                self._probing = asyncio.create_task(self._prove())
            await asyncio.shield(self._probing)
        return None if self._changed is None else self._steady() - self._changed

    async def size(self) -> int:
        self._check()
        return await self._connections.run(self._reader.size)

    async def lost(self) -> str:
        """Wait for ever: an engine that is away may come back."""
        never: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        return await never

    def _check(self) -> None:
        if self._state != "open":
            raise Unavailable(REASON[self._state])

    async def _prove(self) -> None:
        await self._connections.run(lambda connection: connection.execute(f"UPDATE tidings.store SET probed = {NOW}"))
        self._proved = monotonic()

    def _answer(self, update: Update, result: Known | BaseException) -> None:
        self._commits.answer(update, result)

    def _written(self, tails: Mapping[str, Offset | None], transaction: int) -> None:
        self._proved = monotonic()
        self._changed = self._steady()
        self._listener.note(tails, dict.fromkeys(tails, transaction))
        self._feeds.changed_here(tails)
        self._announcer.tell(tails, transaction)
        if None in tails.values():
            self._tidier.wake()

    def _heard_of_change(self, transactions: Mapping[str, int]) -> None:
        self._changed = self._steady()
        self._writer.outdate(transactions)
