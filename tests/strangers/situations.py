"""Four situations in which a server and its readers may find themselves, tried with every client at once."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from tempfile import TemporaryDirectory

from tests import proxy
from tests.serving import ServerProcess
from tests.streams import request

from .clients import Client
from .follower import Follower

TOPIC = "strangers.numbers"
FIRST = [f"{n} €" for n in range(1, 6)]
THEN = [f"{n} €" for n in range(6, 11)]
"""The data of the events before and after something happens to the server. The sign is not ASCII: a reader that takes
the stream for Latin-1 shows other text."""

AGAIN = 3
"""Requests after the end of the topic by which a client is known to come back for ever."""


@dataclass(frozen=True)
class Outcome:
    """The events that a client handed out, how it ended (empty: it goes on), and its requests after the end."""

    texts: Sequence[str]
    ended: str
    asked: int = 0


async def publish(server: ServerProcess, texts: Sequence[str]) -> None:
    lines = "\n".join(json.dumps({"data": text}) for text in texts)
    headers = {"content-type": "application/x-ndjson"}
    answer = await request(f"{server.url}/topics/{TOPIC}/events", "POST", lines, headers)
    assert answer.status == 201, answer


@asynccontextmanager
async def server_process() -> AsyncIterator[ServerProcess]:
    with TemporaryDirectory() as folder:
        server = await asyncio.to_thread(ServerProcess, f"sqlite:///{folder}/tidings.db")
        try:
            yield server
        finally:
            await asyncio.to_thread(server.kill)


async def live(server: ServerProcess) -> None:
    """Do nothing: the readers follow on."""


async def killed(server: ServerProcess) -> None:
    """Kill the server with SIGKILL and start it again."""
    await asyncio.to_thread(server.kill)
    await asyncio.to_thread(server.start)


async def deployed(server: ServerProcess) -> None:
    """End the server with SIGTERM, as a deploy does, and start it again. It ends by the signal, once it has drained."""
    assert await asyncio.to_thread(server.terminate) == -signal.SIGTERM, server.output
    assert "Stopped: every stream has ended" in server.output[-1]
    await asyncio.to_thread(server.start)


async def follow_over(
    clients: Mapping[str, Client], happens: Callable[[ServerProcess], Awaitable[None]]
) -> dict[str, Outcome]:
    """Publish, let something happen to the server, publish more: what each client has read."""
    async with server_process() as server, AsyncExitStack() as stack:
        url = f"{server.url}/events?topic={TOPIC}&after=earliest"
        followers = await together(stack, {name: (client, url) for name, client in clients.items()})
        await publish(server, FIRST)
        await read_up_to(followers, FIRST[-1])
        await happens(server)
        await publish(server, THEN)
        await read_up_to(followers, THEN[-1])
        return {name: Outcome(one.texts[:], one.ended) for name, one in followers.items()}


async def follow_to_the_end(clients: Mapping[str, Client]) -> dict[str, Outcome]:
    """Publish, close the topic, and see which clients end and which come back for ever.

    Each client has a proxy of its own, which counts its requests.
    """
    async with server_process() as server, AsyncExitStack() as stack:
        ways = {name: proxy.Server(server.port) for name in clients}
        asked = {}
        for name, way in ways.items():
            port = await way.start()
            asked[name] = clients[name], f"http://127.0.0.1:{port}/events?topic={TOPIC}&after=earliest"
            stack.callback(way.listener.close)
        followers = await together(stack, asked)
        await publish(server, [*FIRST, *THEN])
        await read_up_to(followers, THEN[-1])
        before = {name: len(way.targets) for name, way in ways.items()}
        await request(f"{server.url}/topics/{TOPIC}/close", "POST")

        async def end(name: str, one: Follower) -> None:
            while not one.ended and len(ways[name].targets) < before[name] + AGAIN:  # noqa: ASYNC110 a proxy tells nobody
                await asyncio.sleep(0.05)

        async with asyncio.timeout(120), asyncio.TaskGroup() as group:
            for name, one in followers.items():
                group.create_task(end(name, one))
        return {
            name: Outcome(one.texts[:], one.ended, len(ways[name].targets) - before[name])
            for name, one in followers.items()
        }


async def together(stack: AsyncExitStack, asked: Mapping[str, tuple[Client, str]]) -> dict[str, Follower]:
    """Start the clients at once: each takes some tenths of a second."""
    entered = await asyncio.gather(
        *(stack.enter_async_context(client(name, url)) for name, (client, url) in asked.items())
    )
    return dict(zip(asked, entered, strict=True))


async def read_up_to(followers: Mapping[str, Follower], text: str) -> None:
    """Wait until every client has ended or handed out this text, or what it takes for it."""
    number = text.partition(" ")[0]
    async with asyncio.TaskGroup() as group:
        for one in followers.values():
            group.create_task(one.until(lambda one=one: any(t.partition(" ")[0] == number for t in one.texts)))


Situation = Callable[[Mapping[str, Client]], Awaitable[dict[str, Outcome]]]

SITUATIONS: Mapping[str, Situation] = {
    "live": lambda clients: follow_over(clients, live),
    "kill": lambda clients: follow_over(clients, killed),
    "SIGTERM": lambda clients: follow_over(clients, deployed),
    "close": follow_to_the_end,
}
