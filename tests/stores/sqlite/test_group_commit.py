"""The thread that writes: groups, and the troubles that it survives."""

# A test may look at files, and again and again.

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from tests.stores.kit import everything, items, put
from tests.stores.sqlite.conftest import Open, ask
from tidings.errors import Unavailable
from tidings.log.journal import Journal


async def test_what_waits_is_one_transaction_over_all_topics(opened: Open, path: Path) -> None:
    store = await opened()
    await asyncio.gather(*(store.update(f"t{n}", (), put()) for n in range(200)))
    assert ask(path, "SELECT commits FROM state") <= 3  # type: ignore[operator]
    assert ask(path, "SELECT count(*) FROM topics") == 200


async def test_a_full_disk_is_told_and_survived(opened: Open) -> None:
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
