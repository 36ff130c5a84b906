"""The rules of writing to a log, and the only place where they are. Pure: no I/O, no clock, no await.

The rules decide from what is `Known` of a topic at one instant; the store then writes the `Change`, all of it or
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from enum import Enum
from typing import Final, Literal, NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from tidings.errors import Closed, Conflict, InvalidRequest, TooLarge
from tidings.events import Offset, Retention

from .head import REMEMBERED, Change, Head, Known, owned_by
from .names import MAX_APPEND, MAX_EVENTS, MAX_NAME, new_epoch, size_of, valid_type, weigh
from .records import Item, Record, pack, without
from .retention import living


class Expected(Enum):
    """Expectations of an append beside an epoch or an offset."""

    NEW = "new"


NEW: Final = Expected.NEW
"""The expectation that the topic does not exist: of several appends that expect it, exactly one is accepted."""


class Append(NamedTuple):
    """The request of a caller. `items` are the (type, data) of the events.

    `retention` and `ttl`: UNSET keeps those of the log; None is unlimited. `configure`: the settings also of a closed
    log may change. The append that creates the log sets its `owner`, and `default` as its retention if it has none of
    its own. `labels`: those that the log gets (True) and loses (False) with this append.
    """

    items: Sequence[Item] = ()
    expected: Literal[Expected.NEW] | str | Offset | None = None
    key: str | None = None
    close: bool = False
    retention: Retention | UnsetType | None = UNSET
    ttl: float | UnsetType | None = UNSET
    configure: bool = False
    owner: str = ""
    default: Retention | None = None
    labels: Mapping[str, bool] = {}


class Appended(NamedTuple):
    """The offsets of the first and the last event; both are the tail if there was none.

    `duplicate`: an earlier append with the same key has stored the events; nothing was stored now.
    """

    first: Offset
    last: Offset
    duplicate: bool = False


Answer = Appended | Conflict
"""The outcome of one append. `Closed` is a `Conflict`."""


def valid_append(append: Append) -> int:
    """Return the bytes of data of an append. Raises InvalidRequest or TooLarge if a part of it breaks a rule."""
    if len(append.items) > MAX_EVENTS:
        raise TooLarge(f"One append holds at most {MAX_EVENTS:,} events.")
    size, checked = 0, None
    for type, data in append.items:
        if type != checked:  # neighbours are mostly of one type
            checked = valid_type(type)
        size += weigh(data)
    if size > MAX_APPEND:
        raise TooLarge(f"One append holds at most {MAX_APPEND:,} bytes of data.")
    if append.key is not None and not (isinstance(append.key, str) and 0 < size_of(append.key, "A key") <= MAX_NAME):
        raise InvalidRequest(f"An idempotency key is text of 1 to {MAX_NAME} bytes.")
    if not isinstance(append.owner, str) or len(append.owner) > MAX_NAME or size_of(append.owner, "An owner") < 0:
        raise InvalidRequest(f"An owner is text of at most {MAX_NAME} characters.")
    retention = append.retention if append.retention is not UNSET else None
    for limit in (append.ttl, *(retention or ())):
        if limit is not None and limit is not UNSET and not limit > 0:
            raise InvalidRequest("Ages, numbers and sizes of a retention, and a ttl, are above zero.")
    return size


def decide(
    known: Known, appends: Sequence[Append], now: float, id: bytes, epoch: Callable[[], str] = new_epoch
) -> tuple[Change | None, list[Answer]]:
    """Return the change to write for `appends`, taken one after another, and the answer to each.

    The rules' order: expired → key seen (even if closed, or a retry of the closing append would be refused) → expected
    → closed → accept. A change of None: nothing is to be written, all were answered from what is known.
    """
    head, seen = living(known.head, now), dict(known.seen)
    fresh = head is None and known.head is not None
    if head is None:
        seen = {}
    base = head.tail if head else 0
    items: list[Item] = []
    keys: list[tuple[str, int, int]] = []
    labels: dict[str, bool] = {}
    answers: list[Answer] = []
    for append in appends:
        if head and append.key is not None and append.key in seen:
            first, last = seen[append.key]
            answers.append(Appended(Offset(head.epoch, first), Offset(head.epoch, last), True))
        elif refusal := _refusal(head, append):
            answers.append(refusal)
        else:
            if head is None:
                head = Head(epoch(), retention=append.default or Retention(), owner=append.owner)
                labels[owned_by(append.owner)] = True
            head = _accepted(head, append, now)
            labels.update(append.labels)
            items += append.items
            first = head.tail - len(append.items) + 1 if append.items else head.tail
            answers.append(Appended(Offset(head.epoch, first), Offset(head.epoch, head.tail)))
            if append.key is not None:
                seen[append.key] = first, head.tail
                keys.append((append.key, first, head.tail))
    if head is None or head is known.head:
        return None, answers
    records = pack(base, items, now, id)
    if records:
        size = head.size + sum([len(record.blob) for record in records])
        oldest = now if head.start == base else head.oldest
        head = msgspec.structs.replace(head, size=size, oldest=oldest, single=False)
    return Change(head, records, keys, fresh, labels=labels), answers


def _refusal(head: Head | None, append: Append) -> Conflict | None:
    tail = str(Offset(head.epoch, head.tail)) if head else None
    if not _met(head, append.expected):
        return Conflict("The topic is not in the state that was expected.", tail=tail)
    if head and head.closed and not append.configure:
        return Closed("The topic is closed: no event will ever follow.", tail=tail)
    return None


def _met(head: Head | None, expected: Literal[Expected.NEW] | str | Offset | None) -> bool:
    if expected is None or expected is NEW:
        return expected is None or head is None
    if head is None:
        return False
    if isinstance(expected, Offset):
        return head.locate(expected) == head.tail
    return head.locate(Offset(expected, 0)) is not None


def _accepted(head: Head, append: Append, now: float) -> Head:
    return msgspec.structs.replace(
        head,
        tail=head.tail + len(append.items),
        closed=head.closed or append.close,
        touched=now,
        retention=head.retention if append.retention is UNSET else append.retention or Retention(),
        ttl=head.ttl if append.ttl is UNSET else append.ttl,
    )


def redact(head: Head, records: Sequence[Record], numbers: Collection[int]) -> Change | None:
    """Return the change that removes the content of some events, which `records` hold; None if it is removed already.

    The events keep their offsets, types and times. Idempotency keys, the tail and the time to live stay as they are.
    """
    size, replaced = head.size, list[Record]()
    named: list[tuple[int, str]] = []
    for record in records:
        after, some = without(record, numbers)
        if some:
            size += len(after.blob) - len(record.blob)
            replaced.append(after)
            named += some
    if not named:
        return None
    changed = msgspec.structs.replace(
        head,
        size=size,
        redactions=head.redactions + len(named),
        redacted=(*head.redacted, *named)[-REMEMBERED:],
    )
    return Change(changed, replaced=replaced)
