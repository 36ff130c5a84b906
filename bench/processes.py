"""Process maps: events are published, stored and mined; a log of 262,200 events is imported; its map is opened.

The log is made here, with the numbers of activities, cases and variants of a public log of that size (bpic2012). The
server is as it is shipped, over SQLite with `synchronous=FULL`.
"""

from __future__ import annotations

import asyncio
import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from bench.client import BenchError
from bench.rooms import _figure, _kept
from bench.scenarios import Figure
from bench.servers.launch import Server
from tidings import AsyncClient
from tidings.apps.processes.fold import Process

EVENTS, ACTIVITIES = 262_200, 24
BATCH, CONNECTIONS = 1_000, 4
DEVIATING = 200

Figures = dict[str, float]
Step = tuple[str, str, datetime]


def measure(work: Path, rounds: int, quick: bool) -> list[Figures]:
    """Return the figures of each round."""
    count = EVENTS // 10 if quick else EVENTS
    steps = list(log(count))
    file = work / "log.xes"
    write_xes(steps, file)
    found: list[Figures] = []
    for round in range(rounds):
        store = work / f"processes-{round}.db"
        figures = {"fold": folded(steps)}
        with Server(_kept(store), work) as server:
            figures |= asyncio.run(_published(server.port, steps))
            figures["import"] = _imported(server.port, file)
        with Server(_kept(store), work) as server:
            figures["fresh"] = _opened(server.port, count)
            figures["warm"] = _opened(server.port, count)
            figures["filtered"] = _opened(server.port, count, attribute="lifecycle=COMPLETE") / 1e3
            figures["deviation"] = asyncio.run(_deviating(server.port))
        found.append(figures)
        print(f"processes     {', '.join(f'{name} {value:.3g}' for name, value in figures.items())}", flush=True)
    return found


def rows(results: list[Figures]) -> list[tuple[Figure, list[float]]]:
    """Return the rows of the table, each with its values."""
    figures = [
        _figure("fold", "a process map: events folded, on one core", "events/s", 300_000, more=True),
        _figure("mined", f"… published in batches of {BATCH:,}, stored and mined", "events/s", 100_000, more=True),
        _figure("p99", "… p99 from a publish to its answer in another topic meanwhile", "ms", 50),
        _figure("import", f"… {EVENTS:,} events of XES imported", "s", 6),
        _figure("fresh", "… the first answer of all figures, by a server that has just started", "ms", 1_000),
        _figure("warm", "… the next answer", "ms", 500),
        _figure("filtered", "… the map of the cases that have an attribute, which are all", "s", 2),
        _figure("deviation", "… p99 from the publish of an event to its deviation in a stream", "ms", 1_000),
    ]
    return [(figure, [run[figure.key] for run in results]) for figure in figures]


def log(count: int) -> Iterator[Step]:
    """Yield the events of cases, one case after another."""
    chance = random.Random(12)
    common = [_trace(chance) for _ in range(400)]
    made = case = 0
    while made < count:
        case += 1
        at = datetime(2011, 10, 1, tzinfo=UTC) + timedelta(seconds=chance.randrange(150 * 86_400))
        for activity in (chance.choice(common) if chance.random() < 0.67 else _trace(chance))[: count - made]:
            at += timedelta(milliseconds=int(chance.lognormvariate(14, 2.5)))
            yield f"case {case}", f"W_Activity {activity}", at
            made += 1


def _trace(chance: random.Random) -> list[int]:
    trace = [0]
    for _ in range(max(3, min(175, int(chance.lognormvariate(2.75, 0.7)))) - 1):
        near = min(ACTIVITIES - 1, max(0, trace[-1] + chance.choice((1, 1, 0, -1, 2))))
        trace.append(near if chance.random() < 0.9 else chance.randrange(ACTIVITIES))
    return trace


