"""Outages: after a time in which nobody could renew a lease, the living renew theirs before any is believed."""

from __future__ import annotations

import asyncio

import pytest

from tests.runs.scripted import says, story, text, until
from tests.runs.test_reaper import dead_run
from tests.stores.kit import Clock
from tidings import Hub
from tidings.errors import Unavailable
from tidings.runs.outages import Outages
from tidings.runs.runs import BEAT, LEASE


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def outages(hub: Hub, clock: Clock) -> Outages:
    """The outages of a store in which somebody holds a lease."""
    await hub.leases.lease("runs.R", LEASE, renew=False)
    return Outages(hub, LEASE, BEAT, clock)


async def looks(outages: Outages, clock: Clock, seconds: float) -> list[bool]:
    """Look once every beat for so many seconds, and return what each look told."""
    told = []
    for _ in range(int(seconds / BEAT)):
        clock.now += BEAT
        told.append(await outages.over())
    return told


async def test_a_process_that_begins_believes_leases_after_one_lease(outages: Outages, clock: Clock) -> None:
    """The store may have come back at the moment at which the process began."""
    assert not await outages.over()
    assert await looks(outages, clock, LEASE + 2 * BEAT) == [False, False, True, True, True]


async def test_a_store_that_was_away_is_believed_one_lease_after_it_came_back(
    hub: Hub, outages: Outages, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away() -> float | None:
        raise Unavailable("away")

    await looks(outages, clock, LEASE + BEAT)
    with monkeypatch.context() as patch:
        patch.setattr(hub.delivery, "probe", away)
        for _ in range(10):
            with pytest.raises(Unavailable):
                await looks(outages, clock, BEAT)
    assert await looks(outages, clock, LEASE + BEAT) == [False, False, False, True]


async def test_a_store_that_was_locked_is_believed_one_lease_after_the_lock(
    hub: Hub, outages: Outages, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def locked() -> None:
        clock.now += LEASE - BEAT

    await looks(outages, clock, LEASE + BEAT)
    with monkeypatch.context() as patch:
        patch.setattr(hub.delivery, "probe", locked)
        assert await looks(outages, clock, BEAT) == [False]
    assert await looks(outages, clock, LEASE) == [False, False, True]


async def test_a_process_that_was_frozen_believes_leases_after_one_lease(outages: Outages, clock: Clock) -> None:
    await looks(outages, clock, LEASE + BEAT)
    clock.now += 3600
    assert await looks(outages, clock, LEASE + BEAT) == [False, False, False, True]


async def test_a_beat_that_is_somewhat_late_is_no_outage(outages: Outages, clock: Clock) -> None:
    await looks(outages, clock, LEASE + BEAT)
    clock.now += LEASE - 2 * BEAT
    assert await looks(outages, clock, BEAT) == [True]


async def test_without_leases_nothing_is_written(hub: Hub, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub.delivery, "probe", lambda: pytest.fail("the store was written"))
    outages = Outages(hub, LEASE, BEAT, clock)
    assert await looks(outages, clock, LEASE + BEAT) == [False, False, False, True]


async def test_the_reaper_lets_the_living_renew_and_ends_the_dead(hub: Hub, clock: Clock) -> None:
    """Both have lapsed while the store was away. One producer is there, as if in another process."""
    dead = await dead_run(hub)
    gate = asyncio.Event()
    living = await hub.runs.start(says("Hel", gate, "lo"), "?")
    await until(living, "block.delta")
    await hub.leases.lease(living.topic, -1.0, renew=False)
    reaping = hub.runs
    reaping._outages = Outages(hub, LEASE, BEAT, clock)
    reaping._reaper._alive = ()
    await reaping._reap()
    assert (await dead.state()).state == (await living.state()).state == "running"
    await hub.runs._renew()
    for _ in range(int(LEASE / BEAT)):
        clock.now += BEAT
        await reaping._reap()
    assert (await dead.state()).state == "interrupted"
    gate.set()
    assert text(await story(living)) == "Hello"
