"""Deleting what no caller waits for."""

from __future__ import annotations

import asyncio

import pytest

from tests.postgres import Cluster
from tests.stores.kit import Clock, put
from tests.stores.postgres.conftest import Open
from tidings.errors import Unavailable
from tidings.log.head import Change
from tidings.log.port import KEYS
from tidings.stores.postgres import tidier


async def counts(postgres: Cluster, url: str) -> list[str]:
    tables = ("records", "keys", "dead")
    query = "SELECT " + " || ' ' || ".join(f"(SELECT count(*) FROM tidings.{table})" for table in tables)
    return (await postgres.ask(query, url.rpartition("/")[2]))[0].split()


async def test_a_dead_log_goes_bit_by_bit(
    opened: Open, postgres: Cluster, url: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tidier, "PAUSE", 0.0)
    store = await opened()
    await asyncio.gather(*(store.update("a", (), put(keys=(f"k{n}",))) for n in range(1200)))
    await store.update("b", ("k",), put(keys=("k",)))
    assert await counts(postgres, url) == ["1201", "1201", "0"]
    await store.update("a", (), lambda known: Change(None))
    async with asyncio.timeout(20):
        while (await counts(postgres, url))[:2] != ["1", "1"]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    clock.now += tidier.REMEMBERED
    store._tidier.wake()
    async with asyncio.timeout(20):
        while await counts(postgres, url) != ["1", "1", "0"]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_old_keys_go(opened: Open, postgres: Cluster, url: str, clock: Clock) -> None:
    store = await opened()
    await store.update("a", ("old",), put(keys=("old",)))
    clock.now += KEYS / 2
    await store.update("a", ("new",), put(keys=("new",)))
    clock.now += KEYS / 2
    store._tidier.wake()
    async with asyncio.timeout(20):
        while (await counts(postgres, url))[1] != "1":  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_a_step_that_fails_is_told_and_tried_again(
    opened: Open, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tried: asyncio.Queue[None] = asyncio.Queue()

    async def failing(self: tidier.Tidier, connection: object) -> bool:
        tried.put_nowait(None)
        raise Unavailable("The engine is busy.")

    store = await opened()
    monkeypatch.setattr(tidier, "PAUSE", 0.0)
    monkeypatch.setattr(tidier.Tidier, "step", failing)
    async with asyncio.timeout(10):
        for _ in range(2):
            store._tidier.wake()
            await tried.get()
    await asyncio.sleep(0)
    assert "Tidying the database failed; it is tried again: The engine is busy." in caplog.text
