"""The rules of a log, and the only place they live. Pure: no I/O, no clock, no await.

A store keeps a `Head` a topic and its `Record`s. What may happen to them is decided here, from what is `Known` of the
topic at one instant; the store then writes the `Change`, all of it or nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Final, Literal, NamedTuple

import msgspec

from tidings.errors import Closed, Conflict, InvalidRequest, TooLarge
from tidings.events import ORIGIN, Event, Lost, Offset, Page, Retention

from .names import MAX_APPEND, MAX_NAME, new_epoch, size_of, valid_type, weigh

SLACK = 1 / 8
"""By how much a log may be over its retention before an append trims it, so that not every append has to."""


class Expected(Enum):
    """What an append may ask of a log beside an epoch or an offset."""

    NEW = "new"


NEW: Final = Expected.NEW
"""The topic must not exist: of several that expect it, one wins."""


class Head(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """All that the rules need to know of a log. It outlives its events: trimming keeps it, deleting ends it.

    `start < n <= tail` are the retained events. `closed` never becomes False again within an epoch: it is the fence.
    `size`: bytes of the retained records. `oldest`, `touched`: Unix seconds of the first retained record and of the
    last append, close or configure. `ttl`: seconds after `touched` at which the log expires, as if deleted.
    """

    epoch: str
    start: int = 0
    tail: int = 0
    closed: bool = False
    size: int = 0
    oldest: float = 0.0
    touched: float = 0.0
    retention: Retention = Retention()
    ttl: float | None = None


class Record(NamedTuple):
    """One commit's events, `base < n <= last`: one SQL row, one stream entry. `id` is the commit's own."""

    base: int
    last: int
    id: bytes
    blob: bytes


class Known(NamedTuple):
    """A head as it was at one instant, and the spans of those asked-for keys that its epoch has seen in 24 h."""

    head: Head | None
    seen: Mapping[str, tuple[int, int]] = {}


class Change(NamedTuple):
    """What to write. All of it happens, or nothing.

    `head`: None deletes the log, its keys and its lease. A head whose `start` moved drops the records with
    `last <= start`. `record`: None when only the head changes. `keys`: (key, first, last) to remember for 24 h.
    `fresh`: the head begins a new epoch in the place of an expired one: drop all that the old one left.
    """

    head: Head | None
    record: Record | None = None
    keys: Sequence[tuple[str, int, int]] = ()
    fresh: bool = False


class Append(NamedTuple):
    """What a caller asks for. `items` are (type, data). A `retention` or `ttl` of None leaves the log's own.

    `configure`: set both as they are, also to None.
    """

    items: Sequence[tuple[str, str]] = ()
    expected: Literal[Expected.NEW] | str | Offset | None = None
    key: str | None = None
    close: bool = False
    retention: Retention | None = None
    ttl: float | None = None
    configure: bool = False


class Appended(NamedTuple):
    """The offsets of the first and last event (both the tail, if there was none). `duplicate`: of an earlier append
    with the same key; nothing was stored now."""

    first: Offset
    last: Offset
    duplicate: bool = False


Answer = Appended | Conflict
"""What became of one append. `Closed` is a `Conflict`."""


# ---------------------------------------------------------------- names and values


def valid_append(append: Append) -> int:
    """The size of an append in bytes of data; raises InvalidRequest or TooLarge if any part of it breaks a rule."""
    size = 0
    for type, data in append.items:
        valid_type(type)
        size += weigh(data)
    if size > MAX_APPEND:
        raise TooLarge(f"One append holds at most {MAX_APPEND} bytes of data.")
    if append.key is not None and not (isinstance(append.key, str) and 0 < size_of(append.key, "A key") <= MAX_NAME):
        raise InvalidRequest(f"An idempotency key is text of 1 to {MAX_NAME} bytes.")
    for limit in (append.ttl, *(append.retention or ())):
        if limit is not None and not limit > 0:
            raise InvalidRequest("Ages, numbers and sizes of a retention, and a ttl, are above zero.")
    return size


# ---------------------------------------------------------------- records


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(tuple[float, list[tuple[str, str]]])


def encode(time: float, items: Sequence[tuple[str, str]]) -> bytes:
    """The blob of a record: the events' common time, and their types and data."""
    return _encoder.encode((time, items))


def decode(record: Record, epoch: str) -> list[Event]:
    """The events of a record."""
    time, items = _decoder.decode(record.blob)
    return events(Offset(epoch, record.base), items, time)


def events(base: Offset, items: Sequence[tuple[str, str]], time: float) -> list[Event]:
    """`items` as the events that follow `base`."""
    epoch, n = base
    return [Event(Offset(epoch, n), type, data, time) for n, (type, data) in enumerate(items, n + 1)]


# ---------------------------------------------------------------- what may be written


