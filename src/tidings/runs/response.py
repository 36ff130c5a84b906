"""The response that streams a run."""

from __future__ import annotations

from tidings.delivery.hub import Hub
from tidings.delivery.response import EventStreamResponse
from tidings.errors import InvalidRequest, NotFound
from tidings.events import shown
from tidings.log.names import EARLIEST
from tidings.wire.run_events import RunFormat

FORMAT = RunFormat()
"""Deltas that are read together are written as one."""


class RunResponse(EventStreamResponse):
    """The events of a run from its first, or from the request's `Last-Event-ID`, to its end.

    A run that does not exist is answered with 404.
    """

    def __init__(self, hub: Hub, topic: str) -> None:
        super().__init__(hub, topic, EARLIEST, format=FORMAT)

    async def _check(self) -> None:
        topic = self.topics[0]
        try:
            known = await self.hub.log.describe(topic) is not None
        except InvalidRequest:
            known = False  # no run has such an id
        if not known:
            raise NotFound(f"There is no run {shown(topic.removeprefix('runs.'))}.")
