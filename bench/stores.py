"""The stores beside each other: small commits to many topics, and the way of an event to a reader of another process.

SQLite with `synchronous=FULL` and PostgreSQL with its own defaults sync the same disk before a publisher is answered.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from bench.client import BenchError
from bench.scenarios import Figure
from bench.servers import postgres
from tidings import Hub
from tidings.log.journal import Journal
from tidings.stores import open_store

TOPICS, SECONDS, WARM = 64, 5.0, 0.5
DATA = "x" * 100
HEARD, PACE = 500, 0.01
"""Events that go to the other process, and the seconds between two of them."""

Figures = dict[str, float]


def measure(work: Path, rounds: int, quick: bool) -> dict[str, list[Figures]]:
    """Return the figures of each round, by the kind of store."""
    found: dict[str, list[Figures]] = {}
    for round in range(rounds):
        with ExitStack() as stack:
            folder = work / f"stores-{round}"
            folder.mkdir()
            urls = {"SQLite": f"sqlite:///{folder}/tidings.db"}
            if postgres.programs():
                urls["PostgreSQL"] = stack.enter_context(postgres.engine(folder))
            for kind, url in urls.items():
                figures = asyncio.run(_commits(url, SECONDS / 5 if quick else SECONDS))
                figures |= asyncio.run(_heard(url, HEARD // 5 if quick else HEARD))
                found.setdefault(kind, []).append(figures)
                print(f"stores {kind:12} {', '.join(f'{name} {value:.3g}' for name, value in figures.items())}")
    return found


FIGURES = (
    Figure("rate", f"{TOPICS} topics, a publisher each, 1 event a commit", "events/s", lambda _: 0.0, more=True),
    Figure("p50", "from an append to a reader of another process: p50", "ms", lambda _: 0.0),
    Figure("p99", "… p99", "ms", lambda _: 0.0, 20),
)


def table(results: dict[str, list[Figures]]) -> str:
    """Return the table: a column for each kind of store."""
    rows = [["what", *results], ["---"] * (1 + len(results))]
    for figure in FIGURES:
        middle = [statistics.median(run[figure.key] for run in runs) for runs in results.values()]
        target = f" (≤ {figure.target:.0f})" if figure.target else ""
        cells = [f"{value:,.0f}" if value >= 100 else f"{value:.3g}" for value in middle]
        rows.append([f"{figure.title}, {figure.unit}{target}", *cells])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


async def _commits(url: str, seconds: float) -> Figures:
    """Append to many topics at once, each time after the answer to the time before."""
    log = Journal(open_store(url))
    await log.open()
    counted, begin = 0, time.monotonic() + WARM
    end = begin + seconds

    async def publish(topic: str) -> None:
        nonlocal counted
        while (now := time.monotonic()) < end:
            await log.append(topic, [("message", DATA)])
            counted += now >= begin

    try:
        await asyncio.gather(*(publish(f"t{n}") for n in range(TOPICS)))
    finally:
        await log.close()
    return {"rate": counted / seconds}


async def _heard(url: str, count: int) -> Figures:
    """Publish to a topic that another process follows, which says when each event came by the clock of the machine."""
    reader = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.stores", url, str(count), stdout=asyncio.subprocess.PIPE
    )
    assert reader.stdout
    try:
        async with Hub(url) as hub:
            await hub.publish("heard", "first")
            if await reader.stdout.readline() != b"ready\n":
                raise BenchError("The reader did not start.")
            for _ in range(count):
                await asyncio.sleep(PACE)
                await hub.publish("heard", str(time.monotonic()))
            lines = (await asyncio.wait_for(reader.stdout.read(), 30)).split()
    finally:
        if reader.returncode is None:
            reader.kill()
        await reader.wait()
    took = [float(line) * 1000 for line in lines]
    return {"p50": statistics.median(took), "p99": statistics.quantiles(took, n=100)[98]}


async def _read(url: str, count: int) -> None:
    async with Hub(url) as hub:
        seen = 0
        took: list[float] = []
        async for event in hub.subscribe("heard", after="earliest"):
            if event.data == "first":
                sys.stdout.write("ready\n")
                sys.stdout.flush()
                continue
            took.append(time.monotonic() - float(event.data))
            seen += 1
            if seen == count:
                break
        sys.stdout.write("\n".join(map(str, took)))


if __name__ == "__main__":
    asyncio.run(_read(sys.argv[1], int(sys.argv[2])))
