"""A rolling restart under load: SIGHUP to a server with two workers, while thousands of viewers follow it.

Every viewer checks that it misses nothing, and comes back with its last id when its stream is cut, after the time that
the server has told it. Two trials: the viewers follow fifty topics, as people do, or a single one, so that every event
goes to all of them and both cores are busy. Besides, two workers are asked to stop runs of each other.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import statistics
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.client import BenchError, Load, build
from bench.scenarios import Figure
from bench.servers.launch import TIDINGS, Server
from tests.model_server import Write, delta, stand_in
from tests.streams import KeptConnection, streaming

VIEWERS, TOPICS, RATE = 5_000, 50, 200
BEFORE, AFTER = 5.0, 40.0
"""Seconds of load before the signal and after it."""
STOPS = 200
PATIENCE = 30.0

Figures = dict[str, float]

SERVED = replace(TIDINGS, command=lambda port, directory: [*TIDINGS.command(port, directory), "--workers", "2"])


def measure(work: Path, rounds: int, quick: bool) -> dict[str, list[Figures]]:
    """Return the figures of each round, by the kind of trial."""
    found: dict[str, list[Figures]] = {"topics": [], "topic": [], "stops": []}
    program = build(work)
    for _ in range(rounds):
        for kind, figures in found.items():
            if kind == "stops":
                figures.append(asyncio.run(_stops(work, quick)))
            else:
                figures.append(_restarted(program, work, TOPICS if kind == "topics" else 0, quick))
            values = ", ".join(f"{name} {value:.3g}" for name, value in figures[-1].items())
            print(f"restart {kind:12} {values}", flush=True)
    return found


def rows(results: dict[str, list[Figures]]) -> list[tuple[Figure, list[float]]]:
    """Return the rows of the table, each with its values."""
    found: list[tuple[Figure, list[float]]] = []
    for kind, where in (("topics", f"{TOPICS} topics"), ("topic", "1 topic")):
        about = f"SIGHUP, 2 workers, {VIEWERS:,} viewers of {where}, {RATE} events/s"
        figures = [
            Figure("back", f"{about}: all back after", "s", _unread, 20),
            Figure("peak", "… most new connections in a second", "number", _unread, 500),
            Figure("p99", "… p99 latency of connected viewers", "ms", _unread, 1000),
            Figure("wrong", "… lost, doubled or disordered events, refused connections (to be 0)", "number", _unread),
        ]
        found += [(figure, [run[figure.key] for run in results[kind]]) for figure in figures]
    about = "p99 from a stop at one worker to the end of another's run, as read there"
    stop = Figure("p99", about, "ms", _unread, 100)
    return [*found, (stop, [run["p99"] for run in results["stops"]])]


def _unread(_: Any) -> float:
    """The figure of a trial of load.c; these trials are none."""
    return 0.0


def _restarted(program: Path, work: Path, topics: int, quick: bool) -> Figures:
    viewers, after = (VIEWERS // 10, AFTER / 2) if quick else (VIEWERS, AFTER)
    topic = "t.%d" if topics else "t"
    words = [
        *("grace=20", "limit=200"),
        *("sub", "name=viewers", "topic=t", f"path=/events?topic={topic}", f"each={topics}"),
        *("again=1", f"count={viewers}"),
        *("pub", "topic=t", f"path=/topics/{topic}/events", f"topics={topics}", f"rate={RATE}", "conns=4"),
        f"count={RATE * (BEFORE + after):.0f}",
    ]
    with Server(SERVED, work) as server, Load(program, server.port, words) as load:
        load.ready()
        told = threading.Timer(BEFORE, os.kill, (server.pid, signal.SIGHUP))
        told.start()
        result = load.go()
        told.join()
        log = (server.directory / "log").read_text()
    if "All streams have been handed over" not in log:
        raise BenchError(f"The workers were not replaced: {log.splitlines()[-1]}")
    (seen,), (published,) = result["subs"], result["pubs"]
    wrong = {key: seen[key] for key in ("gaps", "duplicates", "foreign", "dropped", "refused", "missing", "orders")}
    if any(wrong.values()):
        print(f"restart {topics or 1} topics: {wrong}", flush=True)
    return {
        "back": seen["returned_after"] - BEFORE,
        "returned": seen["returned"],
        "peak": seen["peak"],
        "p50": seen["latency"]["p50"],
        "p99": seen["latency"]["p99"],
        "wrong": sum(wrong.values()) + published["errors"],
    }


async def _stops(work: Path, quick: bool) -> Figures:
    """Start runs at one worker and stop them at the other; count the ms until a reader at the first sees the end."""

    async def forever(write: Write) -> None:
        await write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
        await write(b"data: " + json.dumps(delta(content="Well, ")).encode() + b"\n\n")
        while True:
            await write(b":\n\n")
            await asyncio.sleep(0.1)

    took: list[float] = []
    async with stand_in(forever) as model:
        environment = {"TIDINGS_MODEL_URL": model.url, "TIDINGS_MODEL": "slow", "TIDINGS_LIMIT_RUNS_AN_HOUR": "0"}
        with Server(SERVED, work, environment) as server:
            one, other = await _each(f"http://127.0.0.1:{server.port}")
            for _ in range(STOPS // 10 if quick else STOPS):
                asked = json.dumps({"input": "well?"})
                run = (await one.request("/runs", "POST", asked, {"content-type": "application/json"})).json()["run"]
                async with streaming(f"{one.url}/runs/{run}/events") as viewer:
                    while (await anext(viewer)).type != "block.delta":
                        pass
                    began = time.monotonic()
                    await other.request(f"/runs/{run}/stop", "POST")
                    while (await anext(viewer)).type != "run.finished":
                        pass
                    took.append((time.monotonic() - began) * 1000)
    return {"p50": statistics.median(took), "p99": statistics.quantiles(took, n=100)[98]}


async def _each(url: str) -> list[KeptConnection]:
    """Return a connection to each of the two workers."""
    found: dict[int, KeptConnection] = {}
    async with asyncio.timeout(PATIENCE):
        while len(found) < 2:
            tried = [await KeptConnection.open(url) for _ in range(8)]
            answers = await asyncio.gather(*[connection.request("/health/live") for connection in tried])
            found |= {answer.json()["worker"]: connection for connection, answer in zip(tried, answers, strict=True)}
    return list(found.values())
