"""Bounds that clients cannot push: the memory after many streams, and the event loop's turns under the worst requests.

`streams` opens and leaves 100,000 streams of the server as it is shipped. `worst` sends the requests of tests/attack to
a server that measures its turns (tests/attack/turns.py), while 100 readers follow what these requests publish. Then
1,000 readers of another topic measure their latency on the server as it is shipped: first alone, then while the same
requests are sent without a pause.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.client import BenchError, Load, build
from bench.scenarios import Figure
from bench.servers.launch import TIDINGS, Server
from tests.attack.conftest import SECRET, bearer
from tests.attack.worst import ACCEPTED, BEFORE, READ, REFUSED
from tests.raw import request

FIRST, REST = 10_000, 90_000
"""Streams before the memory is read first, and streams after which it has grown."""

AT_ONCE = 50
READERS = 100
AUDIENCE = 1_000

RATE, SECONDS = 20, 15
"""Events a second that the audience reads, and for how long."""

PATIENCE = 600.0
"""Seconds that all streams may take, and the readers of the worst requests."""

REQUEST = b"GET /events?topic=bench HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"

Figures = dict[str, float]

TIMED = replace(
    TIDINGS,
    command=lambda port, directory: [
        *(sys.executable, "-m", "tests.attack.turns", "serve"),
        *("--port", str(port), "--store", f"sqlite:///{directory}/tidings.db"),
    ],
)


def measure(work: Path, rounds: int, quick: bool, parts: set[str]) -> dict[str, list[Figures]]:
    """Return the figures of each round of the `parts`: "streams", "worst" or both."""
    found: dict[str, list[Figures]] = {part: [] for part in sorted(parts)}
    for _ in range(rounds):
        for part, figures in found.items():
            figures.append(_streams(work, quick) if part == "streams" else {**_worst(work), **_audience(work, quick)})
            print(f"{part:20} {', '.join(f'{name} {value:.3g}' for name, value in figures[-1].items())}", flush=True)
    return found


def rows(results: dict[str, list[Figures]]) -> list[tuple[Figure, list[float]]]:
    """Return the rows of the table, each with its values."""
    grown = f"memory grown over the last {REST:,} of {FIRST + REST:,} streams that came and went"
    turn = f"longest turn of the event loop, in CPU time, under the worst {len(REFUSED) + len(ACCEPTED)} requests"
    p99 = f"p99 latency of {AUDIENCE:,} readers, {RATE} events/s"
    figures = {
        "streams": [Figure("grown", grown, "KB", lambda _: 0.0, 2048)],
        "worst": [
            Figure("turn", f"{turn}, beside {READERS} readers", "ms", lambda _: 0.0, 50),
            Figure("quiet", f"{p99}, alone", "ms", lambda _: 0.0),
            Figure("beside", f"{p99}, beside these requests without a pause", "ms", lambda _: 0.0),
        ],
    }
    return [(figure, [run[figure.key] for run in runs]) for part, runs in results.items() for figure in figures[part]]


def _streams(work: Path, quick: bool) -> Figures:
    part = 10 if quick else 1
    with Server(TIDINGS, work) as server:
        _come_and_go(server.port, FIRST // part)
        before = _resting(server)
        _come_and_go(server.port, REST // part)
        return {"grown": (_resting(server) - before) / 1024}


def _come_and_go(port: int, count: int) -> None:
    async def some() -> None:
        for _ in range(count // AT_ONCE):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(REQUEST)
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200 "):
                raise BenchError(f"A stream was answered {head[:60]!r}.")
            await reader.readuntil(b":\n")
            writer.transport.abort()

    async def all_of_them() -> None:
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*(some() for _ in range(AT_ONCE)))

    asyncio.run(all_of_them())


def _resting(server: Server) -> int:
    """Return the bytes of the server's memory once it has seen the last client leave."""
    server.rest()
    return server.memory()


def _worst(work: Path) -> Figures:
    with Server(TIMED, work, {"TIDINGS_SECRET": SECRET}) as server:
        return asyncio.run(_sent(server))


async def _sent(server: Server) -> Figures:
    for before in BEFORE:
        await _ask(server.port, before, 201)
    readers = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(READERS)]
    for reader, writer in readers:
        writer.write(READ)
        await reader.readuntil(b"\r\n\r\n")
    reading = [asyncio.create_task(_read(reader)) for reader, _ in readers]
    await _longest_turn(server)
    try:
        async with asyncio.timeout(PATIENCE):
            longest, what = 0.0, ""
            for name, (sent, status) in {**REFUSED, **ACCEPTED}.items():
                await _ask(server.port, sent, status)
                await _ask(server.port, request("GET", "/health"), 200)  # the turn of the answer is over
                longest, what = max((longest, what), (await _longest_turn(server), name))
    finally:
        for task, (_, writer) in zip(reading, readers, strict=True):
            task.cancel()
            writer.transport.abort()
    print(f"the longest turn was that of: {what}", flush=True)
    return {"turn": longest}


def _audience(work: Path, quick: bool) -> Figures:
    """Return the audience's p99 without and with the worst requests, in ms."""
    figures: Figures = {}
    with Server(TIDINGS, work, {"TIDINGS_SECRET": SECRET}) as server:
        header, path = bearer("audience"), "/topics/audience/events"
        seconds = SECONDS // 3 if quick else SECONDS
        words = [
            *("sub", "name=audience", "topic=audience", "path=/events?topic=audience"),
            *(f"count={AUDIENCE}", f"header={header}"),
            *("pub", "topic=audience", f"path={path}", f"rate={RATE}", "conns=4", f"seconds={seconds}"),
            f"header={header}",
        ]
        for name in ("quiet", "beside"):
            with Load(build(work), server.port, words) as load:
                load.ready()
                result = asyncio.run(_beside(server.port, load, name == "beside"))
            figures[name] = result["subs"][0]["latency"]["p99"]
    return figures


async def _beside(port: int, load: Load, worst: bool) -> dict[str, Any]:
    """Return the result of the load client; meanwhile send the worst requests, again and again, if asked to."""
    if worst:
        for before in BEFORE:
            await _ask(port, before, 201)
    going = asyncio.get_running_loop().run_in_executor(None, load.go)
    while worst and not going.done():
        for sent, status in {**REFUSED, **ACCEPTED}.values():
            if not going.done():
                await _ask(port, sent, status)
    return await going


async def _read(reader: asyncio.StreamReader) -> None:
    while await reader.read(1 << 16):
        pass


async def _ask(port: int, sent: bytes, status: int) -> None:
    """Send a request, all of it whatever is answered meanwhile, and take its answer. Raises BenchError."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    head = await reader.readuntil(b"\r\n\r\n")
    writer.transport.abort()
    if int(head.split()[1]) != status:
        raise BenchError(f"{sent[:40]!r} was answered {head[:60]!r}.")


async def _longest_turn(server: Server) -> float:
    """Return the milliseconds of the longest turn since this was asked last. Raises BenchError."""
    log = server.directory / "log"
    said = len(log.read_text())
    os.kill(server.pid, signal.SIGUSR1)
    until = time.monotonic() + 10
    while time.monotonic() < until:
        if found := re.search(r"longest turn: ([0-9.]+) ms\n", log.read_text()[said:]):
            return float(found[1])
        await asyncio.sleep(0.01)
    raise BenchError("The server does not tell its longest turn.")
