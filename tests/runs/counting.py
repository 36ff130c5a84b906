"""Runs that other processes make, whose models count aloud until they are told to stop."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from tests.runs.scripted import only, sound, story, text
from tests.stores.kit import line
from tidings import Hub
from tidings.runs import Run, runs


def counting(url: str) -> AbstractAsyncContextManager[Process]:
    """A process whose runs count."""
    return child("counting_process", url)


@asynccontextmanager
async def child(module: str, *words: str) -> AsyncIterator[Process]:
    """A process that runs a module of this folder. It is killed at the end, if it is still there."""
    program = sys.executable, "-m", f"tests.runs.{module}", *words
    process = await asyncio.create_subprocess_exec(*program, stdin=PIPE, stdout=PIPE, stderr=PIPE)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def under_way(hub: Hub, process: Process) -> Run:
    """Return the run of the process, once it has begun to count."""
    run = await hub.runs.get(await line(process))
    async for event in run.events():
        if event.type == "block.delta":
            return run
    raise AssertionError("the run ended")


async def long_after(hub: Hub, run: Run) -> None:
    """Follow a run until every reaper has looked for longer than a lease, or the run has ended."""
    began: float | None = None
    async with asyncio.timeout(60):
        async for event in hub.subscribe(run.topic, "tail"):
            began = began or event.time
            if event.time > began + runs.LEASE + 2 * runs.BEAT:
                return


async def told_to_stop(process: Process) -> int:
    """Tell the process to stop counting, and return the number to which it came."""
    assert process.stdin is not None
    process.stdin.write(b"enough\n")
    return int(await line(process))


async def ends_well(run: Run, process: Process) -> None:
    """Let the run end, and check that it holds every number once."""
    numbers = "".join(f"{n} " for n in range(await told_to_stop(process) + 1))
    said = await story(run)
    sound(said)
    assert (said[-1]["type"], said[-1].get("outcome"), await line(process)) == ("run.finished", "success", "ended")
    assert only(said, "block.finished")[0]["content"] == text(said[1:]) == numbers
