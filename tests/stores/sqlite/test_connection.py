"""Opening a SQLite file: its settings, and what is refused."""

# ruff: noqa: ASYNC240
# A test may look at files, and again and again.

from __future__ import annotations

import sqlite3
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.stores.kit import put
from tests.stores.sqlite.conftest import Open
from tidings.errors import InvalidRequest, Unavailable
from tidings.stores.sqlite import connection as module
from tidings.stores.sqlite.connection import connect
from tidings.stores.sqlite.store import SqliteStore


@pytest.mark.parametrize(("durability", "pragma"), [("full", 2), ("normal", 1)])
async def test_durability_is_what_was_asked_for(opened: Open, durability: str, pragma: int) -> None:
    connection = (await opened(durability=durability))._commits._writer.connection
    assert connection.execute("PRAGMA synchronous").fetchone() == (pragma,)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


async def test_a_damaged_database_is_told(opened: Open, path: Path) -> None:
    store = await opened()
    for n in range(50):
        await store.update(f"t{n}", (), put(size=5000))
    await store.close()
    raw = bytearray(path.read_bytes())
    raw[4096:] = b"\xff" * (len(raw) - 4096)
    path.write_bytes(raw)
    with pytest.raises(Unavailable, match=r"^tidings\.db is damaged\. Restore a backup of it: tidings restore FILE$"):
        await opened()


@pytest.mark.parametrize("content", [b"this is no database, but a letter to a friend" * 100, b"SQLite format 3\0" * 99])
async def test_a_file_that_is_no_database_is_refused(opened: Open, path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(InvalidRequest, match=r"^tidings\.db is not a SQLite database\.$"):
        await opened()
    assert path.read_bytes() == content


async def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "missing" / "tidings.db")
    with pytest.raises(Unavailable, match="its folder is missing"):
        await store.open()
    await store.close()


def test_a_file_that_another_process_makes_at_the_same_time_is_tried_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite refuses at once to change the mode of a file beside another writer, without its time-out."""
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    statements = ["COMMIT", "BEGIN IMMEDIATE"]

    class Beside(sqlite3.Connection):
        def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
            if sql == "PRAGMA journal_mode=WAL" and len(statements) == 2:
                other.execute(statements.pop())
            return super().execute(sql, *parameters)

    def pause(seconds: float) -> None:
        other.execute(statements.pop())

    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Beside))
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=module.time.monotonic, sleep=pause))
    connect(str(path), "full").close()
    other.close()
    assert statements == []


def test_a_file_system_without_shared_memory_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite's own layer of lock files has no shared memory, as some file systems of a network have none."""
    through = partial(sqlite3.connect, f"file:{path}?vfs=unix-dotfile", uri=True)
    monkeypatch.setattr(sqlite3, "connect", lambda path, **options: through(**options))
    with pytest.raises(InvalidRequest, match=r"^The file system of tidings\.db cannot hold a database that several"):
        connect(str(path), "full")
