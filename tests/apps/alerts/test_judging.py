"""Alerts at work in one process. What the parts do is in the tests of each."""

from __future__ import annotations

from tests.apps.alerts.processes import eventually, judging_of
from tidings import Hub
from tidings.apps.alerts.rule import parse
from tidings.apps.alerts.service import Alerts


async def test_judging_ends_with_a_beat_that_gives_the_turn_away(hub: Hub) -> None:
    alerts = Alerts(hub)
    judging = judging_of(hub, alerts)
    judging.open()
    id = await alerts.create(parse({"topic": "t", "above": 1}), None)
    await eventually(lambda: id in judging.judge.seats)
    await judging.close()
    assert (await hub.read("judging", -1)).events[0].json()["left"] is True
