"""The clock: everything in its order and at its own time, and none of it waited for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest
import uvloop

from tidings import Hub, NotFound, Retention
from tidings.access.tokens import sign
from tidings.delivery import delivery
from tidings.server.app import create_app
from tidings.server.settings import Settings
from tidings.testing import Clock, EventStreams
from tidings.testing.clock import CLOCK, real_monotonic, real_time


async def test_all_clocks_go_on_together(tidings_clock: Clock) -> None:
    loop = asyncio.get_running_loop()
    began = time.time(), time.monotonic(), time.time_ns() / 1e9, time.monotonic_ns() / 1e9, loop.time()
    real = real_monotonic()
    await tidings_clock.advance(1000)
    took = real_monotonic() - real
    now = time.time(), time.monotonic(), time.time_ns() / 1e9, time.monotonic_ns() / 1e9, loop.time()
    passed = [after - before for before, after in zip(began, now, strict=True)]
    assert min(passed) > 999.99
    assert max(passed) - min(passed) < 0.01 + took


async def test_due_events_happen_in_order_and_on_time(tidings_clock: Clock) -> None:
    began, seen = time.monotonic(), []

    async def ticks(name: str, every: float) -> None:
        while True:
            await asyncio.sleep(every)
            seen.append((name, round(time.monotonic() - began)))

    tasks = [asyncio.create_task(ticks("two", 2)), asyncio.create_task(ticks("three", 3))]
    await tidings_clock.advance(6.5)
    assert sorted(seen[3:]) == [("three", 6), ("two", 6)]
    assert seen[:3] == [("two", 2), ("three", 3), ("two", 4)]
    for task in tasks:
        task.cancel()


async def test_a_time_out_passes(tidings_clock: Clock) -> None:
    waits = asyncio.ensure_future(asyncio.wait_for(asyncio.Event().wait(), 3600))
    await tidings_clock.advance(3599)
    assert not waits.done()
    await tidings_clock.advance(1)
    with pytest.raises(TimeoutError):
        await waits


async def test_a_task_that_polls_does_not_hold_it_up(tidings_clock: Clock) -> None:
    done = asyncio.Event()

    async def polls() -> None:
        while not done.is_set():  # noqa: ASYNC110
            await asyncio.sleep(0)

    task = asyncio.create_task(polls())
    began = time.monotonic()
    await tidings_clock.advance(5)
    assert time.monotonic() - began >= 5
    done.set()
    await task


async def test_time_does_not_go_back(tidings_clock: Clock) -> None:
    with pytest.raises(ValueError, match="back"):
        await tidings_clock.advance(-1)


class TestAfterwards:
    """In this order: the first moves the clock, the second comes after."""

    before = 0.0

    async def test_the_clock_is_moved(self, tidings_clock: Clock) -> None:
        await tidings_clock.advance(10_000)
        assert time.time() - real_time() > 9_999
        TestAfterwards.before = time.monotonic()

    async def test_the_time_is_true_again_and_monotonic_has_not_gone_back(self) -> None:
        assert abs(time.time() - real_time()) < 1
        assert time.monotonic() >= TestAfterwards.before > 0


def test_a_loop_that_cannot_be_moved_is_refused() -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner, pytest.raises(RuntimeError, match="not uvloop"):
        runner.run(CLOCK.advance(1))


class TestOfTidings:
    @pytest.fixture
    def made_before(self) -> Iterator[Hub]:
        """A hub that was made before the clock was installed, such as a hub of an app's module."""
        return Hub("memory:", retention=Retention(max_age=3600))

    async def test_a_hub_that_was_made_before_ages(self, made_before: Hub, tidings_clock: Clock) -> None:
        async with made_before as hub:
            await hub.publish("a", "old")
            await hub.log.append("gone", [("message", "x")], ttl=600)
            await tidings_clock.advance(700)
            with pytest.raises(NotFound):
                await hub.read("gone")
            await tidings_clock.advance(3000)
            await hub.publish("a", "new")
            await tidings_clock.advance(delivery.SWEEP + 1)
            assert [event.data for event in (await hub.read("a")).events] == ["new"]

    async def test_a_key_is_forgotten_after_a_day(self, tidings_hub: Hub, tidings_clock: Clock) -> None:
        first = await tidings_hub.publish("a", "x", key="k")
        await tidings_clock.advance(3600)
        assert await tidings_hub.publish("a", "x", key="k") == first
        await tidings_clock.advance(83_000)
        assert await tidings_hub.publish("a", "x", key="k") != first

    async def test_a_token_expires(self, tidings_hub: Hub, event_stream: EventStreams, tidings_clock: Clock) -> None:
        secret = "a secret that is long enough for a test"
        app = await asyncio.to_thread(create_app, Settings.load(secret=secret), tidings_hub)
        token = sign(secret, "ann", publish=(), subscribe=("*",), seconds=60)
        headers = {"authorization": f"Bearer {token}"}
        stream = await event_stream(app, "/events?topic=a", headers=headers, lifespan=False)
        await tidings_clock.advance(65)
        assert not stream.done
        await stream.end(within=6)
        assert not stream.clean
        await stream.reconnect()
        assert stream.status == 401
        with pytest.raises(AssertionError, match="answer of 401"):
            await stream.reconnect()
