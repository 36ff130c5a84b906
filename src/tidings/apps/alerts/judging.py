"""The judging of alerts in one process: it takes turns with other processes, judges, and hands notices on."""

from __future__ import annotations

from tidings.apps.notifications.service import Notifications
from tidings.delivery.hub import Hub

from .judge import Judge
from .service import Alerts
from .telling import Queue, Telling
from .turn import Turn


class Judging:
    """Judges the rules of a hub whenever this process has the turn."""

    def __init__(self, hub: Hub, alerts: Alerts, notifications: Notifications, queue: Queue | None = None) -> None:
        self.judge: Judge = Judge(hub, alerts, Telling(notifications, queue).hand_on)
        self.turn: Turn = Turn(hub, self.judge.lead, self.judge.through)
        self.turn.called = self.judge.call

    def open(self) -> None:
        """Begin to take part, once the hub is open."""
        self.turn.open()

    async def close(self) -> None:
        """Give the turn away, so that another process takes the turn at once."""
        await self.turn.close()
