"""Alerts at work in one process. What the parts do is in the tests of each."""

from __future__ import annotations

from tests.apps.alerts.processes import eventually
from tidings import Hub
from tidings.apps.alerts.judging import Judging
from tidings.apps.alerts.rule import parse
from tidings.apps.alerts.sender import Webhooks
from tidings.apps.alerts.service import Alerts
from tidings.apps.notifications.service import Notifications


async def test_judging_ends_with_a_beat_that_gives_the_turn_away(hub: Hub) -> None:
    alerts = Alerts(hub)
    bells = Notifications(hub)
    judging = Judging(hub, alerts, bells, Webhooks(hub, bells))
    judging.open()
    id = await alerts.create(parse({"topic": "t", "above": 1}), None)
    await eventually(lambda: id in judging.judge.seats)
    await judging.close()
    assert (await hub.read("judging", -1)).events[0].json()["left"] is True
