"""SQLite files for the tests of the store, and the stores that are open on them."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from tests.stores.kit import Clock, Connect
from tidings.log.port import Store
from tidings.stores.sqlite.store import SqliteStore

Open = Callable[..., Awaitable[SqliteStore]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tidings.db"


@pytest.fixture
async def opened(path: Path, clock: Clock) -> AsyncIterator[Open]:
    """`await opened()` opens one more store on the file, as another process would."""
    stores: list[SqliteStore] = []

    async def opened(**options: str) -> SqliteStore:
        store = SqliteStore(path, clock=clock, steady=clock, **options)
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
    """The first value of a query, by a connection that Tidings knows nothing of."""
    connection = sqlite3.connect(path)
    try:
        return connection.execute(question).fetchone()[0]
    finally:
        connection.close()
