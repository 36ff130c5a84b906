"""Tests of long work in slices."""

from __future__ import annotations

import asyncio
import threading
from time import monotonic

import pytest

from tidings.slices import LARGE, SLICE, beside, in_slices


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


async def test_a_thread_works_on_what_is_large() -> None:
    assert await beside(LARGE, threading.current_thread) is threading.current_thread()
    assert await beside(LARGE + 1, threading.current_thread) is not threading.current_thread()


async def test_work_beside_the_loop_has_its_arguments_and_its_error() -> None:
    for size in (LARGE, LARGE + 1):
        assert await beside(size, int, "a", base=16) == 10
        with pytest.raises(ValueError, match="invalid literal"):
            await beside(size, int, "g", base=16)
