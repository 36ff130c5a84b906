"""One SQLite file, as the threads of one process see it: opening it and reading it. No asyncio.

Statements are few and wide on purpose, here and in `transaction.py`. sqlite3 gives the GIL away at every step of a
statement, and beside a busy event loop getting it back takes up to 5 ms: a page of records is one row (1,000 records
beside a busy loop: 18 ms, row by row 670), and what a transaction inserts is one statement.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise

import msgspec

from tidings.errors import InvalidRequest, TidingsError, Unavailable
from tidings.log.port import PAGE
from tidings.log.rules import Head, Record

APPLICATION = 0x54494447
FORMAT = 1

PATIENCE = 5.0
"""Seconds for which a transaction waits for those of other processes."""

SCHEMA = """
CREATE TABLE state (commits INTEGER NOT NULL, logs INTEGER NOT NULL);
INSERT INTO state VALUES (0, 0);
CREATE TABLE topics (name TEXT PRIMARY KEY, log INTEGER NOT NULL, head BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE records (log INTEGER NOT NULL, last INTEGER NOT NULL, base INTEGER NOT NULL, id BLOB NOT NULL,
                      blob BLOB NOT NULL, PRIMARY KEY (log, last));
CREATE TABLE keys (log INTEGER NOT NULL, key TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
                   time REAL NOT NULL, PRIMARY KEY (log, key)) WITHOUT ROWID;
CREATE INDEX keys_by_time ON keys (time);
CREATE TABLE leases (topic TEXT PRIMARY KEY, deadline REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE dead (log INTEGER PRIMARY KEY);
"""
# state.commits numbers the transactions that changed a topic, over all processes: who has heard of all of them has
# missed nothing. state.logs numbers the lives of logs and never repeats, so the rows of a dead log are nobody's and can
# go bit by bit.

encode_head = msgspec.msgpack.Encoder().encode
decode_head = msgspec.msgpack.Decoder(Head).decode


def connect(path: str, durability: str) -> sqlite3.Connection:
    """A connection to the file, which is made if there is none.

    Raises InvalidRequest if it is not a database of this format, Unavailable if it cannot be used.
    """
    name = os.path.basename(path)
    end = time.monotonic() + PATIENCE
    while True:
        try:
            connection = sqlite3.connect(
                path, timeout=PATIENCE, isolation_level=None, check_same_thread=False, cached_statements=512
            )
            try:
                return _prepare(connection, name, durability)
            except BaseException:
                connection.close()
                raise
        except sqlite3.Error as error:
            # Several processes that make one file WAL at the same time are told "locked" at once, without the timeout.
            if code(error) == sqlite3.SQLITE_BUSY and time.monotonic() < end:
                time.sleep(0.01)
                continue
            if code(error) == sqlite3.SQLITE_NOTADB:
                raise InvalidRequest(f"{name} is not a SQLite database.") from None
            raise kind(error) from None


def _prepare(connection: sqlite3.Connection, name: str, durability: str) -> sqlite3.Connection:
    run = connection.execute
    if run("PRAGMA journal_mode=WAL").fetchone()[0] != "wal":
        raise InvalidRequest(f"The file system of {name} cannot hold a database that several processes write (WAL).")
    run(f"PRAGMA synchronous={durability}")
    run("PRAGMA fullfsync=1")  # macOS: its fsync alone does not reach the disk
    run("PRAGMA journal_size_limit=67108864")
    run("BEGIN")  # one look at it: another process may be making it
    ours, version, tables = _identity(connection)
    run("COMMIT")
    if not (ours or version or tables):
        run("BEGIN IMMEDIATE")
        if not any(_identity(connection)):
            for statement in SCHEMA.split(";\n"):
                run(statement)
            run(f"PRAGMA application_id={APPLICATION}")
            run(f"PRAGMA user_version={FORMAT}")
        ours, version, tables = _identity(connection)
        run("COMMIT")
    if ours != APPLICATION:
        raise InvalidRequest(f"{name} is a database of another application.")
    if version != FORMAT:
        age = "a newer" if version > FORMAT else "an older"
        raise InvalidRequest(
            f"{name} was made by {age} version of Tidings: its format is {version}, this one reads {FORMAT}."
        )
    return connection


def _identity(connection: sqlite3.Connection) -> tuple[int, int, int]:
    return (
        connection.execute("PRAGMA application_id").fetchone()[0],
        connection.execute("PRAGMA user_version").fetchone()[0],
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0],
    )


def code(error: sqlite3.Error) -> int:
    """The primary result code of SQLite; 0 if the error is not SQLite's."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def kind(error: Exception) -> TidingsError:
    """What an error of SQLite means for who wanted something of the store."""
    reason = {
        sqlite3.SQLITE_FULL: "its disk is full",
        sqlite3.SQLITE_BUSY: "another process keeps it locked",
        sqlite3.SQLITE_LOCKED: "another process keeps it locked",
        sqlite3.SQLITE_READONLY: "it is read-only",
        sqlite3.SQLITE_CORRUPT: "it is damaged",
        sqlite3.SQLITE_NOTADB: "it is damaged",
        sqlite3.SQLITE_IOERR: "its disk fails",
        sqlite3.SQLITE_CANTOPEN: "it cannot be opened: its folder is missing, or not to be written",
        sqlite3.SQLITE_PERM: "its permissions forbid it",
    }.get(code(error) if isinstance(error, sqlite3.Error) else 0, f"of an unexpected {type(error).__name__}")
    return Unavailable(f"The database cannot be used: {reason}.")


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
        """As the port says; head first, records after it: the head is the older."""
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

    def topics(self, prefix: str, after: str, limit: int) -> Sequence[tuple[str, Head]]:
        names, heads, sizes = self._run(
            """SELECT group_concat(name), group_concat(hex(head), ''), group_concat(length(head)) FROM
                 (SELECT name, head FROM topics WHERE name > ? AND name >= ? AND name < ? ORDER BY name LIMIT ?)""",
            (after, prefix, prefix + "\x7f", limit),  # above every character of a name
        ).fetchone()
        return list(zip(names.split(","), map(decode_head, _slices(heads, sizes)), strict=True)) if names else ()

    def lapsed(self, now: float, limit: int) -> Sequence[str]:
        rows = self._run("SELECT topic FROM leases WHERE deadline <= ? ORDER BY deadline LIMIT ?", (now, limit))
        return [topic for (topic,) in rows]


def _numbers(text: str) -> Iterator[int]:
    return map(int, text.split(","))


def _running(sizes: str) -> Iterator[int]:
    """The sum of the sizes before each."""
    return accumulate(_numbers(sizes), initial=0)


def _slices(hexadecimal: str, sizes: str) -> Iterator[bytes]:
    whole = bytes.fromhex(hexadecimal)
    return (whole[start:end] for start, end in pairwise(_running(sizes)))
