"""Tests of a run's response: whole from any place, cut before its end, and 404 for an unknown run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.asgi import asking
from tests.delivery.test_response import refused
from tests.runs.scripted import says, until
from tidings import Hub
from tidings.delivery.response import EventStreamResponse


@pytest.fixture
async def hub() -> AsyncIterator[Hub]:
    async with Hub("memory:", drain_window=0.0) as made:
        yield made


async def test_all_of_a_run_for_a_reader_that_comes_late(hub: Hub) -> None:
    run = await hub.runs.start(says("Hel", "lo"), "?")
    await run.wait()
    for response in (run.response(), hub.runs.response(run.id)):
        async with asking(response) as client:
            await client.end()
            assert client.clean
            types = [event.type for event in client.events]
            assert (types[0], types[-2:]) == ("run.started", ["run.finished", "tidings.end"])
            assert types.count("block.delta") == 1, "deltas that are read together are one"
            last = client.last_event_id
        await refused(hub.runs.response(run.id), 204, {"last-event-id": last})


@pytest.mark.parametrize("id", ["0" * 26, "no-run", "", "a b", "a.b", "..", "é", "x" * 300])
async def test_an_unknown_run(hub: Hub, id: str) -> None:
    response = hub.runs.response(id)
    assert isinstance(response, EventStreamResponse)
    await refused(response, 404)
    await refused(response, 404, {"last-event-id": "nonsense"})


async def test_a_run_that_is_cut_does_not_look_finished(hub: Hub) -> None:
    run = await hub.runs.start(says("Well, ", asyncio.Event()), "?")
    await until(run, "block.delta")
    async with asking(run.response()) as client:
        await client.reach(lambda: b"block.delta" in client.body)
        hub.drain()
        await client.end()
        assert not client.clean
