"""Reading the records that hold some events of a log."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from tidings.events import Offset

from .head import Head
from .port import Store
from .records import Record
from .retention import living

NEAR = 1_000
"""Events between two of those asked for which are still read with them, by one read."""


async def holding(
    store: Store, topic: str, epoch: str, numbers: Sequence[int], now: float
) -> tuple[Head | None, list[Record]]:
    """Return the head of a log and the records that hold some of its events, whose `numbers` are in order.

    Events that are trimmed or do not exist are passed over; the head is None if the log of this epoch has none of them.
    The head is at least as old as every record: a change that compares the head is made on what was read.
    """
    first: Head | None = None
    held: list[Record] = []
    for n in numbers:
        if held and n <= held[-1].last:
            continue
        near = numbers[bisect_right(numbers, n + NEAR) - 1]
        head, records = await store.read(topic, max(n - 1, 0), near - n + 1)
        head = living(head, now)
        if head is not None and head.locate(Offset(epoch, n)) is not None:
            first = first or head
            known = held[-1].last if held else 0
            held += [each for each in records if each.last > known and _holds(each, head.start, numbers)]
    return first, held


def _holds(record: Record, start: int, numbers: Sequence[int]) -> bool:
    """Tell whether a record has one of these events after number `start`."""
    next = bisect_right(numbers, max(record.base, start))
    return next < len(numbers) and numbers[next] <= record.last
