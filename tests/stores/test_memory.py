"""The store in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.stores.kit import Clock, Connect
from tests.stores.suite import StoreSuite
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
