"""The asynchronous client on a real event loop. tests/client/sync/test_client.py tries the calls of both clients."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest

from tests.client.both import QUICK, QuickServer
from tests.proxy import Proxy
from tidings import AsyncClient, AsyncEventSource, Client, EventSource
from tidings.access.tokens import sign
from tidings.client import AsyncRun, AsyncRuns, AsyncSubscription, Run, Runs, Subscription

SECRET = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Client, AsyncClient),
        (Runs, AsyncRuns),
        (Run, AsyncRun),
        (Subscription, AsyncSubscription),
        (EventSource, AsyncEventSource),
    ],
)
def test_both_clients_have_the_same_names_parameters_and_words(one: type, other: type) -> None:
    def public(kind: type) -> dict[str, Any]:
        return {name: value for name, value in vars(kind).items() if not name.startswith("_")}

    assert list(public(one)) == list(public(other))
    assert inspect.getdoc(one)
    assert inspect.getdoc(other)
    for name, method in public(one).items():
        theirs = public(other)[name]
        assert inspect.getdoc(method)
        assert inspect.getdoc(method) == (inspect.getdoc(theirs) or "").replace("Another task", "Another thread")
        if not isinstance(method, property):
            parameters = [
                [(p.name, p.kind, p.default) for p in inspect.signature(function).parameters.values()]
                for function in (method, theirs)
            ]
            assert parameters[0] == parameters[1]


async def test_a_coroutine_function_gives_tokens(tmp_path: Any) -> None:
    given = []

    async def fetch() -> str:
        await asyncio.sleep(0)
        given.append(sign(SECRET, "ann", publish=["*"], subscribe=["*"], seconds=60 if given else -60))
        return given[-1]

    with QuickServer(f"sqlite:///{tmp_path}/tidings.db", env={"TIDINGS_SECRET": SECRET}) as server:
        async with AsyncClient(server.url, token=fetch, **QUICK) as client:
            await client.publish("a", "x")
            assert [event.data for event in (await client.read("a")).events] == ["x"]
    assert len(given) == 2


async def test_subscriptions_and_calls_share_a_client(server: QuickServer) -> None:
    async with AsyncClient(server.url, **QUICK) as client:
        topics = [f"shared.{n}" for n in range(5)]
        subscriptions = [client.subscribe(topic) for topic in topics]
        for subscription in subscriptions:
            await subscription.__aenter__()
        await asyncio.gather(*(client.publish(topic, topic) for topic in topics))
        events = await asyncio.gather(*map(anext, subscriptions))
        assert [event.data for event in events] == topics
        for subscription in subscriptions:
            await subscription.close()


async def test_a_cancelled_reader_leaves_its_connection(server: QuickServer) -> None:
    with Proxy(server.port) as proxy:
        async with AsyncClient(proxy.url, **QUICK) as client:
            connected = asyncio.Event()

            async def read() -> None:
                async with client.subscribe("cancelled") as events:
                    connected.set()
                    await anext(events)

            reading = asyncio.create_task(read())
            await connected.wait()
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading
            await client.publish("cancelled", "x")
            assert [event.data for event in (await client.read("cancelled")).events] == ["x"]
