"""Turns: of several processes one judges at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from tests.apps.alerts.processes import eventually, hurry
from tidings import Hub
from tidings.apps.alerts import turn as module
from tidings.apps.alerts.rule import parse
from tidings.apps.alerts.service import CALLS, Alerts
from tidings.apps.alerts.turn import Turn


@pytest.fixture(autouse=True)
def quick() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("BEAT", "LAPSE", "IDLE"):
            patch.setattr(module, name, getattr(module, name))
        hurry()
        yield


class Part:
    """The part of a process, which notes when it has the turn."""

    def __init__(self, hub: Hub) -> None:
        self.led: list[tuple[float, float, bool]] = []
        self.through = 5.0
        self.turn = Turn(hub, self.lead, lambda: self.through)
        self.turn.open()

    async def lead(self, *about: Any) -> None:
        self.led.append(about)
        await asyncio.Event().wait()


async def test_nobody_takes_a_turn_while_there_is_no_rule(hub: Hub) -> None:
    part = Part(hub)
    await asyncio.sleep(0.3)
    assert not part.turn.leads
    assert CALLS not in await hub.topics()
    await Alerts(hub).create(parse({"topic": "t", "above": 1}), None)
    await eventually(lambda: part.led)
    [(_, at, gap)] = part.led
    assert (at, gap) == (0.0, True)


async def test_a_turn_is_given_away_taken_over_and_lost(sqlite_url: str) -> None:
    async with Hub(sqlite_url) as hub, Hub(sqlite_url) as other:
        await Alerts(hub).create(parse({"topic": "t", "above": 1}), None)
        first, second = Part(hub), Part(other)
        await eventually(lambda: first.led or second.led)
        leader, other_part = (first, second) if first.led else (second, first)
        await leader.turn.close()
        await eventually(lambda: other_part.led)
        since, at, gap = other_part.led[0]
        assert (since, at, gap) == (leader.led[0][0], 5.0, False)
        # A beat of a third process takes the turn away.
        await hub.publish(CALLS, {"process": "third", "since": 1.0, "at": 2.0}, "judge.beat")
        await eventually(lambda: not other_part.turn.leads)
        await eventually(lambda: len(other_part.led) == 2)
        assert other_part.led[1] == (1.0, 2.0, False)
        await other_part.turn.close()


async def test_judging_that_fails_is_begun_again(hub: Hub, caplog: pytest.LogCaptureFixture) -> None:
    await Alerts(hub).create(parse({"topic": "t", "above": 1}), None)
    begun: list[int] = []

    async def fail(*_: Any) -> None:
        begun.append(1)
        raise ValueError("a defect")

    turn = Turn(hub, fail, lambda: 0.0)
    turn.open()
    await eventually(lambda: len(begun) == 2)
    await turn.close()
    assert "Judging failed" in caplog.text
