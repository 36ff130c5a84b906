"""The store in a SQLite file: the suite of all stores, and what only a file and its processes can do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.stores.kit import Clock, Connect
from tests.stores.suite import StoreSuite
from tidings.stores.base import Store
from tidings.stores.sqlite import SqliteStore


@pytest.fixture
async def connect(tmp_path: Path, clock: Clock) -> AsyncIterator[Connect]:
    stores: list[SqliteStore] = []

    async def connect() -> Store:
        stores.append(SqliteStore(tmp_path / "tidings.db", clock=clock))
        await stores[-1].open()
        return stores[-1]

    yield connect
    for store in stores:
        await store.close()


class TestSqliteStore(StoreSuite):
    pass
