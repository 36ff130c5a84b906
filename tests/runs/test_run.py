"""A run as its readers see it."""

from __future__ import annotations

import asyncio

import pytest

from tests.runs.scripted import RateLimitError, forever, gone, says, story, text, until
from tidings import Hub
from tidings.errors import Closed, NotFound
from tidings.events import Event
from tidings.runs import Run, runs


async def test_any_number_of_viewers_from_any_offset_see_the_same(hub: Hub) -> None:
    run = await hub.runs.start(says(*[f"{i} " for i in range(50)]), "?")
    live, late = await asyncio.gather(collect(run), collect(run))
    assert live == late == await collect(run)
    for i in (0, 1, len(live) // 2, len(live) - 1):
        assert await collect(run, live[i]) == live[i + 1 :]


async def collect(run: Run, after: Event | None = None) -> list[Event]:
    return [event async for event in run.events(after.offset if after and after.offset else "earliest")]


async def test_a_viewer_that_leaves_cancels_nothing(hub: Hub) -> None:
    gate = asyncio.Event()
    run = await hub.runs.start(says("Hel", gate, "lo"), "?")
    async for event in run.events():
        if event.type == "block.delta":
            break
    gate.set()
    assert text((await story(run))[1:]) == "Hello"


async def test_how_a_failed_run_is(hub: Hub) -> None:
    run = await hub.runs.start(says(RateLimitError("key 1234")), "?")
    await run.wait()
    state = await run.state()
    assert (state.state, state.outcome) == ("failed", None)
    assert state.error is not None
    assert (state.error["code"], state.error["retryable"]) == ("rate_limit", True)
    with pytest.raises(Closed):
        await hub.runs.answer(run.id, "r", "too late")


async def test_how_a_run_is(hub: Hub) -> None:
    gate = asyncio.Event()
    run = await hub.runs.start(says("Hel", gate, "lo"), "?", about={"assistant": "docs", "model": "tiny"})
    await until(run, "block.delta")
    state = await run.state()
    assert (state.state, state.outcome, state.ended, state.error) == ("running", None, None, None)
    assert (state.run, state.topic, state.assistant, state.model) == (run.id, run.topic, "docs", "tiny")
    gate.set()
    end = await run.wait()
    state = await run.state()
    assert (state.state, state.outcome, state.ended, state.offset) == ("finished", "success", end.time, str(end.offset))


async def test_a_run_that_is_not(hub: Hub) -> None:
    for id in (runs.new_id(), "x", "../x", "", "é" * 26):
        with pytest.raises(NotFound):
            await hub.runs.get(id)
        with pytest.raises(NotFound):
            await hub.runs.stop(id)
        with pytest.raises(NotFound):
            await hub.runs.answer(id, "r", "yes")


async def test_a_topic_that_was_closed_by_hand_is_an_interrupted_run(hub: Hub) -> None:
    run = await hub.runs.start(forever, "?")
    await until(run, "block.delta")
    await hub.close_topic(run.topic)
    with pytest.raises(Closed):
        await run.wait()
    assert (await run.state()).state == "interrupted"
    await gone(hub)
