"""A run as its readers see it."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from tests.runs.scripted import RateLimitError, forever, gone, says, story, text, until
from tidings import Hub
from tidings.errors import Closed, NotFound
from tidings.events import Event, Page
from tidings.log.head import Head
from tidings.log.names import After
from tidings.runs import Run, runs
from tidings.runs import run as module
from tidings.runs.run import head_of


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


async def test_a_failed_run_has_its_state_and_error(hub: Hub) -> None:
    run = await hub.runs.start(says(RateLimitError("key 1234")), "?")
    await run.wait()
    state = await run.state()
    assert (state.state, state.outcome) == ("failed", None)
    assert state.error is not None
    assert (state.error["code"], state.error["retryable"]) == ("rate_limit", True)
    with pytest.raises(Closed):
        await hub.runs.answer(run.id, "r", "too late")


async def test_the_state_of_a_failed_run_has_the_pause_that_the_provider_asks_for(hub: Hub) -> None:
    error = RateLimitError("key 1234")
    error.response = httpx.Response(429, headers={"retry-after": "7"})
    run = await hub.runs.start(says(error), "?")
    await run.wait()
    state = await run.state()
    assert state.error is not None
    assert state.error["retry_after"] == 7


async def test_a_run_has_its_state(hub: Hub) -> None:
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


async def test_a_command_does_not_reach_another_life_of_the_topic(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run is deleted, and its topic used again, after its head was read."""
    run = await hub.runs.start(says("Hello"), "?")
    await run.wait()
    head = await head_of(hub, run.id)
    await hub.delete(run.topic)
    await hub.publish(run.topic, "another")

    async def earlier(hub: Hub, id: str) -> Head:
        return head

    monkeypatch.setattr(module, "head_of", earlier)
    with pytest.raises(NotFound):
        await run.stop()
    assert [event.data for event in (await hub.read(run.topic)).events] == ["another"]


async def test_a_run_that_is_deleted_while_its_state_is_read_is_not_there(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await hub.runs.start(says("Hello"), "?")
    await run.wait()
    read, pages = hub.read, 0

    async def interrupted(topic: str, after: After = "earliest", limit: int = 1000) -> Page:
        nonlocal pages
        pages += 1
        if pages == 2:
            await hub.delete(topic)
            await hub.publish(topic, "another")
        return await read(topic, after, limit)

    monkeypatch.setattr(hub, "read", interrupted)
    with pytest.raises(NotFound, match=run.id):
        await run.state()


async def test_a_topic_that_was_closed_by_hand_is_an_interrupted_run(hub: Hub) -> None:
    run = await hub.runs.start(forever, "?")
    await until(run, "block.delta")
    await hub.close_topic(run.topic)
    with pytest.raises(Closed):
        await run.wait()
    assert (await run.state()).state == "interrupted"
    await gone(hub)
