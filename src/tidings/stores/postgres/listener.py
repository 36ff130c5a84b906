"""Hearing of the changes that other processes make: LISTEN, and a look at the tables once a second.

A process that dies between its commit and its NOTIFY tells nobody. So each look finds what became visible since the
look before, by the engine's own snapshots: transactions do not become visible in the order of their numbers.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping

from tidings.errors import TidingsError
from tidings.events import ORIGIN, Offset
from tidings.log.head import decode_head
from tidings.stores.feed import MOST_TOPICS, Feeds, Tails

from .connection import DRIVER_ERRORS, Connection, connect
from .eras import Eras, Stale
from .heard import Heard
from .news import CHANNEL, Mailbox

POLL = 1.0
"""Seconds between two looks."""

GRACE = 0.05
"""Seconds that a notification may take after the change it tells of is visible."""

FIRST_PAUSE, LAST_PAUSE = 0.1, 1.0
"""Seconds between two attempts to reach an engine that is away; doubled each time."""

UNSEEN = """{changed} >= pg_snapshot_xmin($1::text::pg_snapshot)::text::bigint
    AND NOT pg_visible_in_snapshot({changed}::text::xid8, $1::text::pg_snapshot)"""

LOOK = f"""
(SELECT name, changed, CASE WHEN pg_visible_in_snapshot(altered::text::xid8, $1::text::pg_snapshot) THEN 0
    ELSE altered END AS altered, era, head, NULL AS snapshot
 FROM tidings.topics WHERE era = $2 AND {UNSEEN.format(changed="changed")} LIMIT $3)
UNION ALL
(SELECT topic, changed, changed, 0, NULL, NULL FROM tidings.dead WHERE {UNSEEN.format(changed="changed")} LIMIT $3)
UNION ALL SELECT NULL, 0, 0, 0, NULL, pg_current_snapshot()::text"""


class Listener:
    """The connection of this process that listens. `greet` is called with each new one, and tells of a new era.

    `changed` is called with the topics that others have changed, and the transactions that did.
    """

    def __init__(
        self,
        url: str,
        eras: Eras,
        greet: Callable[[Connection], Awaitable[None]],
        feeds: Feeds,
        mailbox: Mailbox,
        changed: Callable[[Mapping[str, int]], None],
    ) -> None:
        self._url = url
        self._eras = eras
        self._greet = greet
        self._feeds = feeds
        self._mailbox = mailbox
        self._changed = changed
        self._snapshot = ""
        self._connection: Connection | None = None
        self._task: asyncio.Task[None] | None = None
        self._ended = asyncio.Event()
        self.heard: Heard = Heard()

    async def open(self) -> None:
        """Begin to listen. Raises InvalidRequest or Unavailable."""
        await self._connect()
        self._task = asyncio.create_task(self._follow())

    async def close(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._connection:
            self._connection.terminate()

    async def _connect(self) -> None:
        connection = self._connection = await connect(self._url)
        try:
            await self._greet(connection)
            self._ended = asyncio.Event()
            connection.add_termination_listener(lambda _: self._ended.set())
            await connection.add_listener(CHANNEL, self._hear)
            self._snapshot = await connection.fetchval("SELECT pg_current_snapshot()::text")
        except BaseException:
            connection.terminate()
            raise

    async def _follow(self) -> None:
        while True:
            with contextlib.suppress(*DRIVER_ERRORS, Stale):
                while not self._ended.is_set():
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(POLL):
                            await self._ended.wait()
                    await self._look()
            await self._reconnect()
            self._feeds.look_at_all()

    async def _reconnect(self) -> None:
        pause = FIRST_PAUSE
        while True:
            if self._connection:
                self._connection.terminate()
            try:
                await self._connect()
                return
            except (*DRIVER_ERRORS, TidingsError, Stale):
                await asyncio.sleep(pause)
                pause = min(2 * pause, LAST_PAUSE)

    async def _look(self) -> None:
        assert self._connection
        self.heard.turn()
        rows = await self._connection.fetch(LOOK, self._snapshot, self._eras.present, MOST_TOPICS)
        self._snapshot = rows.pop()["snapshot"]
        if not rows:
            return
        await asyncio.sleep(GRACE)
        tails: Tails = {}
        transactions: dict[str, int] = {}
        for name, changed, altered, era, head, _ in reversed(rows):
            missed = self.heard.missed(name, changed, altered)
            if missed is None:
                continue
            transactions[name] = changed
            if head is None:
                tails[name] = ORIGIN if name in tails else None
            else:
                now = self._eras.now(decode_head(head), era)
                tails[name] = ORIGIN if missed or name in tails else Offset(now.epoch, now.tail)
        if len(rows) >= MOST_TOPICS:
            self._feeds.look_at_all()
        elif tails:
            self._feeds.changed(tails)
        if tails:
            self._changed(transactions)

    def _hear(self, connection: object, pid: int, channel: str, payload: object) -> None:
        news = self._mailbox.open(str(payload))
        if news is None:
            return
        if news.tails is None:
            self._feeds.look_at_all()
        else:
            self.note(news.tails, news.transactions)
            if news.tails:
                self._feeds.changed(news.tails)
        if news.tails != {}:
            self._changed(news.transactions)
        for cast in news.casts:
            self._feeds.cast(cast)

    def note(self, tails: Mapping[str, Offset | None], transactions: Mapping[str, int]) -> None:
        """Note what is told to the feeds already."""
        self.heard.add(tails, transactions)
