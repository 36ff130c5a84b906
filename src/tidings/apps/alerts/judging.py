"""The judging of alerts in one process: it takes turns with other processes, judges, and hands notices on."""

from __future__ import annotations

import asyncio

from tidings.apps.notifications.service import Notifications
from tidings.delivery.hub import Hub

from .judge import Judge
from .rights import Rights
from .sender import Webhooks
from .telling import Telling
from .turn import Turn


class Judging:
    """Judges the rules of a hub whenever this process has the turn."""

    def __init__(self, hub: Hub, rights: Rights, notifications: Notifications, webhooks: Webhooks) -> None:
        self._webhooks = webhooks
        self.judge: Judge = Judge(hub, rights.alerts, Telling(notifications, webhooks, rights).hand_on)
        self.turn: Turn = Turn(hub, self._lead, self.judge.through)
        self.turn.called = self.judge.call

    def open(self) -> None:
        """Begin to take part, once the hub is open."""
        self.turn.open()

    async def _lead(self, since: float, at: float, gap: bool) -> None:
        """Judge the rules and send the webhooks, while this process has the turn."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.judge.lead(since, at, gap))
            group.create_task(self._webhooks.run())

    async def close(self) -> None:
        """Give the turn away, so that another process takes the turn at once."""
        await self.turn.close()
