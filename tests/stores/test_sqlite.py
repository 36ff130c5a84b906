"""The store in a SQLite file: the suite of all stores, and what only a file can do. See also test_processes.py."""

# ruff: noqa: ASYNC110, ASYNC240
# A test may look at files, and again and again.

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.stores.kit import Clock, Connect, everything, items, put
from tests.stores.suite import StoreSuite
from tidings.errors import InvalidRequest, Unavailable
from tidings.events import Offset
from tidings.log.journal import Journal
from tidings.log.port import Store
from tidings.stores.sqlite import reader as database
from tidings.stores.sqlite import store as sqlite
from tidings.stores.sqlite import writer as transaction
from tidings.stores.sqlite.reader import FORMAT
from tidings.stores.sqlite.store import SqliteStore

Open = Callable[..., Awaitable[SqliteStore]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tidings.db"


@pytest.fixture
async def opened(path: Path, clock: Clock) -> AsyncIterator[Open]:
    stores: list[SqliteStore] = []

    async def opened(**options: str) -> SqliteStore:
        store = SqliteStore(path, clock=clock, **options)
        await store.open()
        stores.append(store)
        return store

    yield opened
    for store in stores:
        await store.close()


@pytest.fixture
def connect(opened: Open) -> Connect:
    async def connect() -> Store:
        return await opened()

    return connect


def ask(path: Path, question: str) -> object:
    """One value, by a connection that Tidings knows nothing of."""
    connection = sqlite3.connect(path)
    try:
        return connection.execute(question).fetchone()[0]
    finally:
        connection.close()


class TestSqliteStore(StoreSuite):
    pass


# ---------------------------------------------------------------- durability and groups


@pytest.mark.parametrize(("durability", "pragma"), [("full", 2), ("normal", 1)])
async def test_durability_is_what_was_asked_for(opened: Open, durability: str, pragma: int) -> None:
    connection = (await opened(durability=durability))._writer._connection
    assert connection.execute("PRAGMA synchronous").fetchone() == (pragma,)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


async def test_what_waits_is_one_transaction_over_all_topics(opened: Open, path: Path) -> None:
    store = await opened()
    await asyncio.gather(*(store.update(f"t{n}", (), put()) for n in range(200)))
    assert ask(path, "SELECT commits FROM state") <= 3  # type: ignore[operator]
    assert ask(path, "SELECT count(*) FROM topics") == 200


async def test_a_transaction_ends_when_it_is_large(opened: Open, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transaction, "GROUP_BYTES", 1000)
    store = await opened()
    await asyncio.gather(*(store.update(f"t{n}", (), put(size=400)) for n in range(30)))
    assert 10 <= ask(path, "SELECT commits FROM state") <= 11  # type: ignore[operator]
    assert ask(path, "SELECT count(*) FROM records") == 30


async def test_nothing_to_write_is_no_commit(opened: Open, path: Path) -> None:
    store = await opened()
    await store.update("a", (), put())
    await store.update("a", (), lambda known: None)
    assert ask(path, "SELECT commits FROM state") == 1


async def test_dead_rows_are_deleted_bit_by_bit(opened: Open, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "TIDY", 0.001)
    log = Journal(await opened())
    await asyncio.gather(*(log.append("a", items("x" * 900_000, str(n)), key=f"k{n}") for n in range(5)))
    await log.append("b", items("stays"), key="k")
    await log.delete("a")
    async with asyncio.timeout(10):
        while ask(path, "SELECT (SELECT count(*) FROM dead) + (SELECT count(*) FROM keys)") != 1:
            await asyncio.sleep(0.01)
    assert ask(path, "SELECT count(*) FROM records") == 1


async def test_what_a_process_left_untidy_the_next_tidies(
    opened: Open, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "TIDY", 3600.0)
    store = await opened()
    store._tidied = 1e12
    await store.update("a", (), put(keys=("k",)))
    await store.update("a", (), lambda known: transaction.Change(None))
    await store.close()
    assert ask(path, "SELECT count(*) FROM records") == 1
    monkeypatch.setattr(sqlite, "TIDY", 0.001)
    await opened()
    async with asyncio.timeout(10):
        while ask(path, "SELECT count(*) FROM dead"):
            await asyncio.sleep(0.01)
    assert ask(path, "SELECT count(*) FROM records") == 0


async def test_old_keys_are_deleted(opened: Open, path: Path, clock: Clock) -> None:
    store = await opened()
    await store.update("a", (), put(keys=("old",)))
    clock.now += 24 * 3600
    await store.update("a", (), put(keys=("new",)))
    store._writer.untidy = True
    await store.update("a", (), put())
    async with asyncio.timeout(10):
        while ask(path, "SELECT group_concat(key) FROM keys") != "new":
            await asyncio.sleep(0.01)


# ---------------------------------------------------------------- what goes wrong


async def test_a_full_disk_is_told_and_survived(opened: Open) -> None:
    store = await opened()
    log = Journal(store)
    await log.append("a", items("1"))
    pages = store._writer._connection.execute("PRAGMA page_count").fetchone()[0]
    store._writer._connection.execute(f"PRAGMA max_page_count={pages + 5}")
    answers = await asyncio.gather(
        *(log.append(f"t{n}", items("x" * 100_000)) for n in range(3)), return_exceptions=True
    )
    assert {(type(answer), str(answer)) for answer in answers} == {
        (Unavailable, "The database cannot be used: its disk is full.")
    }
    assert await log.topics() == ["a"]
    store._writer._connection.execute("PRAGMA max_page_count=1000000")
    await log.append("a", items("2"))
    assert [event.data for event in await everything(log, "a")] == ["1", "2"]


async def test_a_locked_database_is_told_and_survived(opened: Open, path: Path) -> None:
    store = await opened()
    log = Journal(store)
    await log.append("a", items("1"))
    store._writer.patience = 0.01
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match="another process keeps it locked"):
        await log.append("a", items("2"))
    assert (await log.read("a", None)).tail.n == 1
    other.execute("COMMIT")
    await log.append("a", items("3"))
    other.execute("BEGIN IMMEDIATE")
    late = asyncio.ensure_future(log.append("a", items("4")))
    await asyncio.sleep(0)
    await asyncio.wait_for(log.close(), 10)
    with pytest.raises(Unavailable):
        await late
    other.close()
    assert ask(path, "SELECT count(*) FROM records") == 2


