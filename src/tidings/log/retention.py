"""Retention: when a log expires, and which of its records may go. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from .head import Head
from .records import Record, time_of

SLACK = 1 / 8
"""The fraction by which a log may be over its retention before an append trims it, so that not every append does."""


def expiry(head: Head) -> float | None:
    """Return the Unix time at which a log expires if nothing touches it before; None: it never expires."""
    return None if head.ttl is None else head.touched + head.ttl


def living(head: Head | None, now: float) -> Head | None:
    """Return `head`; None if the log has expired, so that there is no log, whatever the store still holds."""
    if head is None or head.ttl is None or now < head.touched + head.ttl:
        return head
    return None


def due(head: Head) -> float | None:
    """Return the Unix time at which a sweep has something to do for a log: expire it, or trim it by age.

    Logs over `max_events` or `max_bytes` are trimmed by the append that takes them there.
    """
    if head.arriving:
        return None
    times = []
    if head.ttl is not None:
        times.append(head.touched + head.ttl)
    if head.retention.max_age is not None and head.tail > head.start and not head.single:
        times.append(head.oldest + head.retention.max_age)
    return min(times, default=None)


def excessive(head: Head, now: float, slack: float = 0.0) -> bool:
    """Tell whether a log holds more than its retention by more than the fraction `slack`, and can be trimmed."""
    age, number, size = head.retention
    factor = 1 + slack
    return (
        head.tail > head.start
        and not head.single
        and (
            (number is not None and head.tail - head.start > number * factor)
            or (size is not None and head.size > size * factor)
            or (age is not None and now >= head.oldest + age * factor)
        )
    )


def trimmed(head: Head, records: Sequence[Record], now: float) -> Head | None:
    """Return the head after trimming, given the first of the log's records: whole records go, never the last one.

    None: nothing changes. If even the last of `records` may go, `records` were not all of them: trim again with those
    that follow, whose age is known then.
    """
    after, size = head, head.size
    for record in records:
        single = record.last >= head.tail
        after = msgspec.structs.replace(
            head, start=max(head.start, record.base), size=size, oldest=time_of(record), single=single
        )
        if not excessive(after, now):
            break
        size -= len(record.blob)
    else:
        after = msgspec.structs.replace(after, start=records[-1].last if records else head.start, size=size)
    return None if after == head else after
