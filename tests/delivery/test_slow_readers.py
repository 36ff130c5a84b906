"""Readers that stop reading under load: what they cost, and what they and the others get."""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.serving import ServerProcess
from tests.streams import Stream, many_streams, request

FROZEN = 1000
THAWED = 5
LIVE = 10

BATCHES, BATCH, SIZE = 500, 20, 5_000
"""50 MB: what a busy topic says in a minute, far more than the kernel would take for a reader that reads nothing."""
EVENTS = BATCHES * BATCH

MEMORY = 1e6
"""Bytes of the server's memory for each 100 of them: the product's promise."""
KERNEL = 30e6
"""Bytes of the kernel's for each 100. It would take up to 3 MB for each if it were let."""


@pytest.fixture(autouse=True)
def many_files() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def kernel_memory() -> int:
    """Bytes of all TCP sockets of this machine, 0 where that cannot be known."""
    if sys.platform != "linux":
        return 0
    line = next(line for line in Path("/proc/net/sockstat").read_text().splitlines() if line.startswith("TCP:"))
    return int(line.split()[-1]) * resource.getpagesize()


@pytest.mark.slow
async def test_readers_that_stop_reading_cost_little_and_lose_nothing(
    serve_process: Callable[..., ServerProcess],
) -> None:
    server = await asyncio.to_thread(serve_process)
    process = psutil.Process(server.pid)
    topic = f"{server.url}/topics/chat.a/events"
    path = f"{server.url}/events?topic=chat.a"

    async def publish(round: int) -> None:
        for batch in range(BATCHES):
            numbers = range(round * EVENTS + batch * BATCH, round * EVENTS + (batch + 1) * BATCH)
            body = "\n".join(json.dumps({"data": f"{number} {'x' * SIZE}"}) for number in numbers)
            assert (await request(topic, "POST", body, {"content-type": "application/x-ndjson"})).status == 201

    async def read(stream: Stream, round: int) -> None:
        events = await stream.take(EVENTS)
        numbers = [int(event.data.partition(" ")[0]) for event in events]
        assert numbers == list(range(round * EVENTS, (round + 1) * EVENTS))

    async with many_streams() as follow:
        live = [await follow(path) for _ in range(LIVE)]
        await everybody([publish(0), *(read(stream, 0) for stream in live)])
        frozen = [await follow(path, buffer=4096) for _ in range(FROZEN)]

        memory, kernel = process.memory_info().rss, kernel_memory()
        await everybody([publish(1), *(read(stream, 1) for stream in live)])
        memory, kernel = process.memory_info().rss - memory, kernel_memory() - kernel
        each = FROZEN * 10  # for 100 of them, in KB
        print(f"100 frozen readers cost {memory / each:.0f} KB, and {kernel / each:.0f} KB of the kernel's")
        assert memory < MEMORY * FROZEN / 100
        assert kernel < KERNEL * FROZEN / 100

        await everybody([read(stream, 1) for stream in frozen[:THAWED]])


LARGE = 1 << 20
"""Bytes of the data of the largest event."""

FEW = 60
"""Readers, so many that the 5 to 10 MB which the event itself costs are not what is measured."""

EACH = LARGE // 3
"""Bytes of the server's memory for each frozen reader of the largest event. A copy for each of them would be LARGE."""


@pytest.mark.slow
@pytest.mark.parametrize("topics", [["chat.a"], ["chat.a", "chat.b"], ["chat.b", "chat.a"]], ids="+".join)
async def test_readers_that_stop_reading_share_the_bytes_of_a_large_event(
    topics: list[str], serve_process: Callable[..., ServerProcess]
) -> None:
    """The first event of a stream carries the reconnection time, and an id of several topics is a stream's own."""
    server = await asyncio.to_thread(serve_process)
    process = psutil.Process(server.pid)
    path = f"{server.url}/events?" + "&".join(f"topic={topic}" for topic in topics)

    async def publish(letter: str) -> None:
        assert (await request(f"{server.url}/topics/chat.a/events", "POST", letter * LARGE)).status == 201

    async with many_streams() as follow:
        live = await follow(path)
        await publish("x")  # what the server keeps of any large event is no reader's
        await live.take(1)
        frozen = [await follow(path, buffer=4096) for _ in range(FEW)]
        memory = process.memory_info().rss
        await publish("y")
        (event,) = await live.take(1)
        memory = process.memory_info().rss - memory
        print(f"{FEW} frozen readers of an event of {LARGE} bytes cost {memory} bytes")
        assert memory < FEW * EACH

        for stream in frozen:
            (same,) = await stream.take(1)
            assert (same.data, same.id) == (event.data, event.id)


async def everybody(work: list) -> None:
    async with asyncio.TaskGroup() as group:
        for each in work:
            group.create_task(each)
