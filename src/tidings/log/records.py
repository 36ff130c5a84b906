"""Records: how the events of a log are grouped and written as bytes. Pure.

A record is the unit that a store keeps: one SQL row, one entry of a Redis stream. One append may be several records, so
that a page of events costs no more than the records that it touches.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

import msgspec

from tidings.events import Event, Offset, redacted_event

RECORD_EVENTS, RECORD_CHARACTERS = 1_000, 1 << 18
"""Limits of one record. A single event with more data than that is a record of its own."""

Item = tuple[str, str]
"""The type and the data of an event that is appended."""


class Record(NamedTuple):
    """The events `base < n <= last` of a log. `id` names the commit that wrote them; `blob` holds them."""

    base: int
    last: int
    id: bytes
    blob: bytes


class _Batch(msgspec.Struct, array_like=True, gc=False):
    """The content of a blob. `redacted` are the indexes of items without data, whose type is the one they had."""

    time: float
    items: list[Item]
    redacted: list[int] = []


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Batch).decode


def pack(base: int, items: Sequence[Item], time: float, id: bytes) -> list[Record]:
    """Return `items`, which follow number `base` and were accepted at `time`, as records."""
    records: list[Record] = []
    for start, end in _groups(items):
        group = items if end - start == len(items) else items[start:end]
        records.append(Record(base + start, base + end, id, _encode((time, group))))
    return records


def _groups(items: Sequence[Item]) -> Iterator[tuple[int, int]]:
    if 0 < len(items) <= RECORD_EVENTS and sum([len(type) + len(data) for type, data in items]) <= RECORD_CHARACTERS:
        yield 0, len(items)  # almost every append: the loop below takes twice as long
        return
    start = size = 0
    for index, (type, data) in enumerate(items):
        size += len(type) + len(data)
        if index > start and (size > RECORD_CHARACTERS or index - start == RECORD_EVENTS):
            yield start, index
            start, size = index, len(type) + len(data)
    if start < len(items):
        yield start, len(items)


def unpack(record: Record, topic: str, epoch: str, after: int = 0, limit: int | None = None) -> list[Event]:
    """Return the events of a record, at most `limit` of those that follow number `after`."""
    batch = _decode(record.blob)
    first = max(after - record.base, 0)
    end = len(batch.items) if limit is None else first + limit
    found = events(topic, Offset(epoch, record.base + first), batch.items[first:end], batch.time)
    for index in batch.redacted:
        if first <= index < end:
            event = found[index - first]
            assert event.offset
            found[index - first] = redacted_event(topic, event.offset, event.type, event.time)
    return found


def events(topic: str, base: Offset, items: Sequence[Item], time: float) -> list[Event]:
    """Return `items` as the events that follow `base`."""
    epoch, n = base
    return [Event(topic, Offset(epoch, n), type, data, time) for n, (type, data) in enumerate(items, n + 1)]


def time_of(record: Record) -> float:
    """Return the Unix time at which the log accepted the events of a record."""
    return _decode(record.blob).time


def without(record: Record, numbers: Collection[int]) -> tuple[Record, Sequence[tuple[int, str]]]:
    """Return the record without the data of those of its events whose numbers are given.

    Return also the number and the type of each event that had its data still.
    """
    batch = _decode(record.blob)
    named: list[tuple[int, str]] = []
    for n in sorted(n for n in numbers if record.base < n <= record.last):
        index = n - record.base - 1
        if index not in batch.redacted:
            type = batch.items[index][0]
            batch.items[index] = type, ""
            batch.redacted.append(index)
            named.append((n, type))
    return (record._replace(blob=_encode(batch)), named) if named else (record, ())
