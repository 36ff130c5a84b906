"""Reading the facts of some events of a room."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection

from tidings.delivery.hub import Hub
from tidings.errors import InvalidRequest, NotFound
from tidings.events import Offset

from . import facts
from .facts import Fact

NEAR = 1_000
"""Events between two of those asked for which are still read with them, by one read."""


async def facts_at(hub: Hub, topic: str, epoch: str, numbers: Collection[int]) -> dict[int, Fact]:
    """The facts of the events with these numbers, without those that are trimmed or redacted. Raises Unavailable."""
    wanted, found = set(numbers), dict[int, Fact]()
    left = sorted(wanted)
    while left:
        near = left[bisect_right(left, left[0] + NEAR) - 1]
        try:
            page = await hub.read(topic, Offset(epoch, left[0] - 1), near - left[0] + 1)
        except NotFound:
            break
        if page.next.epoch != epoch:
            break
        for event in page.events:
            if event.offset is not None and event.offset.n in wanted and not event.redacted:
                try:
                    found[event.offset.n] = facts.read(event.type, event.data)
                except InvalidRequest:
                    continue  # a fact of another version
        left = left[max(1, bisect_right(left, page.next.n)) :]
    return found
