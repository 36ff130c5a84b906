"""The thread that writes: groups, and the troubles that it survives."""

# A test may look at files, and again and again.

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.stores.kit import everything, items, put
from tests.stores.sqlite.conftest import Open, ask, fill
from tidings.errors import Unavailable
from tidings.log.journal import Journal
from tidings.stores.sqlite.group_commit import FULL, SPACE
from tidings.stores.sqlite.store import SqliteStore


async def test_waiting_updates_share_a_transaction_over_all_topics(opened: Open, path: Path) -> None:
    store = await opened()
    await asyncio.gather(*(store.update(f"t{n}", (), put()) for n in range(200)))
    assert ask(path, "SELECT commits FROM state") <= 3  # type: ignore[operator]
    assert ask(path, "SELECT count(*) FROM topics") == 200


@pytest.fixture
async def small(small_disk: Path) -> AsyncIterator[Journal]:
    """A journal whose database lies on a small disk, and holds about half of it."""
    log = Journal(SqliteStore(small_disk / "tidings.db"))
    await log.open()
    for n in range(8):
        await log.append(f"old{n}", items("x" * 900_000))
    yield log
    await log.close()


async def append_until_refused(log: Journal, topic: str, size: int) -> int:
    """The number of events that were acknowledged before the disk was full."""
    for n in range(1000):
        try:
            await log.append(topic, items("y" * size))
        except Unavailable as error:
            assert str(error) == "The database cannot be used: its disk is full."  # noqa: PT017
            return n
    raise AssertionError("the disk has no end")


async def append_when_there_is_space(log: Journal, topic: str) -> None:
    async with asyncio.timeout(30):
        while True:
            with suppress(Unavailable):
                await log.append(topic, items("z"))
                return
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("by", ["events", "others"])
async def test_on_a_full_disk_reads_go_on_and_a_deletion_makes_space(
    small: Journal, small_disk: Path, caplog: pytest.LogCaptureFixture, by: str
) -> None:
    if by == "others":
        await asyncio.to_thread(fill, small_disk)
    stored = await append_until_refused(small, "new", 100_000)
    for _ in range(20):
        with pytest.raises(Unavailable, match="its disk is full"):
            await small.append("new", items("y" * 100_000))
    assert len((await small.read("old3", None)).events) == 1
    with pytest.raises(Unavailable, match="its disk is full"):
        await small.store.probe()
    for n in range(8):
        await small.delete(f"old{n}")
    await append_when_there_is_space(small, "new")
    await small.store.probe()
    assert [len(event.data) for event in await everything(small, "new")] == [*[100_000] * stored, 1]
    lines = [record.message for record in caplog.records if record.levelname in ("ERROR", "WARNING")]
    assert lines == [FULL, SPACE]
    assert "Traceback" not in caplog.text


async def test_space_that_others_free_is_found(small: Journal, small_disk: Path) -> None:
    waste = await asyncio.to_thread(fill, small_disk)
    await append_until_refused(small, "new", 300_000)
    waste.unlink()
    await append_when_there_is_space(small, "new")


async def test_a_database_that_was_not_allowed_to_grow_goes_on(opened: Open) -> None:
    store = await opened()
    log = Journal(store)
    await log.append("a", items("1"))
    pages = store._commits._writer.connection.execute("PRAGMA page_count").fetchone()[0]
    store._commits._writer.connection.execute(f"PRAGMA max_page_count={pages + 5}")
    answers = await asyncio.gather(
        *(log.append(f"t{n}", items("x" * 100_000)) for n in range(3)), return_exceptions=True
    )
    assert {(type(answer), str(answer)) for answer in answers} == {
        (Unavailable, "The database cannot be used: its disk is full.")
    }
    assert await log.topics() == ["a"]
    store._commits._writer.connection.execute("PRAGMA max_page_count=1000000")
    await log.append("a", items("2"))
    assert [event.data for event in await everything(log, "a")] == ["1", "2"]


async def test_a_locked_database_is_told_and_survived(opened: Open, path: Path) -> None:
    store = await opened()
    log = Journal(store)
    await log.append("a", items("1"))
    store._commits._writer.patience = 0.01
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
    store._commits._writer.connection.execute("PRAGMA query_only=1")
    with pytest.raises(Unavailable, match="it is read-only"):
        await store.update("a", (), put())
    with pytest.raises(Unavailable, match="it is read-only"):
        await store.lease("a", 5, renew=False)
    store._commits._writer.connection.execute("PRAGMA query_only=0")
    assert await store.lease("a", 5, renew=False)
