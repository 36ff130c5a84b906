"""The fixtures of the suite of all stores: a clock to turn, a store, and logs over it.

The folder of an engine has a fixture `made`, which makes a store that is not open yet, and one for the store's `url`.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from tests.stores.kit import Clock, Connect, Logs, Start
from tidings.log.journal import Journal
from tidings.log.port import Store


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def opened(made: Callable[..., Store]) -> AsyncIterator[Callable[..., Awaitable[Store]]]:
    """`await opened()` opens one more store on the same data, as another process would."""
    stores: list[Store] = []

    async def opened(*arguments: str, **options: str) -> Store:
        store = made(*arguments, **options)
        await store.open()
        stores.append(store)
        return store

    yield opened
    for store in stores:
        await store.close()


@pytest.fixture
def connect(opened: Connect) -> Connect:
    return opened


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


@pytest.fixture
async def start(url: str) -> AsyncIterator[Start]:
    """`await start(what, name)` starts a process of `worker.py` on the store, which is killed in the end."""
    workers: list[asyncio.subprocess.Process] = []

    async def start(what: str, name: str = "w", **env: str) -> asyncio.subprocess.Process:
        worker = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.stores.worker", what, url, name),
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, **env},
            cwd=Path(__file__).parents[2],
        )
        workers.append(worker)
        return worker

    yield start
    for worker in workers:
        if worker.returncode is None:
            worker.kill()
        assert worker.stdout
        await worker.stdout.read()
        await worker.wait()
