"""The guard of the topic `metrics.server`."""

from __future__ import annotations

from tidings.access.guards import Admitted, Guard, Items
from tidings.access.subject import PERSON, Subject
from tidings.errors import Forbidden

from .service import OwnMetrics


class MetricsGuard(Guard):
    """Tokens decide who reads the topic; the server alone publishes to it. The first read makes it begin.

    Of the people that sign in, only administrators configure and delete the topic.
    """

    def __init__(self, metrics: OwnMetrics) -> None:
        self._metrics = metrics

    async def read(self, subject: Subject, topic: str) -> None:
        self._metrics.ask()

    async def admit(self, subject: Subject, topic: str, items: Items, *, transient: bool) -> Admitted:
        raise Forbidden(f"Only the server itself publishes to {topic}.", topic=topic)

    async def manage(self, subject: Subject, topic: str) -> None:
        if subject.limits == PERSON and not subject.admin:
            raise Forbidden(f"{topic} is kept by the server.", topic=topic)

    async def announce(self, subject: Subject, topic: str) -> None:
        raise Forbidden(f"Only the server itself publishes to {topic}.", topic=topic)
