"""Reading a log: where a reader goes on, and the page of events that it gets. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from tidings.events import ORIGIN, Event, Lost, Offset, Page

from .head import Head
from .records import Record, unpack


def position(head: Head, after: Offset | None) -> tuple[int, Lost | None]:
    """Return the number after which a reader of everything up to `after` goes on; and why, if that is another place."""
    if after is None:
        return head.start, None
    if after == ORIGIN:
        return head.start, "trimmed" if head.start else None
    n = head.locate(after)
    if n is None or n > head.tail:
        return head.start, "recreated"  # beyond the tail: a failover of the store has undone what the reader has
    if n < head.start:
        return head.start, "trimmed"
    return n, None


def page(topic: str, head: Head, records: Sequence[Record], n: int, lost: Lost | None, limit: int) -> Page:
    """Return at most `limit` events after `n`, from records of which the first may begin before and the last end after.

    A store may answer with a head that is older than its records: the records' own numbers count. A hole before them is
    `trimmed`; a hole among them ends the page before it.
    """
    events: list[Event] = []
    start, tail = head.start, head.tail
    for record in records:
        if record.last <= n:
            continue
        if record.base > n:
            if events:
                break
            n, start, lost = record.base, max(start, record.base), lost or "trimmed"
        events += unpack(record, topic, head.epoch, n, limit - len(events))
        n, tail = record.last, max(tail, record.last)
        if len(events) >= limit:
            break
    if not events and n < tail:
        n = start = tail
        lost = lost or "trimmed"
    at = (events[-1].offset if events else None) or Offset(head.epoch, n)
    return Page(events, at, Offset(head.epoch, start + 1), Offset(head.epoch, tail), at.n == tail, head.closed, lost)
