"""The seal of a SQLite store: a trigger by which SQLite itself refuses changes of every process. No asyncio."""

from __future__ import annotations

import sqlite3

from tidings.log.port import Seal

TEXT = "it was moved to another store, or will be in a moment"


def put(connection: sqlite3.Connection, seal: Seal) -> None:
    """Put a seal on the store, or take it off, within the transaction that is open."""
    for each in (Seal.SEALED, Seal.MOVED):
        connection.execute(f"DROP TRIGGER IF EXISTS {each.value}")
    if seal is not Seal.OPEN:
        # Every change of a topic counts up state.commits, and so does the proof that the store can be written.
        connection.execute(
            f"CREATE TRIGGER {seal.value} BEFORE UPDATE ON state BEGIN SELECT raise(ABORT, '{TEXT}'); END"
        )


def look(connection: sqlite3.Connection) -> Seal:
    """Return the seal that is on the store."""
    row = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchone()
    return Seal(row[0]) if row else Seal.OPEN
