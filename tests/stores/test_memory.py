"""The store in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.stores.kit import Clock, Connect, put
from tests.stores.suite import StoreSuite
from tidings.errors import Unavailable
from tidings.log.port import Store
from tidings.stores.memory import MemoryStore


class TestMemoryStore(StoreSuite):
    @pytest.fixture
    async def connect(self, clock: Clock) -> AsyncIterator[Connect]:
        store = MemoryStore(clock=clock, steady=clock)
        await store.open()

        async def connect() -> Store:
            return store

        yield connect
        await store.close()


async def test_a_closed_store_opens_again_with_its_logs(clock: Clock) -> None:
    store = MemoryStore(clock=clock, steady=clock)
    for number in (1, 2):
        await store.open()
        assert await anext(store.changes()) is None
        assert (await store.update("a", (), put())).head.tail == number  # type: ignore[union-attr]
        await store.close()
        with pytest.raises(Unavailable):
            await store.load("a")
