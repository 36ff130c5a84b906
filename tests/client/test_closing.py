"""Closing a client ends its iterations and its waiting calls in other threads and tasks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.client.scripted import Answer, script
from tests.serving import PATIENCE
from tidings import AsyncClient, AsyncEventSource, Client, EventSource, InvalidRequest, TidingsError, Unavailable
from tidings.client import AsyncRun, Run

HELD = Answer(b'data: {"topic":"a","offset":"Ab-1","type":"message","time":1,"data":"x"}\nid: Ab-1\n\n', end="hold")
BUSY = Answer(status=503, headers={"Retry-After": "1000"})

CALLS: list[tuple[Answer, Callable[[Any], Any]]] = [
    (HELD, lambda client: (AsyncRun if isinstance(client, AsyncClient) else Run)(client, "1").wait()),
    (BUSY, lambda client: client.publish("a", "x")),
    (BUSY, lambda client: client.read("a")),
]
"""The answer of the server, and a call that waits then."""


def test_an_iteration_in_another_thread_ends() -> None:
    got: list[str] = []
    came = threading.Event()

    def read() -> None:
        for event in client.subscribe("a", "earliest"):
            got.append(event.data)
            came.set()

    with script(HELD) as server:
        client = Client(server.url)
        thread = threading.Thread(target=read)
        thread.start()
        assert came.wait(PATIENCE)
        client.close()
        thread.join(PATIENCE / 2)  # the server holds the connection for longer
        assert not thread.is_alive()
    assert got == ["x"]
    assert len(server.asked) == 1


@pytest.mark.parametrize(("answer", "call"), CALLS)
def test_a_call_in_another_thread_ends(answer: Answer, call: Callable[[Any], Any]) -> None:
    with script(answer) as server:
        client = Client(server.url, patience=1e9)
        errors: list[TidingsError] = []

        def wait() -> None:
            try:
                call(client)
            except TidingsError as error:
                errors.append(error)

        thread = threading.Thread(target=wait)
        thread.start()
        assert server.came.acquire(timeout=PATIENCE)
        client.close()
        thread.join(PATIENCE / 2)
        assert not thread.is_alive()
    (error,) = errors
    assert isinstance(error, Unavailable)
    assert len(server.asked) == 1


async def test_an_iteration_in_another_task_ends() -> None:
    got: list[str] = []
    came = asyncio.Event()

    async def read() -> None:
        async for event in client.subscribe("a", "earliest"):
            got.append(event.data)
            came.set()

    with script(HELD) as server:
        client = AsyncClient(server.url)
        task = asyncio.create_task(read())
        await came.wait()
        await client.close()
        await asyncio.wait_for(task, PATIENCE / 2)
    assert got == ["x"]
    assert len(server.asked) == 1


@pytest.mark.parametrize(("answer", "call"), CALLS)
async def test_a_call_in_another_task_ends(answer: Answer, call: Callable[[Any], Any]) -> None:
    with script(answer) as server:
        client = AsyncClient(server.url, patience=1e9)
        task = asyncio.create_task(call(client))
        assert await asyncio.to_thread(server.came.acquire, timeout=PATIENCE)
        await client.close()
        with pytest.raises(Unavailable):
            await asyncio.wait_for(task, PATIENCE / 2)
    assert len(server.asked) == 1


async def test_a_closed_client_is_not_used() -> None:
    with script() as server:
        client, other = Client(server.url), AsyncClient(server.url)
        client.close()
        await other.close()
        for work in (lambda: client.publish("a", "x"), lambda: client.subscribe("a"), lambda: client.runs.get("1")):
            with pytest.raises(InvalidRequest, match="The client is closed"):
                work()
        with pytest.raises(InvalidRequest, match="The client is closed"):
            await other.publish("a", "x")
        with pytest.raises(InvalidRequest, match="The client is closed"):
            other.subscribe("a")
        client.close()
        await other.close()
    assert server.asked == []


FIRST = Answer(b"retry: 1\n\ndata: 1\n\n")


def test_an_event_source_whose_client_of_httpx_is_closed() -> None:
    with script(FIRST) as server:
        http = httpx.Client()
        events = EventSource(server.url, http=http)
        assert next(events).data == "1"
        http.close()
        with pytest.raises(InvalidRequest, match="is closed"):
            next(events)


async def test_an_event_source_of_a_task_whose_client_of_httpx_is_closed() -> None:
    with script(FIRST) as server:
        http = httpx.AsyncClient()
        events = AsyncEventSource(server.url, http=http)
        assert (await anext(events)).data == "1"
        await http.aclose()
        with pytest.raises(InvalidRequest, match="is closed"):
            await anext(events)
