"""Event sources on a real event loop: several tasks, and reads that are cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import httpx
import pytest

from tests.client.scripted import Answer, script
from tests.serving import PATIENCE
from tidings import AsyncEventSource, adecode

pytestmark = pytest.mark.usefixtures("soon")

HELD = Answer(b"retry: 50000\n\n", end="hold")
LAST = Answer(b"id: 2\ndata: 2\n\ndata: [DONE]\n\n")


async def read(events: AsyncEventSource) -> list[str]:
    return [event.data async for event in events]


async def test_a_read_that_is_cancelled_loses_nothing() -> None:
    with script(Answer(b"id: 1\ndata: 1\n\n", end="hold"), LAST) as server:
        async with AsyncEventSource(server.url) as events:
            assert (await anext(events)).data == "1"
            for _ in range(2):
                waiting = asyncio.create_task(anext(events))
                await asyncio.sleep(0)
                waiting.cancel()
                with suppress(asyncio.CancelledError):
                    await waiting
            assert await read(events) == ["2", "[DONE]"]
    assert [asked.headers.get("last-event-id") for asked in server.asked] == [None, "1"]


@pytest.mark.parametrize("first", [HELD, Answer(b"retry: 50000\n\n")], ids=["reading", "pausing"])
@pytest.mark.parametrize("how", ["reconnect", "close"])
async def test_another_task_interrupts(first: Answer, how: str) -> None:
    paused = asyncio.Event()
    with script(first, LAST) as server:
        events = AsyncEventSource(server.url, on_error=lambda _: paused.set())
        async with events:
            reading = asyncio.create_task(read(events))
            if first is HELD:
                await asyncio.sleep(0)
            else:
                await asyncio.wait_for(paused.wait(), PATIENCE)
                await asyncio.sleep(0)
            if how == "close":
                await events.close()
            else:
                events.reconnect()
            got = await asyncio.wait_for(reading, PATIENCE)
    assert got == ([] if how == "close" else ["2", "[DONE]"])


async def test_a_second_task_cannot_wait_and_ends_nothing() -> None:
    with script(HELD, LAST) as server:
        async with AsyncEventSource(server.url) as events:
            reading = asyncio.create_task(read(events))
            await asyncio.sleep(0)
            with pytest.raises(RuntimeError, match="Another task waits"):
                await anext(events)
            events.reconnect()
            assert await asyncio.wait_for(reading, PATIENCE) == ["2", "[DONE]"]


async def test_a_coroutine_function_gives_headers() -> None:
    async def fetch() -> dict[str, str]:
        await asyncio.sleep(0)
        return {"authorization": "Bearer abc"}

    with script(LAST) as server:
        assert await read(AsyncEventSource(server.url, headers=fetch)) == ["2", "[DONE]"]
    assert server.asked[0].headers["authorization"] == "Bearer abc"


async def test_a_time_out_of_the_headers_function_is_not_ours() -> None:
    async def fetch() -> dict[str, str]:
        raise TimeoutError("The identity provider is slow.")

    with pytest.raises(TimeoutError, match="identity provider"):
        await read(AsyncEventSource("http://127.0.0.1:1", headers=fetch))


async def test_a_client_that_is_passed_sends_and_stays_open() -> None:
    with script(LAST) as server:
        async with httpx.AsyncClient(headers={"x-from": "me"}) as http:
            assert await read(AsyncEventSource(server.url, http=http)) == ["2", "[DONE]"]
            assert (await http.get(server.url)).status_code == 204
    assert [asked.headers["x-from"] for asked in server.asked] == ["me"] * 2


async def test_awaited_chunks_are_decoded() -> None:
    async def chunks() -> AsyncIterator[Any]:
        for byte in b"id: 7\nevent: t\ndata: a\ndata: b\n\ndata: unfinished":
            yield bytes([byte])

    assert [(event.type, event.data, event.id) async for event in adecode(chunks())] == [("t", "a\nb", "7")]
