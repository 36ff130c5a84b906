"""The topics that rules watch. Each topic is followed once, and read as far back as a rule needs."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable
from time import monotonic
from typing import Any

from tidings.delivery.hub import Hub
from tidings.errors import NotFound, TidingsError
from tidings.events import Event, Offset
from tidings.slices import SLICE

log: logging.Logger = logging.getLogger("tidings.alerts")

BACK = 100_000
"""Events that are read back for one topic at most."""

PAGE = 1000

BAD = object()
"""The data of an event that is not JSON."""


def data_of(event: Event) -> Any:
    """Return the JSON value of an event's data, or BAD if the data are not JSON."""
    try:
        return event.json()
    except ValueError:
        return BAD


async def past(hub: Hub, topic: str, since: float, most: int = BACK) -> tuple[list[Event], Offset | None]:
    """Return the events of a topic since a time, at most the last `most`, and the tail, or None without a topic.

    Raises Unavailable.
    """
    parts: list[list[Event]] = []
    count, before, tail = 0, None, None
    while True:
        try:
            page = await hub.log.read_before(topic, before, PAGE)
        except NotFound:
            return [], None
        tail = tail or page.tail
        events = [event for event in page.events if event.time >= since and event.offset is not None]
        parts.append(events)
        count += len(events)
        if len(events) < len(page.events) or not page.events or count >= most or page.events[0].offset is None:
            break
        before = Offset(page.tail.epoch, page.events[0].offset.n - 1)
        if before.n < page.earliest.n:
            break
        await asyncio.sleep(0)
    return [event for part in reversed(parts) for event in part][-most:], tail


class Source:
    """A topic that is followed from an offset on. `hear(event, data)` is called with each event, in order.

    `behind`: the time of the last event while other tasks have their turn before the next one; infinite otherwise.
    """

    def __init__(self, hub: Hub, topic: str, offset: Offset | None, hear: Callable[[str, Event, Any], None]) -> None:
        self.topic = topic
        self.offset = offset
        self.behind: float = math.inf
        self.rules: dict[str, Offset | None] = {}
        self._hub, self._hear = hub, hear
        self._task = hub.delivery.background(self._follow())

    def close(self) -> None:
        """Stop following the topic."""
        self._task.cancel()

    async def _follow(self) -> None:
        until = monotonic() + SLICE
        while True:
            try:
                async for event in self._hub.subscribe(self.topic, self.offset or "earliest"):
                    if event.offset is not None:
                        self.offset = event.offset
                        if not event.type.startswith("tidings."):
                            self._hear(self.topic, event, data_of(event))
                    if monotonic() > until:
                        self.behind = event.time
                        await asyncio.sleep(0)
                        self.behind = math.inf
                        until = monotonic() + SLICE
                return
            except TidingsError as error:
                log.info("%s is not watched now: %s", self.topic, error)
            await asyncio.sleep(1.0)
