"""Reading from a PostgreSQL store: the queries, on any connection."""

from __future__ import annotations

from collections.abc import Sequence

from tidings.log.head import Head, decode_head
from tidings.log.port import PAGE, Extras
from tidings.log.records import Record

from .connection import Connection
from .eras import Eras

ABOVE = "\x7f"
"""Text above every character of a topic's name."""

LAST = b"\xff"
"""A byte above every byte of a label."""

READ = """
SELECT t.head, t.era, r.base, r.last, r.id, r.blob FROM tidings.topics t LEFT JOIN LATERAL (
    SELECT * FROM (
        SELECT base, last, id, blob, row_number() OVER each AS nth,
            sum(octet_length(blob)) OVER each - octet_length(blob) AS before
        FROM (SELECT base, last, id, blob FROM tidings.records WHERE log = t.log AND last > $2 ORDER BY last LIMIT $3) s
        WINDOW each AS (ORDER BY last)) q
    WHERE nth = 1 OR (base < $2 + $3 AND before < $4)) r ON true
WHERE t.name = $1 ORDER BY r.last"""

TOPICS = "SELECT name, era, head FROM tidings.topics"

BETWEEN = "{0} > $1 AND {0} >= $2 AND {0} < $3"

LABELLED = f"""{TOPICS} WHERE name IN (
    SELECT found.topic FROM unnest($5::bytea[]) AS each (label), LATERAL (
        SELECT topic FROM tidings.labels l
        WHERE l.label = each.label AND {BETWEEN.format("topic")} ORDER BY topic LIMIT $4) found
    ORDER BY found.topic)
ORDER BY name LIMIT $4"""

LABELS = f"""
WITH RECURSIVE each (label) AS (
    (SELECT label FROM tidings.labels WHERE {BETWEEN.format("label")} ORDER BY label LIMIT 1)
    UNION ALL
    SELECT (SELECT l.label FROM tidings.labels l WHERE l.label > each.label AND l.label < $3 ORDER BY l.label LIMIT 1)
    FROM each WHERE each.label IS NOT NULL)
SELECT label FROM each WHERE label IS NOT NULL LIMIT $4"""

KEYS = """
SELECT k.key, k.first, k.last, k.time FROM tidings.topics t JOIN tidings.keys k USING (log)
WHERE t.name = $1 AND k.last BETWEEN $2 AND $3"""

SIZE = """
SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM pg_class
WHERE relnamespace = 'tidings'::regnamespace AND relkind = 'r'"""


class Reader:
    """The queries of the port, as of the present era. Each method raises the driver's errors, or Stale."""

    def __init__(self, eras: Eras) -> None:
        self._eras = eras

    async def load(self, connection: Connection, topic: str) -> Head | None:
        row = await connection.fetchrow("SELECT head, era FROM tidings.topics WHERE name = $1", topic)
        return self._head(row[0], row[1]) if row else None

    async def read(
        self, connection: Connection, topic: str, after: int, limit: int
    ) -> tuple[Head | None, Sequence[Record]]:
        rows = await connection.fetch(READ, topic, after, limit, PAGE)
        if not rows:
            return None, ()
        records = [Record(base, last, id, blob) for _, _, base, last, id, blob in rows if base is not None]
        return self._head(rows[0][0], rows[0][1]), records

    async def topics(
        self, connection: Connection, prefix: str, after: str, limit: int, labels: Sequence[str] | None
    ) -> Sequence[tuple[str, Head]]:
        values = after, prefix, prefix + ABOVE, limit
        if labels is None:
            query = f"{TOPICS} WHERE {BETWEEN.format('name')} ORDER BY name LIMIT $4"
            rows = await connection.fetch(query, *values)
        else:
            rows = await connection.fetch(LABELLED, *values, [label.encode() for label in labels])
        return [(name, self._head(head, era)) for name, era, head in rows]

    async def labels(self, connection: Connection, prefix: str, after: str, limit: int) -> Sequence[str]:
        start = prefix.encode()
        rows = await connection.fetch(LABELS, after.encode(), start, start + LAST, limit)
        return [label.decode() for (label,) in rows]

    async def due(self, connection: Connection, now: float, limit: int) -> Sequence[tuple[str, Head]]:
        rows = await connection.fetch(f"{TOPICS} WHERE due <= $1 ORDER BY due LIMIT $2", now, limit)
        return [(name, self._head(head, era)) for name, era, head in rows]

    async def extras(self, connection: Connection, topic: str, first: int, last: int) -> Extras:
        keys = await connection.fetch(KEYS, topic, first, last)
        labels = await connection.fetch("SELECT label FROM tidings.labels WHERE topic = $1 ORDER BY label", topic)
        return Extras(
            [(key.decode(), *span) for key, *span in keys],
            [label.decode() for (label,) in labels],
        )

    async def size(self, connection: Connection) -> int:
        size: int = await connection.fetchval(SIZE)
        return size

    def _head(self, head: bytes, era: int) -> Head:
        return self._eras.now(decode_head(head), era)