def decide(
    known: Known, appends: Sequence[Append], now: float, id: bytes, epoch: Callable[[], str] = new_epoch
) -> tuple[Change | None, list[Answer]]:
    """What to write for `appends`, one after another as ONE record, and what to answer to each.

    The rules' order: expired → key seen (even if closed, or a retry of the closing append would be refused) → expected
    → closed → accept. None: nothing is to be written, all were answered from what is known.
    """
    head, seen = living(known.head, now), dict(known.seen)
    fresh = head is not known.head
    if fresh:
        seen.clear()
    base = head.tail if head else 0
    items: list[tuple[str, str]] = []
    keys: list[tuple[str, int, int]] = []
    answers: list[Answer] = []
    for append in appends:
        if head and append.key is not None and append.key in seen:
            first, last = seen[append.key]
            answers.append(Appended(Offset(head.epoch, first), Offset(head.epoch, last), True))
        elif refusal := _refusal(head, append):
            answers.append(refusal)
        else:
            head = _next(head or Head(epoch()), append, now)
            items += append.items
            first = head.tail - len(append.items) + 1 if append.items else head.tail
            answers.append(Appended(Offset(head.epoch, first), Offset(head.epoch, head.tail)))
            if append.key is not None:
                seen[append.key] = first, head.tail
                keys.append((append.key, first, head.tail))
    if head is None or head is known.head:
        return None, answers
    record = None
    if items:
        record = Record(base, head.tail, id, encode(now, items))
        oldest = now if head.start == base else head.oldest
        head = msgspec.structs.replace(head, size=head.size + len(record.blob), oldest=oldest)
    return Change(head, record, keys, fresh), answers


def _refusal(head: Head | None, append: Append) -> Conflict | None:
    expected = append.expected
    if expected is NEW:
        met = head is None
    elif isinstance(expected, Offset):
        met = head is not None and expected == (head.epoch, head.tail)
    else:
        met = expected is None or (head is not None and expected == head.epoch)
    if not met:
        tail = str(Offset(head.epoch, head.tail)) if head else None
        return Conflict("The topic is not in the state that was expected.", tail=tail)
    if head and head.closed and not append.configure:
        return Closed("The topic is closed: no event will ever follow.", tail=str(Offset(head.epoch, head.tail)))
    return None


def _next(head: Head, append: Append, now: float) -> Head:
    given = append.configure
    return Head(
        epoch=head.epoch,
        start=head.start,
        tail=head.tail + len(append.items),
        closed=head.closed or append.close,
        size=head.size,
        oldest=head.oldest,
        touched=now,
        retention=append.retention or Retention() if given else append.retention or head.retention,
        ttl=append.ttl if given or append.ttl is not None else head.ttl,
    )


# ---------------------------------------------------------------- what may be forgotten


def expiry(head: Head) -> float | None:
    """The Unix time at which a log expires, if nothing touches it before."""
    return None if head.ttl is None else head.touched + head.ttl


def living(head: Head | None, now: float) -> Head | None:
    """`head`, unless it has expired: then there is no log, whatever the store still holds."""
    if head is None or head.ttl is None or now < head.touched + head.ttl:
        return head
    return None


def excessive(head: Head, now: float, slack: float = 0.0) -> bool:
    """Whether the log holds more than its retention, by more than the fraction `slack`."""
    age, number, size = head.retention
    factor = 1 + slack
    return head.tail > head.start and (
        (number is not None and head.tail - head.start > number * factor)
        or (size is not None and head.size > size * factor)
        or (age is not None and now - head.oldest > age * factor)
    )


def trim_point(head: Head, records: Sequence[Record], now: float) -> Head | None:
    """The head after trimming, given the first of the log's records: whole records, never the last one. None: no trim.

    If even the last of `records` may go, `records` were not all: trim again with the next, whose age is known then.
    """
    trimmed, size = head, head.size
    for record in records:
        trimmed = with_start(head, max(head.start, record.base), size, _decoder.decode(record.blob)[0])
        if record.last >= head.tail or not excessive(trimmed, now):
            break
        size -= len(record.blob)
    else:
        trimmed = with_start(trimmed, records[-1].last if records else head.start, size, trimmed.oldest)
    return None if trimmed == head else trimmed


def with_start(head: Head, start: int, size: int, oldest: float) -> Head:
    """`head`, trimmed."""
    return msgspec.structs.replace(head, start=start, size=size, oldest=oldest)


# ---------------------------------------------------------------- what is read


def position(head: Head, after: Offset | None) -> tuple[int, Lost | None]:
    """The `n` after which a reader who has read up to `after` goes on, and why, if that is not where it was."""
    if after is None:
        return head.start, None
    if after == ORIGIN:
        return head.start, "trimmed" if head.start else None
    if after.epoch != head.epoch or after.n > head.tail:
        return head.start, "recreated"  # beyond the tail: of a life that a failover has undone
    if after.n < head.start:
        return head.start, "trimmed"
    return after.n, None


def page(head: Head, records: Sequence[Record], n: int, lost: Lost | None, limit: int) -> Page:
    """At most `limit` events after `n`, from records of which the first may begin before and the last end behind.

    A store may answer with a head that is older than its records: the records' own numbers count. A hole before them is
    `trimmed`; one among them ends the page before it.
    """
    found: list[Event] = []
    start, tail = head.start, head.tail
    for record in records:
        if record.last <= n:
            continue
        if record.base > n:
            if found:
                break
            n, start, lost = record.base, max(start, record.base), lost or "trimmed"
        found += decode(record, head.epoch)[n - record.base :]
        n = record.last
        if len(found) >= limit:
            break
    tail = max(tail, n)
    if len(found) > limit:
        n -= len(found) - limit
        del found[limit:]
    elif not found and n < tail:
        n = start = tail
        lost = lost or "trimmed"
    at = Offset(head.epoch, n)
    return Page(found, at, Offset(head.epoch, start + 1), Offset(head.epoch, tail), n == tail, head.closed, lost)
