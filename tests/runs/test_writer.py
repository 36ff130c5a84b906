"""The way into the log, alone: in order, to one life of it, never after the end."""

from __future__ import annotations

import asyncio

import pytest

from tidings import Hub
from tidings.runs.writer import Refused, Writer
from tidings.wire.run_events import Data, RunEvent, RunFinished, from_event

END = RunFinished(run="R", outcome="success", finish="stop", usage=[])


def said(value: object) -> Data:
    return Data(run="R", name="x", value=value)


async def stored(hub: Hub) -> list[RunEvent | None]:
    return [from_event(event) for event in (await hub.read("runs.R")).events[1:]]


@pytest.fixture
async def epoch(hub: Hub) -> str:
    return (await hub.publish("runs.R", "begun")).epoch


async def test_everything_comes_in_order_and_the_end_closes(hub: Hub, epoch: str) -> None:
    writer = Writer(hub, "runs.R", epoch, lambda: pytest.fail("it was not refused"))
    for i in range(100):
        await writer.put(said(i))
        if i % 7 == 0:
            await asyncio.sleep(0)
    await writer.end([said("last"), END])
    assert await stored(hub) == [*[said(i) for i in range(100)], said("last"), END]
    head = await hub.log.describe("runs.R")
    assert head is not None
    assert head.closed
    assert writer.ended
    with pytest.raises(Refused):
        await writer.put(said("late"))
    writer.refuse()
    assert not writer.refused, "it has ended: there is nothing left to refuse"


async def test_the_end_is_one_commit_with_what_waits(hub: Hub, epoch: str) -> None:
    """A reader never sees the last words without knowing that they are the last."""
    writer = Writer(hub, "runs.R", epoch, lambda: None)
    await writer.put(said(1))
    await writer.end([END])
    times = {event.time for event in (await hub.read("runs.R")).events[1:]}
    assert len(times) == 1


@pytest.mark.parametrize("how", ["deleted", "closed", "recreated"])
async def test_a_log_that_is_not_its_own_any_more_takes_nothing(hub: Hub, epoch: str, how: str) -> None:
    refused: list[bool] = []
    writer = Writer(hub, "runs.R", epoch, lambda: refused.append(True))
    if how == "closed":
        await hub.close_topic("runs.R")
    else:
        await hub.delete("runs.R")
    if how == "recreated":
        await hub.publish("runs.R", "another life")
    await writer.put(said(1))
    await writer.end([END])
    assert refused == [True]
    assert not writer.ended
    with pytest.raises(Refused):
        await writer.put(said(2))
    head = await hub.log.describe("runs.R")
    assert (head.tail if head else 0) == (0 if how == "deleted" else 1)


async def test_a_put_that_waits_for_space_hears_of_the_end(
    hub: Hub, epoch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(hub.log, "append", never)
    writer = Writer(hub, "runs.R", epoch, lambda: None)
    await writer.put(said("x" * 500_000))
    await asyncio.sleep(0)
    for _ in range(3):
        await writer.put(said("x" * 500_000))
    waiting = asyncio.create_task(writer.put(said("no room")))
    await asyncio.sleep(0)
    assert not waiting.done()
    writer.refuse()
    with pytest.raises(Refused):
        await waiting


async def test_invalid_json_is_an_error_of_its_caller_alone(hub: Hub, epoch: str) -> None:
    writer = Writer(hub, "runs.R", epoch, lambda: None)
    with pytest.raises(TypeError):
        await writer.put(said(object()))
    await writer.end([END])
    assert await stored(hub) == [END]
