"""Tests that a stream which has ended leaves nothing: no object for the garbage collector, and no memory."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.serving import PATIENCE

AT_ONCE = 20
FIRST, REST = 3000, 9000

NOISE = 2 << 20
"""Bytes by which the allocator's arenas may grow. Streams that were left behind would take 60 MB."""

REQUEST = b"GET /events?topic=a HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"


class Leaving:
    """The server process, and streams of it that come and go."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.process, self.port = process, port

    async def streams(self, count: int) -> None:
        """Open streams and leave them once their first byte has come, some at a time."""

        async def some(count: int) -> None:
            for _ in range(count):
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                writer.write(REQUEST)
                head = await reader.readuntil(b"\r\n\r\n")
                assert head.startswith(b"HTTP/1.1 200"), head
                await reader.readuntil(b":\n")
                writer.close()

        await asyncio.gather(*(some(count // AT_ONCE) for _ in range(AT_ONCE)))

    async def left(self) -> tuple[int, int, int, int]:
        """Subscriptions, connections and requests that are alive, and the bytes of the server's memory."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(b"\n")
        subscriptions, connections, requests, memory = map(int, (await self.process.stdout.readline()).split())
        return subscriptions, connections, requests, memory

    async def all_gone(self) -> int:
        """The server's memory once it has seen every client leave."""
        async with asyncio.timeout(PATIENCE):
            while True:
                subscriptions, connections, requests, memory = await self.left()
                if (subscriptions, requests) == (0, 0) and connections <= 2:  # the class itself is counted too
                    return memory
                await asyncio.sleep(0.05)


@asynccontextmanager
async def leaving() -> AsyncIterator[Leaving]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.delivery.leaving", stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        yield Leaving(process, int(await process.stdout.readline()))
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.slow
async def test_streams_that_have_ended_leave_nothing() -> None:
    """The server has no garbage collector, so an object in a circle of references would stay for ever."""
    async with leaving() as server:
        await server.streams(FIRST)
        before = await server.all_gone()
        await server.streams(REST)
        after = await server.all_gone()
        print(f"{REST} streams that came and went cost {after - before} bytes")
        assert after - before < NOISE
