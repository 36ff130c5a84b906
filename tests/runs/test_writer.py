"""The way into the log, alone: in order, to one life of it, never after the end."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from tidings import Hub
from tidings.errors import OutcomeUnknown
from tidings.events import Offset
from tidings.log.records import Item
from tidings.log.rules import Appended
from tidings.runs.writer import Refused, Writer
from tidings.wire.run_events import Data, RunEvent, RunFinished, from_event, to_item

END = RunFinished(run="R", outcome="success", finish="stop", usage=[])


def said(value: object) -> Data:
    return Data(run="R", name="x", value=value)


async def stored(hub: Hub) -> list[RunEvent | None]:
    return [from_event(event) for event in (await hub.read("runs.R")).events[1:]]


@pytest.fixture
async def begun(hub: Hub) -> Offset:
    return await hub.publish("runs.R", "begun")


async def test_everything_comes_in_order_and_the_end_closes(hub: Hub, begun: Offset) -> None:
    writer = Writer(hub, "runs.R", begun, lambda: pytest.fail("it was not refused"))
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


async def test_the_end_is_one_commit_with_what_waits(hub: Hub, begun: Offset) -> None:
    """A reader never sees the last words without knowing that they are the last."""
    writer = Writer(hub, "runs.R", begun, lambda: None)
    await writer.put(said(1))
    await writer.end([END])
    times = {event.time for event in (await hub.read("runs.R")).events[1:]}
    assert len(times) == 1


@pytest.mark.parametrize("how", ["deleted", "closed", "recreated"])
async def test_a_log_that_is_not_its_own_any_more_takes_nothing(hub: Hub, begun: Offset, how: str) -> None:
    refused: list[bool] = []
    writer = Writer(hub, "runs.R", begun, lambda: refused.append(True))
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
    hub: Hub, begun: Offset, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(hub.log, "append", never)
    writer = Writer(hub, "runs.R", begun, lambda: None)
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


async def test_invalid_json_is_an_error_of_its_caller_alone(hub: Hub, begun: Offset) -> None:
    writer = Writer(hub, "runs.R", begun, lambda: None)
    with pytest.raises(TypeError):
        await writer.put(said(object()))
    await writer.end([END])
    assert await stored(hub) == [END]


class Unsure:
    """A journal's `append` whose connection to the store dies under one append. The append is `lost`, or stored."""

    def __init__(self, hub: Hub, monkeypatch: pytest.MonkeyPatch, *, lost: bool) -> None:
        self._append = hub.log.append
        self._lost = lost
        self.before_next: Callable[[], Awaitable[object]] | None = None
        """A call to be made before the append that follows."""
        self.died = False
        monkeypatch.setattr("tidings.runs.writer.PAUSE", 0.001)
        monkeypatch.setattr(hub.log, "append", self)

    async def __call__(self, topic: str, items: Sequence[Item], **options: Any) -> Appended:
        if not self.died:
            self.died = True
            late = functools.partial(self._append, topic, items, **options)
            if not self._lost:
                await late()
            elif self.before_next is None:
                self.before_next = late
            raise OutcomeUnknown("The connection died.")
        if self.before_next is not None:
            call, self.before_next = self.before_next, None
            await call()
        return await self._append(topic, items, **options)


async def test_events_that_were_stored_though_the_connection_died_are_not_stored_again(
    hub: Hub, begun: Offset, monkeypatch: pytest.MonkeyPatch
) -> None:
    Unsure(hub, monkeypatch, lost=False)
    writer = Writer(hub, "runs.R", begun, lambda: pytest.fail("it was not refused"))
    await writer.put(said(1))
    await writer.put(said(2))
    await writer.end([END])
    assert await stored(hub) == [said(1), said(2), END]
    assert writer.ended


async def test_events_that_a_dying_connection_stores_late_are_not_stored_again(
    hub: Hub, begun: Offset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The events arrive after the writer has looked for them, just before it appends them again."""
    Unsure(hub, monkeypatch, lost=True)
    writer = Writer(hub, "runs.R", begun, lambda: pytest.fail("it was not refused"))
    await writer.put(said(1))
    await asyncio.sleep(0)
    await writer.put(said(2))
    await writer.end([END])
    assert await stored(hub) == [said(1), said(2), END]


async def test_events_that_were_lost_with_the_connection_are_stored_beside_a_command(
    hub: Hub, begun: Offset, monkeypatch: pytest.MonkeyPatch
) -> None:
    unsure = Unsure(hub, monkeypatch, lost=True)
    command = Data(run="R", name="command", value=1)
    unsure.before_next = lambda: hub.publish("runs.R", *reversed(to_item(command)))
    writer = Writer(hub, "runs.R", begun, lambda: pytest.fail("it was not refused"))
    await writer.put(said(1))
    await writer.end([END])
    assert await stored(hub) == [command, said(1), END]


@pytest.mark.parametrize("how", ["deleted", "closed", "recreated"])
async def test_a_log_that_changed_hands_while_the_connection_was_dead_takes_nothing(
    hub: Hub, begun: Offset, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    async def change() -> None:
        await (hub.close_topic if how == "closed" else hub.delete)("runs.R")
        if how == "recreated":
            await hub.publish("runs.R", "another life")

    append, refused = hub.log.append, list[bool]()

    async def die(topic: str, items: Sequence[Item], **options: Any) -> Appended:
        monkeypatch.setattr(hub.log, "append", append)
        await change()
        raise OutcomeUnknown("The connection died.")

    monkeypatch.setattr(hub.log, "append", die)
    monkeypatch.setattr("tidings.runs.writer.PAUSE", 0.001)
    writer = Writer(hub, "runs.R", begun, lambda: refused.append(True))
    await writer.put(said(1))
    await writer.end([END])
    assert refused == [True]
    head = await hub.log.describe("runs.R")
    assert (head.tail if head else 0) == (0 if how == "deleted" else 1)


async def test_an_outcome_that_stays_unknown_is_given_up(
    hub: Hub, begun: Offset, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def die(*_: object, **__: object) -> Appended:
        raise OutcomeUnknown("The connection died.")

    monkeypatch.setattr("tidings.runs.writer.PATIENCE", -1.0)
    monkeypatch.setattr(hub.log, "append", die)
    refused: list[bool] = []
    writer = Writer(hub, "runs.R", begun, lambda: refused.append(True))
    await writer.put(said(1))
    await writer.end([END])
    assert refused == [True]
    assert await stored(hub) == []
