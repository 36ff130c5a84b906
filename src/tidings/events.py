"""The values everything else speaks about: offsets, events, pages, retention. Frozen, without behaviour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import msgspec

Lost = Literal["trimmed", "deleted", "recreated"]
"""Why a reader cannot be given everything after its offset."""

MESSAGE = "message"
"""The type of an event that names none, as in WHATWG's event streams."""


class Offset(NamedTuple):
    """The position after event `n` of one life of a log, whose identity is `epoch`.

    `n` is dense (1, 2, 3 …) within an epoch, on every store; `n == 0` is before the first event. Its text is
    `EPOCH-N`; applications treat it as opaque.
    """

    epoch: str
    n: int

    def __str__(self) -> str:
        return f"{self.epoch}-{self.n}"


ORIGIN = Offset("0", 0)
"""Before the first event of whichever life of the log comes first. No log ever has the epoch `0`."""


class Event(msgspec.Struct, frozen=True, gc=False):
    """One entry of a log.

    `offset` is None for a transient event, which no log holds. `data` is text, exactly as it was published;
    `time` is Unix time in seconds when the log accepted it.
    """

    offset: Offset | None
    type: str
    data: str
    time: float


class Retention(NamedTuple):
    """What a log may forget. None is unlimited. Ages in seconds, sizes in bytes as stored, about 20 more an event.

    Trimming drops whole records, never the last one, and waits until a log is an eighth over what it may hold.
    """

    max_age: float | None = None
    max_events: int | None = None
    max_bytes: int | None = None


class Page(NamedTuple):
    """One consistent read of a log.

    `events` follow the offset asked for, in order and without a hole; `next` is where to read on. `earliest` is the
    offset of the first retained event (of the next one to come, when none is) and `tail` the end of the log.
    `up_to_date`: `next` is the tail. `closed`: no event will ever follow `tail`. `lost`: some events after the
    offset asked for are gone, why, and `events` start at `earliest`.
    """

    events: Sequence[Event]
    next: Offset
    earliest: Offset
    tail: Offset
    up_to_date: bool
    closed: bool
    lost: Lost | None
