"""The store in a PostgreSQL database: the suite of all stores, and its life in a process."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

from tests.stores.kit import Clock, put, until
from tests.stores.postgres.conftest import Open
from tests.stores.suite import StoreSuite
from tidings.errors import Unavailable
from tidings.events import Offset
from tidings.stores.postgres.store import PostgresStore


class TestPostgresStore(StoreSuite):
    pass


async def test_a_store_that_was_never_opened_closes(url: str) -> None:
    store = PostgresStore(url)
    with pytest.raises(Unavailable, match="not open yet"):
        await store.load("a")
    await store.close()
    with pytest.raises(Unavailable, match="closed"):
        await store.update("a", (), put())


def test_a_closed_store_opens_again_in_another_event_loop(url: str) -> None:
    store = PostgresStore(url)

    async def life(number: int) -> None:
        await store.open()
        feed = store.changes()
        assert await anext(feed) is None
        assert (await store.update("a", (), put())).head.tail == number  # type: ignore[union-attr]
        await until(feed, "a", Offset("epoch1", number))
        await store.close()
        with pytest.raises(Unavailable, match="is closed"):
            await store.load("a")

    for number in (1, 2, 3):
        asyncio.run(life(number))


async def test_many_probes_are_one_write(opened: Open, clock: Clock) -> None:
    store = await opened()
    store._proved = 0.0
    assert await asyncio.gather(*(store.probe() for _ in range(50))) == [None] * 50
    await store.update("a", (), put())
    clock.now += 7
    assert await store.probe() == 7
    lost = asyncio.ensure_future(store.lost())
    await asyncio.sleep(0)
    assert not lost.done()
    lost.cancel()


def test_a_loop_that_ends_without_closing_does_not_hang(url: str) -> None:
    code = f"""
import asyncio
from tidings.log.journal import Journal
from tidings.stores import open_store

async def main():
    log = Journal(open_store({url!r}))
    await log.open()
    print(await log.append("a", [("message", "x")]))
asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    assert "n=1" in done.stdout
