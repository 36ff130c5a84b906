"""A process that is told to go: out within 5 seconds, quietly, and its clients go on where they were."""

from __future__ import annotations

import asyncio
import json
import os
import re
import resource
import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import uvicorn
from fastapi import FastAPI

from tests.drain.waiting import Waiting
from tests.model_server import Write, delta, stand_in
from tests.mounted.foreign import ForeignServer, free_port
from tests.serving import ServerProcess
from tests.streams import PATIENCE, Stream, many_streams, request, streaming
from tidings import EventStreamResponse, Hub

STREAMS = 1000
VIEWERS = 50
LEAVING = 5.0
"""Seconds in which a process that was told to go is gone: the product's promise, for a process that has a core."""

JSON = {"content-type": "application/json"}
WENT = {0, -15}
"""Exit statuses of a SIGTERM that was obeyed. uvicorn ends by the signal itself, its parent of workers by 0."""


@pytest.fixture(autouse=True)
def many_files() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@asynccontextmanager
async def serving(name: str, store: str, **settings: str) -> AsyncIterator[ServerProcess]:
    """`tidings serve`, or an app on a server that is not ours. What is asked, it begins to answer, and never ends."""

    async def begin(write: Write) -> None:
        await write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
        await write(b"data: " + json.dumps(delta(content="Well, ")).encode() + b"\n\n")
        await asyncio.Event().wait()

    async with stand_in(begin) as model:
        if name.startswith("tidings"):
            env = {"TIDINGS_MODEL_URL": model.url, "TIDINGS_MODEL": "slow", **settings}
            args = ("--workers", "2") if name == "tidings-workers" else ()
            server = await asyncio.to_thread(ServerProcess, store, env=env, args=args)
        else:
            server = await asyncio.to_thread(ForeignServer, name, "in_fastapi:app", store)
        with server:
            yield server


async def publish(server: ServerProcess, text: str) -> None:
    said = await request(f"{server.url}/topics/chat.a/events", "POST", text)
    assert said.status in (200, 201), said


class Client:
    """A client that follows a topic as an EventSource does: it returns with the last id when its stream ends."""

    def __init__(self, url: str, last: str) -> None:
        self.url, self.last = url, last
        self.texts: list[str] = []
        self.begun, self.done = asyncio.Event(), False
        self.ends: list[bool | None] = []

    async def run(self) -> None:
        while not self.done:
            try:
                async with streaming(self.url, self.last) as stream:
                    await self._follow(stream)
            except TimeoutError:
                raise
            except (OSError, EOFError):
                await asyncio.sleep(0.1)  # nobody is there now: a client's pause before it tries again

    async def _follow(self, stream: Stream) -> None:
        assert stream.status == 200
        async for event in stream:
            if event.type == "tidings.end":
                self.done = True
            else:
                self.texts.append(event.data)
                self.last = event.id
            self.begun.set()
        self.ends.append(stream.clean)


async def leave(server: ServerProcess, told: Callable[[], int]) -> int:
    """Have the server go, in time; its exit status. What it has written stays in `server.output`."""
    with Waiting(server.pid) as waiting:
        status = await asyncio.to_thread(told)
    print(f"{type(server).__name__} was gone after {waiting.elapsed:.2f} s, {waiting.took:.2f} s by its own doing")
    assert waiting.took < LEAVING
    return status


def complaints(server: ServerProcess) -> list[str]:
    """The lines of its log that say neither that it was asked something nor that it comes or goes.

    The tests' own PostgreSQL syncs no disk, of which each process warns.
    """
    told = ("INFO:", "[INFO]", "Tidings is at")
    quiet = re.compile(r" INFO tidings\.(server|workers)( worker \d+)?: S|The database has fsync=off")
    return [line for line in server.output if not line.startswith(told) and not quiet.search(line)]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tidings", "tidings-workers", "uvicorn", "uvicorn-workers"])
async def test_a_thousand_streams_leave_in_time_and_lose_nothing(name: str, sqlite_url: str) -> None:
    texts = [f"{n} " + "x" * 50_000 * (n == 10) for n in range(40)]
    async with serving(name, sqlite_url) as server:
        await publish(server, texts[0])
        clients = [Client(f"{server.url}/events?topic=chat.a", "0-0") for _ in range(STREAMS)]
        async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
            for client in clients:
                group.create_task(client.run())
            for client in clients:
                await client.begun.wait()
            for text in texts[1:20]:
                await publish(server, text)
            assert await leave(server, server.terminate) in WENT
            assert complaints(server) == []
            await asyncio.to_thread(server.start)
            for text in texts[20:]:
                await publish(server, text)
            await request(f"{server.url}/topics/chat.a/close", "POST")
        assert Counter(client.ends[0] for client in clients) == {False: STREAMS}
        for client in clients:
            assert client.texts == texts
            assert client.ends[-1]


@pytest.fixture(
    params=[
        ("tidings", "sqlite"),
        ("tidings-workers", "postgres"),
        ("uvicorn", "sqlite"),
        ("uvicorn-workers", "postgres"),
    ],
    ids="-".join,
)
def name_and_store(request: pytest.FixtureRequest) -> tuple[str, str]:
    """The name of a server, and the URL of its store."""
    name, store = request.param
    return name, request.getfixturevalue(f"{store}_url")


