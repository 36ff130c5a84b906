"""The server's own runs as a process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.runs.scripted import forever
from tidings import Hub
from tidings.apps.processes.own_runs import OwnRuns, RunCase
from tidings.apps.processes.service import OWN, Processes
from tidings.events import Event, Offset
from tidings.runs import Run
from tidings.wire.run_events import RunFailed, RunStarted, ToolStarted, to_item


async def answering(_: Any) -> AsyncIterator[str]:
    yield "Forty-two"


async def failing(_: Any) -> AsyncIterator[str]:
    yield "Forty"
    raise RuntimeError("the model is gone")


@pytest.fixture
def added(hub: Hub) -> asyncio.Queue[str]:
    """The runs that were added, each after its end."""
    own, runs = OwnRuns(hub), asyncio.Queue[str]()

    async def ended(run: str) -> None:
        await own.add(run)
        runs.put_nowait(run)

    hub.runs.on_end = ended
    return runs


async def test_runs_are_cases_from_the_question_to_the_end(hub: Hub, added: asyncio.Queue[str]) -> None:
    answered: Run = await hub.runs.start(answering, "What is it?", about={"assistant": "deep", "by": "ann"})
    assert await added.get() == answered.id
    failed = await hub.runs.start(failing, "?")
    assert await added.get() == failed.id
    stopped = await hub.runs.start(forever, "?")
    await hub.runs.stop(stopped.id)
    assert await added.get() == stopped.id
    processes = Processes(hub)
    found = await processes.figures("tidings", 10)
    assert (found.cases, found.refused) == (3, 0)
    assert found.start == {"asked": 3}
    assert found.end == {"answered": 1, "failed": 1, "stopped": 1}
    history = await processes.case("tidings", answered.id, 0, 10)
    assert [step.activity for step in history.events] == ["asked", "first token", "answered"]
    assert b'"deep"' in bytes(history.events[0].data)
    whole = "".join([event.data async for event in _all(hub)])
    assert not any(word in whole for word in ("What is it?", "Forty", "ann", "gone"))


async def _all(hub: Hub) -> AsyncIterator[Event]:
    for event in (await hub.read(OWN, "earliest")).events:
        yield event


async def test_a_run_is_added_once(hub: Hub, added: asyncio.Queue[str]) -> None:
    run = await hub.runs.start(answering, "?")
    await added.get()
    for _ in range(2):
        await OwnRuns(hub).add(run.id)
    await OwnRuns(hub).add("0" * 26)
    assert (await hub.describe(OWN)).tail.n == 3


async def test_a_hub_without_the_server_keeps_no_process_of_its_runs(hub: Hub) -> None:
    run = await hub.runs.start(answering, "?")
    await run.wait()
    await hub.runs.close()
    assert await hub.topics() == [f"runs.{run.id}"]


def test_a_case_has_the_tools_and_the_end_of_a_run() -> None:
    events = [
        RunStarted(run="r", turn="r", assistant="", attempt=1),
        ToolStarted(run="r", call="1", tool="search"),
        RunFailed(run="r", message="no", code="error", retryable=False),
    ]
    case = RunCase("r")
    case.read(Event("runs.r", Offset("e", n), *to_item(event), 10.5 + n) for n, event in enumerate(events))
    assert case.steps == [
        {"case": "r", "activity": "asked", "timestamp": "1970-01-01T00:00:10.500000Z"},
        {"case": "r", "activity": "tool", "timestamp": "1970-01-01T00:00:11.500000Z", "tool": "search"},
        {"case": "r", "activity": "failed", "timestamp": "1970-01-01T00:00:12.500000Z"},
    ]
