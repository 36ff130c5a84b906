"""Tests of long work in slices."""

from __future__ import annotations

import asyncio
from time import monotonic

from tidings.slices import SLICE, in_slices


async def test_the_items_come_in_order_and_once() -> None:
    assert [item async for item in in_slices(range(1000))] == list(range(1000))


async def test_other_tasks_run_between_slices() -> None:
    turns: list[int] = []

    async def other() -> None:
        while True:
            turns.append(done)
            await asyncio.sleep(0)

    done = 0
    beside = asyncio.create_task(other())
    async for _ in in_slices(range(4)):
        until = monotonic() + SLICE
        while monotonic() <= until:
            pass
        done += 1
    beside.cancel()
    assert turns == [1, 2, 3, 4]


async def test_short_work_is_not_interrupted() -> None:
    beside = asyncio.create_task(asyncio.sleep(0))
    async for _ in in_slices([1]):
        pass
    assert not beside.done()
    await beside
