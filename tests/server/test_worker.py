"""Workers are replaced at SIGHUP: the port stays open, streams move over, and runs go on where they are."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.model_server import FINISH, Write, delta, stand_in
from tests.server.workers import Workers, serving, until
from tests.serving import PATIENCE
from tests.streams import KeptConnection, request, streaming
from tidings import Hub
from tidings.server.channel import FromWorker, ToWorker, receive, send
from tidings.server.listening import listen

pytestmark = pytest.mark.slow

SECRET = "0123456789abcdef0123456789abcdef"
JSON = {"content-type": "application/json"}
VIEWERS = 60


async def begin(write: Write) -> None:
    """Begin an answer of the model."""
    await write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
    await write(b"data: " + json.dumps(delta(content="Well, ")).encode() + b"\n\n")


async def forever(write: Write) -> None:
    """Begin an answer of the model that does not end before its client has gone."""
    await begin(write)
    while True:
        await write(b":\n\n")
        await asyncio.sleep(0.2)


class Viewer:
    """A client that follows a topic as an EventSource does: it comes back with its last id when its stream ends."""

    def __init__(self, server: Workers) -> None:
        self.url = f"{server.url}/events?topic=a"
        self.last = "0-0"
        self.texts: list[str] = []
        self.opened = 0
        self.cuts: list[bool | None] = []
        self.refused = 0

    async def run(self) -> None:
        while not self.texts or self.texts[-1] != "last":
            try:
                async with streaming(self.url, self.last) as stream:
                    assert stream.status == 200
                    self.opened += 1
                    await self._follow(stream)
            except (OSError, EOFError):
                self.refused += 1
                await asyncio.sleep(0.05)

    async def _follow(self, stream: Any) -> None:
        async for event in stream:
            self.texts.append(event.data)
            self.last = event.id
            if event.data == "last":
                return
        self.cuts.append(stream.clean)


async def publish(server: Workers, text: str) -> None:
    while True:
        try:
            # A connection that is accepted at the very end of an old worker may be cut. The key makes a repeat safe.
            said = await request(f"{server.url}/topics/a/events", "POST", text, {"idempotency-key": text})
        except (OSError, EOFError):
            continue
        assert said.status in (200, 201), said
        return


async def test_a_rolling_restart_under_load_loses_nothing_and_moves_each_stream_once(tmp_path: Path) -> None:
    async with serving(tmp_path, TIDINGS_DRAIN_WINDOW="0.5") as server:
        await publish(server, "first")
        viewers = [Viewer(server) for _ in range(VIEWERS)]
        texts = ["first"]
        async with asyncio.TaskGroup() as group:
            for viewer in viewers:
                group.create_task(viewer.run())
            await until(lambda: all(viewer.texts for viewer in viewers), "all streams")
            replaced = asyncio.create_task(server.said("All streams have been handed over"))
            server.hang_up()
            while not replaced.done():
                texts.append(str(len(texts)))
                await publish(server, texts[-1])
            await replaced
            await until(lambda: server.workers().keys() == {3, 4}, "the new workers alone")
            texts.append("last")
            await publish(server, "last")
        assert len(texts) > 10
        for viewer in viewers:
            assert viewer.texts == texts
        assert Counter(viewer.opened for viewer in viewers) == {2: VIEWERS}
        assert Counter(cut for viewer in viewers for cut in viewer.cuts) == {False: VIEWERS}
        assert sum(viewer.refused for viewer in viewers) == 0
        assert "Traceback" not in "".join(server.output)
        assert await asyncio.to_thread(server.terminate) == 0


async def test_a_worker_that_is_to_leave_tells_its_clients_to_connect_elsewhere(sqlite_url: str) -> None:
    """A request that meets the end of its connection has no answer, so a busy client is told of that end in time."""
    ours, theirs = socket.socketpair()
    with theirs, listen("127.0.0.1", 0) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        descriptors = (listening.fileno(), theirs.fileno())
        worker = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tidings.server.worker", *map(str, descriptors), "1"),
            json.dumps({"store": sqlite_url}),
            pass_fds=descriptors,
        )
    reader, writer = await asyncio.open_connection(sock=ours)
    try:
        async with asyncio.timeout(PATIENCE):
            messages = receive(reader, FromWorker)
            while not (await anext(messages)).serving:
                pass
            connection = await KeptConnection.open(url)
            assert "connection" not in (await connection.request("/topics/a/events", "POST", "first")).headers
            send(writer, ToWorker(do="close"))
            kept, published = True, 1
            while kept:
                said = await connection.request("/topics/a/events", "POST", "more")
                assert said.status == 201
                kept, published = said.headers.get("connection") != "close", published + 1
            with pytest.raises((OSError, EOFError)):
                await connection.request("/health/live")
            connection.close()
            send(writer, ToWorker(do="drain"))
            assert await worker.wait() == 0
        async with Hub(sqlite_url) as hub:
            assert (await hub.describe("a")).tail.n == published
    finally:
        writer.close()
        if worker.returncode is None:
            worker.kill()
            await worker.wait()


async def test_runs_go_on_in_a_worker_that_is_replaced(postgres_url: str) -> None:
    """The old worker takes no more connections meanwhile, and obeys a stop that another worker is asked for."""
    goes_on = asyncio.Event()

    async def answer(write: Write) -> None:
        await begin(write)
        await goes_on.wait()
        for chunk in (json.dumps(delta(content="done.")), json.dumps(FINISH), "[DONE]"):
            await write(f"data: {chunk}\n\n".encode())

    async with (
        stand_in(answer, forever) as model,
        serving(postgres_url, 1, TIDINGS_MODEL_URL=model.url, TIDINGS_MODEL="slow") as server,
    ):
        first, second = [await begun(server), await begun(server)]
        old = psutil.Process(server.workers()[1])
        server.hang_up()
        await server.said("All streams have been handed over")
        assert server.workers().keys() == {1, 2}
        assert (await request(f"{server.url}/health/live")).json()["worker"] == 2
        goes_on.set()
        events = await story(server, first)
        assert [event["type"] for event in events][-1] == "run.finished"
        assert events[-1]["outcome"] == "success"
        assert old.is_running()
        await request(f"{server.url}/runs/{second}/stop", "POST")
        assert (await story(server, second))[-1]["outcome"] == "cancelled"
        await asyncio.to_thread(old.wait, PATIENCE)
        assert server.workers().keys() == {2}


@pytest.mark.parametrize("how", ["grace", "terminate", "interrupt twice"])
async def test_a_replaced_worker_does_not_wait_for_ever(tmp_path: Path, how: str) -> None:
    grace = {"TIDINGS_RELOAD_GRACE": "1"} if how == "grace" else {}
    late = {"TIDINGS_GRACE": "300"} if how == "interrupt twice" else {"TIDINGS_GRACE": "0.5"}
    async with (
        stand_in(forever) as model,
        serving(tmp_path, 1, TIDINGS_MODEL_URL=model.url, TIDINGS_MODEL="slow", **grace, **late) as server,
    ):
        run = await begun(server)
        old = psutil.Process(server.workers()[1])
        server.hang_up()
        await server.said("All streams have been handed over")
        if how == "terminate":
            assert await asyncio.to_thread(server.terminate) == 0
        elif how == "interrupt twice":
            os.kill(server.pid, signal.SIGINT)
            await server.said("SIGINT: the workers end")
            assert await asyncio.to_thread(server.interrupt) == 0
        await asyncio.to_thread(old.wait, PATIENCE)
        if how != "grace":
            await asyncio.to_thread(server.start)
        assert (await story(server, run))[-1]["outcome"] == "interrupted"


async def test_a_new_worker_that_does_not_start_leaves_the_old_ones(tmp_path: Path) -> None:
    key = tmp_path / "key"
    await asyncio.to_thread(key.write_text, SECRET)
    async with serving(tmp_path, TIDINGS_SECRET=f"@{key}") as server:
        await asyncio.to_thread(key.write_text, "too short")
        server.hang_up()
        await server.said("A new worker does not start, so the old ones go on")
        assert server.workers().keys() == {1, 2}
        assert (await request(f"{server.url}/health/ready")).status == 200
        await asyncio.to_thread(key.write_text, SECRET)
        server.hang_up()
        await server.said("All streams have been handed over")
        await until(lambda: len(server.workers()) == 2 and not {1, 2} & server.workers().keys(), "two new workers")
        assert (await request(f"{server.url}/health/ready")).status == 200


async def begun(server: Workers) -> str:
    """A run whose model has begun to answer."""
    answer = await request(f"{server.url}/runs", "POST", json.dumps({"input": "well?"}), JSON)
    run: str = answer.json()["run"]
    async with streaming(f"{server.url}/runs/{run}/events") as viewer:
        while (await anext(viewer)).type != "block.delta":
            pass
    return run


async def story(server: Workers, run: str) -> list[dict[str, Any]]:
    """The events of a run, once it has ended."""
    async with streaming(f"{server.url}/runs/{run}/events") as viewer:
        events = await viewer.take(1000)
    assert events.pop().type == "tidings.end"
    return [json.loads(event.data) for event in events]
