"""A connection to a SQLite file, checked and prepared, and the meaning of SQLite's errors. No asyncio."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time

from tidings.errors import InvalidRequest, TidingsError, Unavailable
from tidings.log.port import SEALED

from . import schema, wal
from .file import descriptor

PATIENCE = 5.0
"""Seconds for which a transaction waits for those of other processes."""

CHECKED_WHOLE = 512 << 20
"""Bytes up to which a file is checked whole when it is opened, at about 1.4 GB/s. Of a larger file everything but the
records is checked."""

DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

opening: threading.Lock = threading.Lock()
"""Held while a file is looked at and opened: a look at the file of another store of this process, and closing it again,
would release the locks of SQLite there."""


def connect(path: str, durability: str, *, check: bool = False) -> sqlite3.Connection:
    """Open the file, making it if there is none. `check`: look for damage first.

    Raises InvalidRequest if it is not a store that this version can read, Unavailable if it cannot be used.
    """
    name = os.path.basename(path)
    end = time.monotonic() + PATIENCE
    while True:
        try:
            with opening:
                if check and durability == "full":
                    look_for_lost_changes(path)
                return _connect(path, name, durability, check)
        except sqlite3.Error as error:
            # Several processes that make one file WAL at the same time are told "locked" at once, without the timeout.
            if code(error) == sqlite3.SQLITE_BUSY and time.monotonic() < end:
                time.sleep(0.01)
                continue
            if code(error) == sqlite3.SQLITE_NOTADB:
                raise InvalidRequest(f"{name} is not a SQLite database.") from None
            raise damaged(name) if code(error) == sqlite3.SQLITE_CORRUPT else meaning(error) from None


def make_private(path: str) -> None:
    """Make a file that only this user can read, if there is none. SQLite gives the files beside it the same mode.

    For holders of `opening`, if another store of this process might have the file open.
    """
    with contextlib.suppress(OSError):  # it exists, or SQLite says what is wrong
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def _connect(path: str, name: str, durability: str, check: bool) -> sqlite3.Connection:
    make_private(path)
    connection = sqlite3.connect(
        path, timeout=PATIENCE, isolation_level=None, check_same_thread=False, cached_statements=512
    )
    try:
        run = connection.execute
        schema.check(connection, name)  # before anything is changed in a file that is not ours
        run("PRAGMA auto_vacuum=incremental")  # for a file that is being made: see Writer.shrink
        if run("PRAGMA journal_mode=WAL").fetchone()[0] != "wal":
            raise InvalidRequest(
                f"The file system of {name} cannot hold a database that several processes write (WAL)."
            )
        run(f"PRAGMA synchronous={durability}")
        run("PRAGMA fullfsync=1")  # macOS: its fsync alone does not reach the disk
        run("PRAGMA secure_delete=1")  # deleted events are overwritten, so that nobody finds them in the file
        run("PRAGMA journal_size_limit=67108864")
        if check:
            look_for_damage(connection, name)
        schema.prepare(connection, name)
    except BaseException:
        connection.close()
        raise
    return connection


def look_for_lost_changes(path: str) -> None:
    """Raise Unavailable if SQLite would drop commits that it was told are on the disk. For holders of `opening`."""
    with contextlib.suppress(OSError):  # there is no index, or the system lists no descriptors
        if descriptor(os.stat(f"{path}-shm")) >= 0:
            return  # this process has the file open
    if wal.is_damaged(path):
        raise damaged(os.path.basename(path))


def look_for_damage(connection: sqlite3.Connection, name: str) -> None:
    """Raise Unavailable if the file's structure is damaged."""
    run = connection.execute
    size = run("PRAGMA page_count").fetchone()[0] * run("PRAGMA page_size").fetchone()[0]
    # The names first, for a check of a table reads the schema again.
    tables = [table for (table,) in run("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()]
    checks = [""] if size <= CHECKED_WHOLE else [f"({table})" for table in tables if table != "records"]
    for check in checks:
        if run(f"PRAGMA quick_check{check or '(1)'}").fetchone()[0] != "ok":
            raise damaged(name)


def damaged(name: str) -> Unavailable:
    """The error of a file whose structure is broken."""
    return Unavailable(f"{name} is damaged. Restore a backup of it: tidings restore FILE")


def code(error: BaseException) -> int:
    """The primary result code of SQLite; 0 if the error is not SQLite's."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def meaning(error: Exception) -> TidingsError:
    """The error of ours that tells a caller of the store what an error of SQLite means."""
    if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_CONSTRAINT_TRIGGER:
        return Unavailable(SEALED)
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
