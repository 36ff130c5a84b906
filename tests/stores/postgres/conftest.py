"""PostgreSQL databases for the tests of the store, and the stores that are open on them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from tests.stores.kit import Clock, Connect
from tidings.log.port import Store
from tidings.stores.postgres.store import PostgresStore

Open = Callable[..., Awaitable[PostgresStore]]


@pytest.fixture
def url(postgres_url: str) -> str:
    return postgres_url


@pytest.fixture
async def opened(url: str, clock: Clock) -> AsyncIterator[Open]:
    """`await opened()` opens one more store on the database, as another process would."""
    stores: list[PostgresStore] = []

    async def opened(options: str = "") -> PostgresStore:
        store = PostgresStore(url + options, clock=clock, steady=clock)
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
