"""Leases by the clock of the engine; the suite of all stores turns a clock of its own."""

from __future__ import annotations

import asyncio

from tidings.stores.postgres.store import PostgresStore


async def test_a_lease_lapses_by_the_clock_of_the_engine(url: str) -> None:
    store = PostgresStore(url)
    await store.open()
    try:
        assert await store.lease("late", 0.0, renew=False)
        assert await store.lease("held", 60.0, renew=False)
        await asyncio.sleep(0.01)
        assert list(await store.lapsed()) == ["late"]
        assert await store.lease("late", 60.0, renew=True)
        assert list(await store.lapsed()) == []
    finally:
        await store.close()
