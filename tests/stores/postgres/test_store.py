"""The store in a PostgreSQL database: the suite of all stores, and its life in a process."""

from __future__ import annotations

import asyncio

from tests.stores.kit import Clock, put
from tests.stores.postgres.conftest import Open
from tests.stores.suite import StoreSuite
from tests.stores.suite_life import LifeSuite


class TestPostgresStore(StoreSuite, LifeSuite):
    pass


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
