"""Copying a SQLite file whole: beside its new place first, then with one rename, so that no half of a file is seen."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from urllib.parse import quote

from tidings.errors import InvalidRequest, TidingsError, Unavailable

from . import schema
from .connection import code, damaged, look_for_damage, look_for_lost_changes, make_private, meaning, opening

PAGES = 1_000
"""Pages that are copied between two calls of `progress`."""

Progress = Callable[[float], None]
"""A function that is told which part of the pages, from 0 to 1, has been copied."""


def open_source(path: str) -> sqlite3.Connection:
    """Open a store's file for reading, of this version or of an earlier one. It is neither made nor migrated.

    Raises InvalidRequest if there is no such file, or it is not such a store; Unavailable if it has lost commits.
    """
    name = os.path.basename(path)
    if not os.path.isfile(path):
        raise InvalidRequest(f"{path} is not a file." if os.path.exists(path) else f"There is no file {name}.")
    # A file on its own is read as it is, so that a backup may lie in a folder that nobody can write.
    mode = "mode=rw" if os.path.exists(f"{path}-wal") else "mode=ro&immutable=1"
    try:
        with opening:
            look_for_lost_changes(path)
            connection = sqlite3.connect(f"file:{quote(os.path.abspath(path))}?{mode}", uri=True, isolation_level=None)
        try:
            if schema.check(connection, name) == (0, 0):
                raise InvalidRequest(f"{name} is not a store of Tidings.")
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        if code(error) == sqlite3.SQLITE_NOTADB:
            raise InvalidRequest(f"{name} is not a SQLite database.") from None
        raise damaged(name) if code(error) == sqlite3.SQLITE_CORRUPT else meaning(error) from None
    return connection


def copy(source: sqlite3.Connection, target: str, progress: Progress, name: str) -> sqlite3.Connection:
    """Copy a database as it is at this moment to the new file `target`, whoever writes to it meanwhile.

    Returns a connection to the copy, which keeps no files beside itself and which only this user can read. Raises
    Unavailable if the copy is damaged, as the file `name`, which was copied, is then.
    """
    make_private(target)
    copied = sqlite3.connect(target, isolation_level=None)
    try:
        copied.execute("PRAGMA synchronous=off")  # `put_in_place` syncs it, once
        # In a transaction: otherwise each commit of the server would make the copy begin anew.
        source.execute("BEGIN")
        source.execute("SELECT count(*) FROM sqlite_master").fetchone()
        source.backup(copied, pages=PAGES, progress=lambda _, left, all: progress(1 - left / max(all, 1)), sleep=0)
        source.execute("COMMIT")
        copied.execute("PRAGMA journal_mode=delete")
        look_for_damage(copied, name)
    except BaseException:
        copied.close()
        raise
    return copied


@contextlib.contextmanager
def beside(path: str, what: str) -> Iterator[str]:
    """The name of a file to write instead of `path`, removed afterwards if it is still there, as after a failure.

    `what` is not done if the block fails: the sentence of an error of SQLite or of the file system says so.
    """
    part = f"{path}.partial"
    try:
        _remove(part)
        yield part
    except sqlite3.Error as error:
        raise Unavailable(f"{what}: {str(meaning(error)).partition(': ')[2]}") from None
    except OSError as error:
        raise Unavailable(f"{what}: {(error.strerror or 'the file cannot be written').lower()}.") from None
    except TidingsError:
        raise
    finally:
        _remove(part)


def put_in_place(part: str, path: str) -> None:
    """Give a finished file its name, durably."""
    sync(part)
    os.replace(part, path)
    sync(os.path.dirname(os.path.abspath(path)))


def sync(path: str) -> None:
    """Write a file, or the names in a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(part: str) -> None:
    for name in (part, f"{part}-journal", f"{part}-wal", f"{part}-shm"):
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            os.unlink(name)
