"""Killing producers: the tasks and generators of an app, and the runs of a hub."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tidings import Hub
from tidings.testing import ProducerKilled
from tidings.testing.producer import Mortal, Work, ended, kill_runs


async def test_a_killed_coroutine_fails_where_it_waits() -> None:
    seen: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        except ProducerKilled:
            seen.append("killed")
            raise

    mortal = Mortal(work())
    mortal.task = asyncio.create_task(mortal.run())
    await asyncio.sleep(0)
    mortal.kill()
    with pytest.raises(ProducerKilled):
        await mortal.task
    assert seen == ["killed"]


async def test_a_coroutine_that_is_only_cancelled_sees_its_cancellation() -> None:
    async def work() -> None:
        await asyncio.Event().wait()

    mortal = Mortal(work())
    mortal.task = asyncio.create_task(mortal.run())
    await asyncio.sleep(0)
    mortal.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await mortal.task


async def test_a_coroutine_that_lives_gets_what_it_awaits() -> None:
    async def work() -> int:
        await asyncio.sleep(0)
        with pytest.raises(ZeroDivisionError):
            await failing
        return 7

    failing: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    failing.set_exception(ZeroDivisionError())
    assert await Mortal(work()) == 7


async def test_the_tasks_of_an_answer_die_before_the_answer() -> None:
    died: list[str] = []

    async def produce() -> None:
        try:
            await asyncio.Event().wait()
        except ProducerKilled:
            died.append("task")
            raise

    async def answer() -> None:
        task = asyncio.create_task(produce())
        await asyncio.wait({task})
        died.append("answer goes on")

    work = Work(answer(), "answer")
    await asyncio.sleep(0.01)
    work.kill()
    await work.task
    assert died == ["task", "answer goes on"]


async def test_an_answer_without_tasks_dies_itself() -> None:
    async def answer() -> None:
        await asyncio.Event().wait()

    work = Work(answer(), "answer")
    await asyncio.sleep(0)
    work.kill()
    with pytest.raises(ProducerKilled):
        await work.task


async def test_only_the_runs_that_are_named_are_killed() -> None:
    async def model(question: str) -> AsyncIterator[str]:
        yield question
        await asyncio.Event().wait()

    async with Hub() as hub:
        hub.runs.grace = 0.0
        killed, other = [await hub.runs.start(model, name) for name in ("killed", "other")]
        for run in (killed, other):
            async for event in run.events():
                if event.type == "block.delta":
                    break
        assert not kill_runs("/answers/nobody")
        assert kill_runs(f"/answers/{killed.id}")
        assert not kill_runs(f"/answers/{killed.id}"), "it is gone"
        await other.stop()
        assert (await other.wait()).type == "run.finished"
        assert (await killed.state()).state == "running", "no event says that its producer is gone"


async def test_an_ended_task_raises_nothing() -> None:
    async def fail() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise ValueError("in ending")

    task = asyncio.create_task(fail())
    await asyncio.sleep(0)
    await ended(task)
    assert task.done()