async def test_an_unfinished_answer_does_not_look_finished(name_and_store: tuple[str, str]) -> None:
    async with serving(*name_and_store) as server, many_streams() as follow:
        run = (await request(f"{server.url}/runs", "POST", json.dumps({"input": "well wait"}), JSON)).json()["run"]
        viewers = [await follow(f"{server.url}/runs/{run}/events") for _ in range(VIEWERS)]
        seen = [await viewer.take(4) for viewer in viewers]
        assert {events[-1].type for events in seen} == {"block.delta"}
        async with asyncio.TaskGroup() as group:
            rest = [group.create_task(viewer.take(1000)) for viewer in viewers]
            assert await leave(server, server.terminate) in WENT
        assert complaints(server) == []
        for viewer, task in zip(viewers, rest, strict=True):
            # Those that left last may have been told that it was interrupted; then it is the end, and is clean.
            ended = any(event.type.startswith("run.") for event in task.result())
            assert viewer.clean == ended
        assert not all(viewer.clean for viewer in viewers)

        await asyncio.to_thread(server.start)
        again = await follow(f"{server.url}/runs/{run}/events", viewers[0].last_event_id)
        events = await again.take(1000)
        assert [event.type for event in events][-2:] == ["run.finished", "tidings.end"]
        assert json.loads(events[-2].data)["outcome"] == "interrupted"
        assert again.clean


async def test_a_model_that_does_not_listen_does_not_hold_it_up(sqlite_url: str) -> None:
    async with serving("uvicorn", sqlite_url) as server:
        run = (await request(f"{server.url}/runs", "POST", json.dumps({"input": "well deaf"}), JSON)).json()["run"]
        async with streaming(f"{server.url}/runs/{run}/events") as viewer:
            assert [event.type for event in await viewer.take(4)][-1] == "block.delta"
            assert await leave(server, server.terminate) in WENT
        await asyncio.to_thread(server.start)
        async with streaming(f"{server.url}/runs/{run}/events", viewer.last_event_id) as viewer:
            assert [event.type for event in await viewer.take(1000)][-2:] == ["run.finished", "tidings.end"]


@pytest.mark.parametrize("name", ["tidings", "uvicorn"])
async def test_readers_that_take_nothing_do_not_hold_it_up(name: str, sqlite_url: str) -> None:
    async with serving(name, sqlite_url) as server, many_streams() as follow:
        for _ in range(20):
            await follow(f"{server.url}/events?topic=chat.a", buffer=4096)
        for n in range(100):
            await publish(server, f"{n} " + "x" * 50_000)
        assert await leave(server, server.terminate) in WENT
        assert complaints(server) == []


@pytest.mark.parametrize("name", ["tidings", "uvicorn"])
async def test_ctrl_c_is_as_quiet(name: str, sqlite_url: str) -> None:
    async with serving(name, sqlite_url) as server, many_streams() as follow:
        for _ in range(20):
            await follow(f"{server.url}/events?topic=chat.a")
        assert await leave(server, server.interrupt) == 0
        assert complaints(server) == []


async def test_a_second_ctrl_c_does_not_wait(sqlite_url: str) -> None:
    """The second signal prints no more than the first, and ends the runs under way."""
    async with serving("tidings", sqlite_url, TIDINGS_DRAIN_WINDOW="300", TIDINGS_GRACE="300") as server:
        run = (await request(f"{server.url}/runs", "POST", json.dumps({"input": "well wait"}), JSON)).json()["run"]
        async with many_streams() as follow, asyncio.TaskGroup() as group:
            streams = [await follow(f"{server.url}/events?topic=chat.a") for _ in range(20)]
            leaving = [group.create_task(anext(stream, None)) for stream in streams]
            os.kill(server.pid, signal.SIGINT)
            await asyncio.wait(leaving, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
            assert not all(task.done() for task in leaving)
            assert await leave(server, server.interrupt) == 0
            assert complaints(server) == []
        await asyncio.to_thread(server.start)
        ended = (await request(f"{server.url}/runs/{run}")).json()
        assert (ended["state"], ended["outcome"]) == ("interrupted", "interrupted")


async def test_a_first_stream_that_comes_after_the_signal_holds_nothing_up() -> None:
    """uvicorn takes connections for 0.1 s after the signal, and the worker beside has just let its streams go."""
    hub = Hub("memory:")
    app = FastAPI(lifespan=hub.lifespan)
    server = uvicorn.Server(uvicorn.Config(app, port=free_port(), log_level="error"))

    @app.get("/events")
    async def follow() -> EventStreamResponse:
        server.should_exit = True  # all that its handler of the signal does
        return EventStreamResponse(hub, "chat.a")

    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
        served = group.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 it tells nobody
            await asyncio.sleep(0.01)
        async with streaming(f"http://127.0.0.1:{server.config.port}/events", "0-0") as stream:
            assert [event async for event in stream] == []
        await served
