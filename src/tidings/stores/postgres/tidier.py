"""Deleting what no caller waits for: the rows of dead logs and old idempotency keys, in small transactions.

The space of deleted rows is for the engine to use again, once its autovacuum has been there, which the tables' settings
make it do after 2 % of their rows.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from tidings.errors import TidingsError
from tidings.log.port import KEYS

from .connection import Connection, Connections
from .statement import NOW

PAUSE, REST = 0.1, 60.0
"""Seconds between two steps: while there is work, and without."""

ROWS = 500
"""Rows that one step deletes, so that no step takes long: a record has up to 1 MB."""

REMEMBERED = 600.0
"""Seconds for which a deletion is remembered, for the processes that have not heard of it yet."""

EMPTY = f"""
WITH one AS MATERIALIZED (SELECT log FROM tidings.dead WHERE NOT emptied ORDER BY log LIMIT 1 FOR UPDATE SKIP LOCKED),
part AS MATERIALIZED (
    SELECT r.log, r.last FROM one JOIN tidings.records r USING (log) ORDER BY r.last LIMIT {ROWS}),
gone AS (DELETE FROM tidings.records r USING part WHERE r.log = part.log AND r.last = part.last RETURNING 1),
keys AS MATERIALIZED (SELECT k.log, k.key FROM one JOIN tidings.keys k USING (log) LIMIT {ROWS}),
forgotten AS (DELETE FROM tidings.keys k USING keys WHERE k.log = keys.log AND k.key = keys.key RETURNING 1),
ended AS (
    UPDATE tidings.dead d SET emptied = true FROM one
    WHERE d.log = one.log AND NOT EXISTS (SELECT FROM part) AND NOT EXISTS (SELECT FROM keys))
SELECT (SELECT count(*) FROM one), (SELECT count(*) FROM gone), (SELECT count(*) FROM forgotten)"""

FORGET = f"""
DELETE FROM tidings.keys WHERE (log, key) IN (
    SELECT log, key FROM tidings.keys WHERE time <= coalesce($1::float8, {NOW}) - $2
    ORDER BY time LIMIT {ROWS} FOR UPDATE SKIP LOCKED)"""

BURY = f"DELETE FROM tidings.dead WHERE emptied AND time <= coalesce($1::float8, {NOW}) - $2"

logger: logging.Logger = logging.getLogger("tidings")


class Tidier:
    """The task that tidies. Several processes may do so at once: none waits for another."""

    def __init__(self, connections: Connections, clock: Callable[[], float] | None) -> None:
        self._connections = connections
        self._clock = clock
        self._untidy = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin. An earlier process may have left something."""
        self._task = asyncio.create_task(self._run())

    def wake(self) -> None:
        """Tell that there is something to tidy."""
        self._untidy.set()

    async def close(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            busy = False
            try:
                busy = await self._connections.run(self.step)
            except TidingsError as error:
                logger.warning("Tidying the database failed; it is tried again: %s", error)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(REST):
                    await asyncio.sleep(PAUSE)
                    if not busy:
                        await self._untidy.wait()
            self._untidy.clear()

    async def step(self, connection: Connection) -> bool:
        """Do the next bit of work. True: there may be more."""
        now = self._clock() if self._clock else None
        if (await connection.fetchrow(EMPTY))[0]:
            return True
        if await connection.execute(FORGET, now, KEYS) != "DELETE 0":
            return True
        await connection.execute(BURY, now, REMEMBERED)
        return False