def write_xes(steps: list[Step], file: Path) -> None:
    """Write events as XES, with the attributes that public logs have."""
    last = None
    with file.open("w", encoding="utf-8") as out:
        out.write('<?xml version="1.0" encoding="UTF-8"?>\n<log xes.version="1.0">\n')
        for n, (case, activity, at) in enumerate(steps):
            if case != last:
                out.write(("</trace>\n" if last else "") + f'<trace>\n<string key="concept:name" value="{case}"/>\n')
                last = case
            out.write(
                f'<event>\n<string key="org:resource" value="{n % 70}"/>\n'
                '<string key="lifecycle:transition" value="COMPLETE"/>\n'
                f'<string key="concept:name" value="{activity}"/>\n'
                f'<date key="time:timestamp" value="{at.isoformat()}"/>\n</event>\n'
            )
        out.write("</trace>\n</log>\n")


def folded(steps: list[Step]) -> float:
    """Return the events a second that one core folds, by its time of work."""
    rows = [(case, activity, round(at.timestamp() * 1e6)) for case, activity, at in steps]
    process, began = Process(), time.process_time()
    for at in range(0, len(rows), BATCH):
        process.take(rows[at : at + BATCH], at + 1)
    return len(rows) / (time.process_time() - began)


async def _published(port: int, steps: list[Step]) -> Figures:
    """Publish in the order of time over several connections, until the figures have all events."""
    ordered = sorted(steps, key=lambda step: step[2])
    lines = [
        json.dumps({"data": {"case": case, "activity": activity, "timestamp": at.isoformat()}})
        for case, activity, at in ordered
    ]
    bodies = ["\n".join(lines[at : at + BATCH]).encode() for at in range(0, len(lines), BATCH)]
    took: list[float] = []
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=120) as client:
        waiting, over = iter(bodies), asyncio.Event()

        async def publish() -> None:
            for body in waiting:
                headers = {"content-type": "application/x-ndjson"}
                answer = await client.post("/topics/process.live/events", content=body, headers=headers)
                answer.raise_for_status()

        async def other() -> None:
            while not over.is_set():
                began = time.perf_counter()
                (await client.post("/topics/other/events", content=b"x")).raise_for_status()
                took.append((time.perf_counter() - began) * 1e3)
                await asyncio.sleep(0.02)

        beside = asyncio.create_task(other())
        began = time.perf_counter()
        await asyncio.gather(*(publish() for _ in range(CONNECTIONS)))
        found = (await client.get("/processes/live")).raise_for_status().json()
        elapsed = time.perf_counter() - began
        over.set()
        await beside
    if found["events"] != len(steps):
        raise BenchError(f"{found['events']} of {len(steps)} events were mined.")
    return {"mined": len(steps) / elapsed, "p99": statistics.quantiles(took, n=100)[98]}


async def _deviating(port: int) -> float:
    """Publish events that deviate from today's map, one after another, and follow the deviations."""
    url, took = f"http://127.0.0.1:{port}", list[float]()
    async with httpx.AsyncClient(base_url=url, timeout=120) as client, AsyncClient(url) as follower:
        (await client.put("/processes/imported/reference", json={"above": 0.01})).raise_for_status()
        async with follower.subscribe("process.imported.deviations", after="earliest") as came:
            for n in range(DEVIATING):
                began = time.perf_counter()
                event = {"case": f"strange {n}", "activity": "never seen", "timestamp": n}
                (await client.post("/topics/process.imported/events", json=event)).raise_for_status()
                await anext(came)
                took.append((time.perf_counter() - began) * 1e3)
    return statistics.quantiles(took, n=100)[98]


def _imported(port: int, file: Path) -> float:
    command = [sys.executable, "-m", "tidings", "process", "import", str(file), "--topic", "process.imported"]
    began = time.perf_counter()
    subprocess.run([*command, "--url", f"http://127.0.0.1:{port}"], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def _opened(port: int, count: int, **filter: str) -> float:
    with httpx.Client(timeout=120) as client:
        client.get(f"http://127.0.0.1:{port}/health/live").raise_for_status()  # the connection
        began = time.perf_counter()
        answer = client.get(f"http://127.0.0.1:{port}/processes/imported", params=filter).raise_for_status()
        found: dict[str, Any] = answer.json()
        elapsed = (time.perf_counter() - began) * 1e3
    if found["events"] != count:
        raise BenchError(f"{found['events']} of {count} events were imported.")
    return elapsed
