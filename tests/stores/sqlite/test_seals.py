"""The seal of a SQLite store."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from tests.stores.kit import put
from tests.stores.sqlite.conftest import Open
from tidings.log.port import Seal
from tidings.stores.sqlite.backup import back_up
from tidings.stores.sqlite.restore import restore
from tidings.stores.sqlite.store import SqliteStore


async def test_sqlite_itself_refuses_changes(opened: Open, path: Path) -> None:
    """A process of an earlier version, which knows nothing of seals, is refused, too."""
    store = await opened()
    await store.update("a", (), put())
    await store.seal(Seal.MOVED)

    def change() -> None:
        connection = sqlite3.connect(path)
        try:
            connection.execute("UPDATE state SET commits = commits + 1")
        finally:
            connection.close()

    with pytest.raises(sqlite3.IntegrityError, match="it was moved to another store"):
        await asyncio.to_thread(change)


async def test_a_restored_backup_has_no_seal(opened: Open, path: Path, tmp_path: Path) -> None:
    store = await opened()
    await store.update("a", (), put())
    await store.seal(Seal.MOVED)
    backup, other = str(tmp_path / "backup.db"), str(tmp_path / "other.db")
    await asyncio.to_thread(back_up, str(path), backup)
    await asyncio.to_thread(restore, backup, other)
    restored = SqliteStore(other)
    await restored.open()
    try:
        assert await restored.seal() is Seal.OPEN
        await restored.update("a", (), put())
    finally:
        await restored.close()
