"""The fixtures of the suite of all stores: a clock to turn, a store, and logs over it."""

from __future__ import annotations

import pytest

from tests.stores.kit import Clock, Connect, Logs
from tidings.log.journal import Journal
from tidings.log.port import Store


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def store(connect: Connect) -> Store:
    return await connect()


@pytest.fixture
def logs(connect: Connect, clock: Clock) -> Logs:
    """`await logs()`: one more log on the same data."""

    async def log() -> Journal:
        return Journal(await connect(), clock=clock)

    return log


@pytest.fixture
async def log(logs: Logs) -> Journal:
    return await logs()
