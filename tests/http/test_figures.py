"""The figures of a process, as one reading has them."""

from __future__ import annotations

import asyncio

import pytest

from tidings import Hub
from tidings.errors import Unavailable
from tidings.http import figures as module
from tidings.http.figures import Figures


async def test_a_reading_has_what_was_done_so_far() -> None:
    async with Hub("memory:") as hub:
        figures = Figures(hub)
        await hub.publish_many("a", [("m", "1"), ("m", "2")])
        reading = figures.read()
        assert reading.counts.published == 2
        assert sum(reading.appends.counts) == 1
        assert sum(reading.commits.counts) == 1
        assert (reading.store, reading.runs, reading.ended, reading.tokens) == (None, 0, {}, 0)
        assert not reading.draining
        hub.drain()
        assert figures.read().draining
    closed = figures.read()
    assert closed.counts.published == 0
    assert sum(closed.appends.counts) == 0


async def test_a_store_that_does_not_answer_has_no_size() -> None:
    async with Hub("memory:") as hub:
        figures = Figures(hub)

        async def size() -> int:
            raise Unavailable("The store cannot be reached.")

        hub.delivery.size = size  # type: ignore[method-assign]
        figures.open()
        await asyncio.sleep(2 * module.TICK)
        assert figures.read().store is None
        assert sum(figures.read().lag.counts) >= 1


def test_memory_is_that_of_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (module.memory() or 0) > 10_000_000
    monkeypatch.setattr(module.sys, "platform", "plan9")
    assert module.memory() is None
