"""Opening a SQLite file: its settings, and what is refused."""

# ruff: noqa: ASYNC240
# A test may look at files, and again and again.

from __future__ import annotations

from pathlib import Path

import pytest

from tests.stores.kit import put
from tests.stores.sqlite.conftest import Open
from tidings.errors import InvalidRequest, Unavailable
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
