"""Reading a SQLite file: the queries of one connection. No asyncio.

Statements are few and wide on purpose, here and in `writer.py`. sqlite3 gives the GIL away at every step of a
statement, and beside a busy event loop getting it back takes up to 5 ms: a page of records is one row (1,000 records
beside a busy loop: 18 ms, row by row 670), and a transaction inserts all its rows with one statement.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, pairwise

from tidings.log.head import Head, decode_head
from tidings.log.port import PAGE, Extras, Seal
from tidings.log.records import Record

from . import seals

ABOVE = "\x7f"
"""Text above every character of a topic's name."""

LAST = "\U0010ffff"
"""Text above every character of a label."""

LABELS = 500
"""Labels that one statement looks up, so that its answer has at most that many times `limit` names."""

LAPSED = "(deadline <= :now OR taken > :now)"
"""The condition of a lease that nobody holds any more."""

LAPSING = "(deadline <= :now + :within OR taken > :now)"
"""The condition of a lease that nobody will hold in some seconds, unless it is renewed."""


class Reader:
    """A connection that reads. For one thread at a time; every method raises sqlite3.Error."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._run = connection.execute

    def close(self) -> None:
        self._connection.close()

    def commits(self) -> int:
        """The number of the last commit, of any process."""
        number: int = self._run("SELECT commits FROM state").fetchone()[0]
        return number

    def load(self, topic: str) -> Head | None:
        row = self._run("SELECT head FROM topics WHERE name = ?", (topic,)).fetchone()
        return decode_head(row[0]) if row else None

    def read(self, topic: str, after: int, limit: int) -> tuple[Head | None, Sequence[Record]]:
        """The head and the records of the port's `read`. The head is read first, so that it is the older of the two."""
        row = self._run(
            """SELECT log, head, (SELECT group_concat(length(blob)) FROM
                 (SELECT blob FROM records WHERE log = topics.log AND last > ?1 AND last <= coalesce(
                   (SELECT min(last) FROM records WHERE log = topics.log AND last >= ?1 + ?2), ?3) ORDER BY last))
               FROM topics WHERE name = ?4""",
            (after, limit, 1 << 62, topic),
        ).fetchone()
        if row is None:
            return None, ()
        log, head, sizes = row[0], decode_head(row[1]), row[2]
        if not sizes:
            return head, ()
        fit = sum(before < PAGE for before in list(_running(sizes))[:-1])
        found = self._run(
            """SELECT group_concat(base), group_concat(last), group_concat(length(id)), group_concat(length(blob)),
                 group_concat(hex(id), ''), group_concat(hex(blob), '') FROM
                 (SELECT base, last, id, blob FROM records WHERE log = ? AND last > ? ORDER BY last LIMIT ?)""",
            (log, after, fit),
        ).fetchone()
        if found[0] is None:
            return head, ()
        bases, lasts = _numbers(found[0]), _numbers(found[1])
        return head, list(map(Record, bases, lasts, _slices(found[4], found[2]), _slices(found[5], found[3])))

    def topics(
        self, prefix: str, after: str, limit: int, labels: Sequence[str] | None = None
    ) -> Sequence[tuple[str, Head]]:
        if labels is None:
            which, values = "name > ? AND name >= ? AND name < ?", (after, prefix, prefix + ABOVE)
            return self._topics(f"{which} ORDER BY name LIMIT {limit}", values)
        self._run("BEGIN")  # the names and their heads are of one instant
        try:
            names = self._labelled(prefix, after, limit, labels)
            return self._topics("name IN (SELECT value FROM json_each(?)) ORDER BY name", (json.dumps(names),))
        finally:
            self._run("COMMIT")

    def _topics(self, which: str, values: Sequence[str]) -> Sequence[tuple[str, Head]]:
        names, heads, sizes = self._run(
            f"""SELECT group_concat(name), group_concat(hex(head), ''), group_concat(length(head)) FROM
                 (SELECT name, head FROM topics WHERE {which})""",
            values,
        ).fetchone()
        return list(zip(names.split(","), map(decode_head, _slices(heads, sizes)), strict=True)) if names else ()

    def _labelled(self, prefix: str, after: str, limit: int, labels: Sequence[str]) -> Sequence[str]:
        """The first `limit` topics of those labels, read from the index: at most `limit` rows for each label."""
        names: list[str] = []
        for start in range(0, len(labels), LABELS):
            found = self._run(
                """SELECT group_concat((SELECT group_concat(topic) FROM
                     (SELECT topic FROM labels WHERE label = each.value AND topic > ?1 AND topic >= ?2 AND topic < ?3
                      ORDER BY topic LIMIT ?4)))
                   FROM json_each(?5) AS each""",
                (after, prefix, prefix + ABOVE, limit, json.dumps(labels[start : start + LABELS])),
            ).fetchone()[0]
            names = sorted({*names, *(found.split(",") if found else ())})[:limit]
        return names

    def labels(self, prefix: str, after: str, limit: int) -> Sequence[str]:
        """The labels of the port's `labels`: each is looked up as the first after the one before."""
        found = self._run(
            """WITH RECURSIVE each (label) AS (
                 SELECT min(label) FROM labels WHERE label > ?1 AND label >= ?2 AND label < ?3
                 UNION ALL
                 SELECT (SELECT min(label) FROM labels WHERE label > each.label AND label < ?3) FROM each
                 WHERE each.label IS NOT NULL LIMIT ?4)
               SELECT json_group_array(label) FROM each WHERE label IS NOT NULL""",
            (after, prefix, prefix + LAST, limit),
        ).fetchone()[0]
        labels: list[str] = json.loads(found)
        return labels

    def due(self, now: float, limit: int) -> Sequence[tuple[str, Head]]:
        """Return the topics that a sweep has to look at, as the port says."""
        rows = self._run("SELECT name, head FROM topics WHERE due <= ? ORDER BY due LIMIT ?", (now, limit))
        return [(name, decode_head(head)) for name, head in rows]

    def extras(self, topic: str, first: int, last: int) -> Extras:
        """Return the keys and the labels of the port's `extras`."""
        keys = self._run(
            """SELECT key, first, last, time FROM keys WHERE log = (SELECT log FROM topics WHERE name = ?)
               AND last >= ? AND last <= ?""",
            (topic, first, last),
        ).fetchall()
        labels = self._run("SELECT label FROM labels WHERE topic = ? ORDER BY label", (topic,)).fetchall()
        return Extras(keys, [label for (label,) in labels])

    def sealed(self) -> Seal:
        return seals.look(self._connection)

    def lapsed(self, now: Callable[[], float], limit: int, within: float = 0.0) -> Sequence[str]:
        """The topics whose lease has lapsed by `now`, or lapses within so many seconds, oldest first.

        The clock begins at zero when the machine starts, so a lease that was taken later than now is of a time before
        that, and its holder is gone. The first query fixes what the transaction sees, and the clock is read after it:
        no lease in sight can have been taken later by a process of today.
        """
        self._run("BEGIN")
        try:
            if not self._run("SELECT EXISTS (SELECT * FROM leases)").fetchone()[0]:
                return ()
            rows = self._run(f"SELECT topic FROM leases WHERE {LAPSING} ORDER BY deadline LIMIT :limit",
                             {"now": now(), "limit": limit, "within": within})  # fmt: skip
            return [topic for (topic,) in rows]
        finally:
            self._run("COMMIT")


def _numbers(text: str) -> Iterator[int]:
    return map(int, text.split(","))


def _running(sizes: str) -> Iterator[int]:
    """The sum of the sizes before each."""
    return accumulate(_numbers(sizes), initial=0)


def _slices(hexadecimal: str, sizes: str) -> Iterator[bytes]:
    whole = bytes.fromhex(hexadecimal)
    return (whole[start:end] for start, end in pairwise(_running(sizes)))
