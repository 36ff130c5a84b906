"""The eras of a PostgreSQL store: a new one begins when a standby is promoted, and when a backup is restored.

A promoted standby may lack the last changes that the old primary had acknowledged, and a backup lacks all that came
after it. The numbers of what is lost are given to other events then, so each log has another epoch in each era, which
knows the earlier ones and up to which number it has the same events. No row is written for that: a head that was last
written in an earlier era is read as if each era since then had restored it, by epochs that follow from the era's id.
"""

from __future__ import annotations

import secrets

import asyncpg

from tidings.log.head import Head
from tidings.log.names import derived_epoch

from .schema import LOCK

TIMELINE = "left(pg_walfile_name(pg_current_wal_insert_lsn()), 8)"
"""The engine's timeline, as hexadecimal digits: every promotion and every recovery to a point in time counts it up."""

SOURCE = f"""SELECT {TIMELINE},
    (SELECT system_identifier::text FROM pg_control_system()) || '/' || {TIMELINE} || '/' ||
    'tidings.topics'::regclass::oid::text"""
"""The identity of an era: the cluster, its timeline, and the table itself, which a restored dump makes anew."""


class Stale(Exception):
    """Another era has begun than that of this process's connections, which are to be made again."""


class Eras:
    """The eras up to the present one, as of the latest connection. `timeline`: the engine's."""

    def __init__(self) -> None:
        self._ids: list[str] = []
        self.timeline: str = ""

    @property
    def present(self) -> int:
        """The number of the present era. The first is 1."""
        return len(self._ids)

    async def learn(self, connection: asyncpg.Connection) -> bool:
        """Find out the present era, and begin it if no process has. True: it is another than before.

        Raises Stale if the connection leads to an engine of an earlier era.
        """
        timeline, source = await connection.fetchrow(SOURCE)
        ids = await self._listed(connection, source) or await self._begin(connection, source)
        if len(ids) < len(self._ids) and ids == self._ids[: len(ids)]:
            raise Stale
        another = ids != self._ids
        self._ids, self.timeline = ids, timeline
        return another

    async def _listed(self, connection: asyncpg.Connection, source: str) -> list[str]:
        """Return the ids of the eras, unless the last of them has another source."""
        rows = await connection.fetch("SELECT id, source FROM tidings.eras ORDER BY era")
        return [id for id, _ in rows] if rows and rows[-1]["source"] == source else []

    async def _begin(self, connection: asyncpg.Connection, source: str) -> list[str]:
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
            if ids := await self._listed(connection, source):
                return ids  # another process was faster
            await connection.execute(
                "INSERT INTO tidings.eras SELECT coalesce(max(era), 0) + 1, $1, $2 FROM tidings.eras",
                secrets.token_hex(8),
                source,
            )
            await connection.execute("UPDATE tidings.dead SET changed = 0")  # by the transactions of another engine
        return await self._listed(connection, source)

    def now(self, head: Head, era: int) -> Head:
        """Return a head that was written in `era` as it is in the present one. Raises Stale for a later era."""
        if era > self.present:
            raise Stale
        for id in self._ids[era:]:
            head = head.restored(derived_epoch(head.epoch, id))
        return head