async def test_a_read_only_database_is_told(opened: Open) -> None:
    store = await opened()
    store._writer._connection.execute("PRAGMA query_only=1")
    with pytest.raises(Unavailable, match="it is read-only"):
        await store.update("a", (), put())
    with pytest.raises(Unavailable, match="it is read-only"):
        await store.lease("a", 5, renew=False)
    store._writer._connection.execute("PRAGMA query_only=0")
    assert await store.lease("a", 5, renew=False)


async def test_a_failure_forgets_the_heads_it_would_have_written(opened: Open) -> None:
    store = await opened()
    await store.update("a", (), put())
    pages = store._writer._connection.execute("PRAGMA page_count").fetchone()[0]
    store._writer._connection.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(Unavailable, match="its disk is full"):
        await store.update("a", (), put(size=100_000))
    known = await store.update("a", (), put())
    assert known.head
    assert known.head.tail == 2
    assert [record.base for record in (await store.read("a", 0, 10))[1]] == [0, 1]


async def test_a_damaged_database_is_told(opened: Open, path: Path) -> None:
    store = await opened()
    for n in range(50):
        await store.update(f"t{n}", (), put(size=5000))
    await store.close()
    raw = bytearray(path.read_bytes())
    raw[4096:] = b"\xff" * (len(raw) - 4096)
    path.write_bytes(raw)
    with pytest.raises(Unavailable, match="it is damaged"):
        await opened()


