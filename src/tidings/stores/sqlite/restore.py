"""Restoring a backup of a store: every log begins another life, so that readers who were ahead of it are told."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing

from tidings.errors import Conflict, InvalidRequest, Unavailable
from tidings.log.head import decode_head, encode_head
from tidings.log.port import Seal

from . import schema, seals
from .connection import DAMAGED, code, look_for_lost_changes, opening
from .copying import Progress, beside, copy, open_source, put_in_place

try:
    import fcntl
except ImportError:  # Windows, where an open file cannot be replaced anyway
    fcntl = None  # type: ignore[assignment]

MAGIC = b"SQLite format 3\0"
FAILED = "The backup was not restored"

IN_USE = "The store is in use. Stop every server on it first."

SHARED_FIRST, SHARED_SIZE = 0x40000002, 510
"""The bytes of a SQLite file that every connection has locked, as SQLite's file format says. A process that locks them
for itself knows that no other has the file open, and keeps it so."""


def restore(backup: str, database: str, progress: Progress = lambda part: None) -> str | None:
    """Put a backup in the place of a store that no process has open.

    Returns the name under which the earlier store is kept; None if there was none. Until the very end, and after any
    failure, the earlier store is as it was. Raises InvalidRequest for a backup that is not one, Conflict if a process
    has the store open, Unavailable if the disk is full or fails, or the backup is damaged.
    """
    if os.path.exists(database) and os.path.exists(backup) and os.path.samefile(backup, database):
        raise InvalidRequest("The backup and the store are the same file.")
    if not os.path.isdir(os.path.dirname(os.path.abspath(database))):
        raise InvalidRequest(f"There is no folder to put {os.path.basename(database)} in.")
    with _alone(database):
        pass  # better told now than after the copy
    with closing(open_source(backup)) as source, beside(database, FAILED) as part:
        with closing(copy(source, part, progress, os.path.basename(backup))) as copied:
            begin_new_lives(copied)
        _merge_changes(database)
        with _alone(database):
            if os.path.exists(database):
                os.chmod(part, os.stat(database).st_mode & 0o777)  # whoever could read the store still can
            kept = _keep(database)
            put_in_place(part, database)
    return kept


def begin_new_lives(connection: sqlite3.Connection) -> None:
    """Give every log of a restored file a new epoch, which names the old one and the number they share.

    The holders of its leases are gone, and so is a seal. A file of an earlier version is migrated, and becomes able to
    shrink.
    """
    run = connection.execute
    connection.create_function("restored", 1, lambda head: encode_head(decode_head(head).restored()))
    run("BEGIN IMMEDIATE")
    version = run("PRAGMA user_version").fetchone()[0]
    if version != schema.FORMAT:
        schema.migrate(connection, version)
    seals.put(connection, Seal.OPEN)
    run("UPDATE topics SET head = restored(head)")
    run("UPDATE leases SET taken = 0, deadline = 0")
    run("COMMIT")
    if not run("PRAGMA auto_vacuum").fetchone()[0]:
        run("PRAGMA auto_vacuum=incremental")
        run("VACUUM")


@contextlib.contextmanager
def _alone(database: str) -> Iterator[None]:
    """Keep every other process from the store. Raises Conflict if one has it open."""
    if fcntl is None or not os.path.exists(database):
        yield
        return
    descriptor = os.open(database, os.O_RDWR)
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, SHARED_SIZE, SHARED_FIRST)
    except OSError:
        os.close(descriptor)
        raise Conflict(IN_USE) from None
    try:
        yield
    finally:
        os.close(descriptor)


def _merge_changes(database: str) -> None:
    """Bring the changes that a killed server left in its `-wal` file into the store that is kept.

    A damaged store is kept as it is.
    """
    if not os.path.exists(database):
        return
    with open(database, "rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            return
    try:
        with opening:
            look_for_lost_changes(database)
        with closing(sqlite3.connect(database, isolation_level=None, timeout=0)) as connection:
            connection.execute("PRAGMA journal_mode=delete").fetchone()
    except Unavailable:
        return
    except sqlite3.Error as error:
        if code(error) == sqlite3.SQLITE_BUSY:
            raise Conflict(IN_USE) from None
        if code(error) not in DAMAGED:
            raise


def _keep(database: str) -> str | None:
    """Give the store that is replaced another name beside its own, and return it."""
    if not os.path.exists(database):
        return None
    kept = f"{database}.before-restore-{time.strftime('%Y%m%d-%H%M%S')}"
    # What a damaged store could not take in must not meet the new file.
    with contextlib.suppress(FileNotFoundError):
        os.rename(f"{database}-wal", f"{kept}-wal")
    with contextlib.suppress(FileNotFoundError):
        os.unlink(f"{database}-shm")
    try:
        os.link(database, kept)
    except OSError:  # a file system without hard links
        os.rename(database, kept)
    return kept
