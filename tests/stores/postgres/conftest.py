"""PostgreSQL databases for the tests of the store, and the stores on them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from tests.stores.kit import Clock
from tidings.stores.postgres.store import PostgresStore

Open = Callable[..., Awaitable[PostgresStore]]


@pytest.fixture
def url(postgres_url: str) -> str:
    return postgres_url


@pytest.fixture
def made(url: str, clock: Clock) -> Callable[..., PostgresStore]:
    return lambda options="": PostgresStore(url + options, clock=clock, steady=clock)