@pytest.mark.parametrize("content", [b"this is no database, but a letter to a friend" * 100, b"SQLite format 3\0" * 99])
async def test_a_file_that_is_no_database_is_refused(opened: Open, path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(InvalidRequest, match=r"^tidings\.db is not a SQLite database\.$"):
        await opened()
    assert path.read_bytes() == content


async def test_a_database_of_another_application_is_refused(opened: Open, path: Path) -> None:
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE topics (name)")
    other.close()
    with pytest.raises(InvalidRequest, match=r"^tidings\.db is a database of another application\.$"):
        await opened()


async def test_a_database_of_a_newer_version_is_refused(opened: Open, path: Path) -> None:
    await (await opened()).close()
    other = sqlite3.connect(path)
    other.execute(f"PRAGMA user_version={FORMAT + 1}")
    other.close()
    with pytest.raises(
        InvalidRequest, match=r"made by a newer version of Tidings: its format is 2, this one reads 1\.$"
    ):
        await opened()


async def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "missing" / "tidings.db")
    with pytest.raises(Unavailable, match="its folder is missing"):
        await store.open()
    await store.close()


async def test_a_removed_database_is_no_longer_written(
    opened: Open, path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sqlite, "POLL", 0.01)
    store = await opened()
    await store.update("a", (), put())
    path.rename(path.with_name("moved.db"))
    async with asyncio.timeout(10):
        while True:
            try:
                await store.update("a", (), put())
            except Unavailable as error:
                assert str(error) == "The database was removed or replaced while it was open."  # noqa: PT017
                break
    assert "Restart this process" in caplog.text


async def test_several_processes_may_make_one_file_at_once(opened: Open) -> None:
    stores = await asyncio.gather(*(opened() for _ in range(8)))
    await asyncio.gather(*(store.update("a", (), put()) for store in stores))
    assert (await stores[0].load("a")).tail == 8  # type: ignore[union-attr]


async def test_a_file_that_is_being_made_is_not_taken_for_another_application_s(tmp_path: Path) -> None:
    """Its identity is several numbers, which another process writes together: they must be read together."""

    def make(path: str, together: threading.Barrier) -> None:
        together.wait()
        database.connect(path, "normal").close()

    with ThreadPoolExecutor(8) as pool:
        for n in range(40):
            together = threading.Barrier(8)
            making = [pool.submit(make, str(tmp_path / f"{n}.db"), together) for _ in range(8)]
            for made in making:
                await asyncio.wrap_future(made)


async def test_a_store_that_was_never_opened_closes(path: Path) -> None:
    store = SqliteStore(path)
    await store.close()
    assert not path.exists()
    with pytest.raises(Unavailable):
        await store.load("a")


def test_a_loop_that_ends_without_closing_does_not_hang(path: Path) -> None:
    code = f"""
import asyncio
from tidings.log.journal import Journal
from tidings.stores.sqlite.store import SqliteStore
async def main():
    log = Journal(SqliteStore({str(path)!r}))
    await log.open()
    print(await log.append("a", [("message", "x")]))
asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    assert "n=1" in done.stdout
    assert done.stderr == ""


async def test_the_head_of_a_log_written_by_another_process_is_seen(opened: Open) -> None:
    """The writer remembers heads only until somebody else has written."""
    one, two = await opened(), await opened()
    for n in range(1, 20, 2):
        assert (await one.update("a", (), put())).head.tail == n  # type: ignore[union-attr]
        assert (await two.update("a", (), put())).head.tail == n + 1  # type: ignore[union-attr]
    await two.update("a", (), lambda known: transaction.Change(None))
    assert (await one.update("a", (), put())).head.tail == 1  # type: ignore[union-attr]
    assert (await one.read("a", 0, 10))[1][0].base == 0
    assert Offset("epoch1", 1) == Offset("epoch1", (await two.load("a")).tail)  # type: ignore[union-attr]
