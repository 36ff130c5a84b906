"""The driver of plans for asyncio: interrupts from another task, and cancelled steps."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from typing import Any

import httpx
import pytest

from tests.client.scripted import Answer, script
from tests.client.test_rules import rules
from tidings.client.aio.driver import AsyncDriver, AsyncItems
from tidings.client.rules import INTERRUPTED, Read, Renew, Request, Send, Wait

ASK = Send(Request("GET", "/"), stream=True)


async def no_headers() -> dict[str, str]:
    return {}


async def test_every_step_that_waits_is_interrupted() -> None:
    held = Answer(b"data: 1\n\n", end="hold")
    with script(held) as server:
        async with httpx.AsyncClient(base_url=server.url) as http:
            driver = AsyncDriver(http, rules(), no_headers)
            driver.interrupt()  # nothing waits
            await driver.do(ASK)
            got = b""
            while got != held.body:
                chunk = await driver.do(Read())
                assert isinstance(chunk, bytes)
                got += chunk
            for step in (Read(), Wait(1000.0)):
                waiting = asyncio.create_task(driver.do(step))
                await asyncio.sleep(0)
                driver.interrupt()
                assert await waiting == INTERRUPTED
            assert await driver.do(Renew()) is False
            await driver.close()
            await driver.close()


async def test_a_cancelled_step_costs_no_item() -> None:
    replies: list[Any] = []

    def plan() -> Generator[Any, Any, None]:
        replies.append((yield Wait(1000.0)))
        yield "an item"

    async with httpx.AsyncClient() as http:
        items: AsyncItems[str] = AsyncItems(AsyncDriver(http, rules(), no_headers), plan())
        assert not items.begun
        waiting = asyncio.create_task(anext(items))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert items.begun
        assert [item async for item in items] == ["an item"]
        assert replies == [INTERRUPTED]
        assert await items.close()


async def test_a_waiting_task_is_left_to_close_what_it_waits_with() -> None:
    def plan() -> Generator[Any, Any, None]:
        yield Wait(1000.0)
        yield "an item that comes too late"

    async with httpx.AsyncClient() as http:
        items: AsyncItems[str] = AsyncItems(AsyncDriver(http, rules(), no_headers), plan())
        waiting = asyncio.create_task(anext(items, None))
        await asyncio.sleep(0)
        assert not await items.close()
        assert await waiting is None
