"""Limits over all processes of a store: two hubs on one file, as two processes have them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.serving import PATIENCE
from tidings import Hub
from tidings.access.limits import Limits
from tidings.access.subject import named
from tidings.errors import TidingsError, TooManyRequests
from tidings.log.names import MAX_DATA, json_of
from tidings.server import shared_limits
from tidings.server.shared_limits import TOPIC, SharedLimits

ANN = named("Ann")
PEOPLE = {"publishes": 10, "runs": 2, "upload_bytes": 1000}


async def refused(step: Callable[[], object]) -> None:
    """Wait until a limit refuses the step. The step itself uses nothing up."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                step()
            except TooManyRequests:
                return
            await asyncio.sleep(0.02)


async def test_use_in_the_first_process_counts_in_the_second(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/tidings.db"
    mine, theirs = Limits(PEOPLE), Limits(PEOPLE)
    async with Hub(url) as one, Hub(url) as two:
        SharedLimits(one, mine).open()
        SharedLimits(two, theirs).open()
        mine.spend(ANN, "publishes", 9)
        with mine.up_to(ANN, "upload_bytes", 900) as came:
            await refused(lambda: theirs.check(ANN, "upload_bytes", 200))
            came(100)
        await refused(lambda: theirs.check(ANN, "publishes", 9))
        theirs.check(named("Bob"), "publishes", 10)
        async with asyncio.timeout(PATIENCE):
            while True:  # what was not uploaded is given back
                with suppress(TooManyRequests):
                    theirs.check(ANN, "upload_bytes", 850)
                    break
                await asyncio.sleep(0.02)


async def test_a_place_for_a_run_is_taken_everywhere_until_the_run_or_its_process_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_limits, "EVERY", 0.2)
    monkeypatch.setattr(shared_limits, "GONE", 3.0)
    url = f"sqlite:///{tmp_path}/tidings.db"
    mine, theirs = Limits(PEOPLE), Limits(PEOPLE)

    def start() -> None:
        with theirs.run(ANN):
            pass

    async def free() -> None:
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    start()
                except TooManyRequests:
                    await asyncio.sleep(0.02)
                else:
                    return

    async with Hub(url) as two:
        SharedLimits(two, theirs).open()
        async with Hub(url) as one:
            SharedLimits(one, mine).open()
            with mine.run(ANN) as first, mine.run(ANN) as second:
                first("first")
                second("second")
            await refused(start)
            await mine.ended("first")
            await free()
            with mine.run(ANN) as third:
                third("third")
            await refused(start)
        await free()


async def test_broken_events_and_those_of_this_process_are_ignored() -> None:
    limits = Limits(PEOPLE)
    async with Hub("memory:") as hub:
        shared = SharedLimits(hub, limits)
        shared._hear(TOPIC, "not JSON")
        shared._hear(TOPIC, '{"process":"' + shared.process + '","spent":[[["Ann","publishes",10],10]],"held":{}}')
        limits.check(ANN, "publishes", 10)
        shared._hear(TOPIC, '{"process":"other","spent":[[["Ann","publishes",10],10]],"held":{}}')
        with pytest.raises(TooManyRequests):
            limits.check(ANN, "publishes", 10)


async def test_many_people_with_long_names_are_told_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_limits, "LOOK", 0.01)
    limits, sizes, whole = Limits(PEOPLE), list[int](), asyncio.Event()

    async def publish(topic: str, data: dict[str, list[object]], *_: object, **__: object) -> None:
        sizes.append(len(json_of(data)))
        if not limits.spent:
            whole.set()

    async with Hub("memory:") as hub:
        monkeypatch.setattr(hub, "publish", publish)
        for n in range(1500):
            limits.spend(named(f"{n:04} " + "\U0001f600" * 190), "upload_bytes", 900)
        SharedLimits(hub, limits).open()
        async with asyncio.timeout(PATIENCE):
            await whole.wait()
    assert len(sizes) > 1
    assert max(sizes) < MAX_DATA


async def test_a_store_that_is_away_is_told_to_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(shared_limits, "LOOK", 0.01)

    told = asyncio.Event()

    async def away(*_: object, **__: object) -> None:
        told.set()
        raise TidingsError("away")

    limits = Limits(PEOPLE)
    async with Hub("memory:") as hub:
        monkeypatch.setattr(hub, "publish", away)
        SharedLimits(hub, limits).open()
        limits.spend(ANN, "publishes")
        async with asyncio.timeout(PATIENCE):
            await told.wait()
            await asyncio.sleep(0)
    assert "The counts of limits could not be published to the other processes: away" in caplog.text
