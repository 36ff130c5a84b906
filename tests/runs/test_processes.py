"""Two processes on one store: the producer is killed, frozen, or told to stop from outside."""

from __future__ import annotations

import asyncio
import json
import signal
import sqlite3
from asyncio.subprocess import Process
from contextlib import AbstractAsyncContextManager, closing

import pytest

from tests.runs.counting import child
from tests.runs.scripted import only, sound, story, text
from tests.runs.test_reaper import dead_run
from tidings import Hub
from tidings.runs import Run, runs

pytestmark = pytest.mark.slow


@pytest.fixture
def url(shared_url: str) -> str:
    return shared_url


def producer(url: str, beat: float = runs.BEAT) -> AbstractAsyncContextManager[Process]:
    return child("producer_process", url, str(beat))


async def heard(process: Process) -> str:
    assert process.stdout is not None
    return (await process.stdout.readline()).decode().strip()


async def answering(hub: Hub, process: Process) -> Run:
    """The run of the other process, which has begun to answer and now waits for its model."""
    run = await hub.runs.get(await heard(process))
    while await heard(process) != "block.delta":
        pass
    return run


def test_a_dead_run_is_ended_within_ten_seconds() -> None:
    assert runs.LEASE + runs.BEAT <= 8, "and two seconds for two slow commits"


async def test_a_producer_that_is_killed_leaves_a_run_that_another_process_ends(url: str) -> None:
    async with Hub(url) as hub, producer(url) as process:
        run = await answering(hub, process)
        hub.runs.open()
        viewer = asyncio.create_task(story(run))
        process.send_signal(signal.SIGKILL)
        said = await viewer
        sound(said)
        assert (said[-1]["type"], said[-1]["outcome"]) == ("run.finished", "interrupted")
        assert only(said, "block.finished")[0]["content"] == text(said[1:]) == "So far"
        assert (await run.state()).state == "interrupted"


async def test_stop_reaches_the_model_in_another_process(url: str) -> None:
    async with Hub(url) as hub, producer(url) as process:
        run = await answering(hub, process)
        await run.stop(by="ann")
        said = await story(run)
        sound(said)
        assert said[-1]["outcome"] == "cancelled"
        assert only(said, "stop.requested")[0]["by"] == "ann"
        assert only(said, "block.finished")[0]["content"] == "So far"
        words = [await heard(process) for _ in range(6)]
        assert "cancelled" in words
        assert words[-1] == "ended"


async def test_a_producer_that_wakes_after_its_run_was_ended_says_nothing_more(url: str) -> None:
    """Frozen between two writes: it renews nothing, so that it is not caught inside a transaction."""
    async with Hub(url) as hub, producer(url, beat=3600) as process:
        run = await answering(hub, process)
        hub.runs.open()
        process.send_signal(signal.SIGSTOP)
        end = await run.wait()
        process.send_signal(signal.SIGCONT)
        while await heard(process) != "ended":
            pass
        _, errors = await process.communicate()
        assert process.returncode == 0, errors
        assert b"Traceback" not in errors
        assert [event async for event in run.events()][-1] == end


async def test_a_store_that_is_locked_for_longer_than_a_lease_costs_no_run(sqlite_url: str) -> None:
    """The dead run's lease lapses after that of the living one, so that whoever ends the former has seen the latter."""
    async with Hub(sqlite_url) as hub, Hub(sqlite_url), Hub(sqlite_url), producer(sqlite_url) as process:
        run = await answering(hub, process)
        dead = await dead_run(hub, lease=1.5 * runs.LEASE)
        with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)) as stranger:
            stranger.execute("BEGIN IMMEDIATE")
            await asyncio.sleep(2 * runs.LEASE)
            assert await hub.leases.lapsed() == [run.topic, dead.topic]
            stranger.execute("ROLLBACK")
        assert json.loads((await dead.wait()).data)["outcome"] == "interrupted"
        await run.stop()
        assert json.loads((await run.wait()).data)["outcome"] == "cancelled"
