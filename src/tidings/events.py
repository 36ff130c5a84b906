"""The values that every room passes on: offsets, events, pages, retention."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import accumulate
from operator import add
from typing import Any, Literal, NamedTuple, Self

import msgspec

from tidings.errors import InvalidRequest

Lost = Literal["trimmed", "deleted", "recreated"]
"""The reasons for which a reader cannot be given everything after its offset."""

MESSAGE = "message"
"""The type of an event that names none, as in WHATWG's event streams."""

REDACTED = "tidings.redacted"
"""The type as which a redacted event is read, and the type of the event that announces it to open streams."""

NESTING = 128
"""Levels of arrays and objects that JSON may have. Without this limit the interpreter decides: Python 3.11 reads about
900 levels, 3.12 and 3.13 read 10,000, and 3.14 reads as many as fit on the stack of the thread."""

PIECE = 4_096
"""Steps in which a thread that counts levels does not give the interpreter away: 0.2 ms."""

_OFFSET = re.compile(r"([A-Za-z0-9]{1,16})-(0|[1-9][0-9]{0,17})")
_value = msgspec.json.Decoder().decode
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_NO_MARKS = bytes(set(_NO_BRACKETS) - set(b'"'))
_BITS = bytes.maketrans(b"[{]}", b"1100")  # up a level, down a level
_LEVELS = bytes((2 * eight.bit_count() - 8) % 256 for eight in range(256))
"""The levels that eight brackets, as the bits of a byte, lead up: signed bytes."""
_HIGHEST = bytes(
    max(accumulate((1 if eight >> bit & 1 else -1 for bit in range(7, -1, -1)), initial=0)) for eight in range(256)
)
"""The highest level that eight brackets reach, from the one before them."""


class Offset(NamedTuple):
    """The position after event `n` of one life of a log, whose identity is `epoch`.

    `n` is dense (1, 2, 3 …) within an epoch, on every store; `n == 0` is before the first event. The text of an offset
    is `EPOCH-N`; applications treat it as opaque. Offsets of one epoch have an order; comparing those of two epochs by
    `<`, `<=`, `>` or `>=` raises TypeError. Offsets of two topics must not be compared.
    """

    epoch: str
    n: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the offset that `str(offset)` wrote. Raises InvalidRequest."""
        match = _OFFSET.fullmatch(text) if isinstance(text, str) else None
        if match is None or (match[1] == "0" and text != "0-0"):
            raise InvalidRequest(
                "An offset is the id of an event of this topic, such as 'x7Kp2Q-42', or '0-0'.", offset=shown(text)
            )
        return cls(match[1], int(match[2]))

    def __str__(self) -> str:
        return f"{self.epoch}-{self.n}"

    def __lt__(self, other: tuple[Any, ...]) -> bool:
        return self.n < self._number(other)

    def __le__(self, other: tuple[Any, ...]) -> bool:
        return self.n <= self._number(other)

    def __gt__(self, other: tuple[Any, ...]) -> bool:
        return self.n > self._number(other)

    def __ge__(self, other: tuple[Any, ...]) -> bool:
        return self.n >= self._number(other)

    def _number(self, other: object) -> int:
        if not isinstance(other, Offset):
            raise TypeError(f"An offset cannot be compared with {type(other).__name__}.")
        if other.epoch != self.epoch:
            raise TypeError(f"{self} and {other} are of different epochs, so neither comes before the other.")
        return other.n


ORIGIN = Offset("0", 0)
"""The position before the first event of whichever life of the log comes first. No log ever has the epoch `0`."""


class Event(msgspec.Struct, frozen=True, gc=False):
    """An entry of a topic's log, or a transient event, which no log holds and whose `offset` is None.

    `data` is text, exactly as it was published. `time` is the Unix time in seconds at which the log accepted the event.
    `redacted`: the content of the event was removed; its type is `tidings.redacted` and its data names the topic, the
    offset and the type that the event had.
    """

    topic: str
    offset: Offset | None
    type: str
    data: str
    time: float
    redacted: bool = False

    def json(self) -> Any:
        """Return the value of data that is JSON. Raises ValueError if it is not JSON, or has over 128 levels."""
        try:
            check_nesting(self.data)
            return _value(self.data)
        except RecursionError as error:
            raise ValueError(str(error)) from None


class Retention(NamedTuple):
    """Limits of what a log keeps; None is unlimited. `max_age` is in seconds, `max_bytes` in bytes as stored.

    An event takes about 20 bytes more than its type and data. Trimming drops whole records, each of up to 1,000 events
    that were stored together, never the last one, and waits until a log is an eighth over a limit.
    """

    max_age: float | None = None
    max_events: int | None = None
    max_bytes: int | None = None


class Topic(NamedTuple):
    """A topic as it is at one instant.

    `earliest`: the offset of the first retained event, or of the next one if none is retained. `tail`: the offset of
    the last event. `closed`: no event will ever follow `tail`. `ttl`: seconds after its last change at which the topic
    expires, None: never. `owner`: the owner for whom the topic was created, or empty.
    """

    name: str
    earliest: Offset
    tail: Offset
    closed: bool
    retention: Retention
    ttl: float | None
    owner: str


class Page(NamedTuple):
    """A consistent read of a log.

    `events` follow the offset asked for, in order and without a hole; `next` is where to read on. `earliest` is the
    offset of the first retained event (of the next one to come, when none is) and `tail` the end of the log.
    `up_to_date`: `next` is the tail. `closed`: no event will ever follow `tail`. `lost`: some events after the
    offset asked for are gone; it says why, and `events` start at `earliest`.
    """

    events: Sequence[Event]
    next: Offset
    earliest: Offset
    tail: Offset
    up_to_date: bool
    closed: bool
    lost: Lost | None


def redacted_event(topic: str, offset: Offset, type: str, time: float) -> Event:
    """Return the event as which a redacted event is read. `type` and `time` are those that the event had."""
    data = msgspec.json.encode({"topic": topic, "offset": str(offset), "type": type}).decode()
    return Event(topic, offset, REDACTED, data, time, redacted=True)


def check_nesting(json: str) -> None:
    """Raise RecursionError for JSON of more than NESTING levels. The outcome for other text means nothing.

    Eight brackets are one step. A step for each bracket of 1 MB would hold the event loop for 16 ms.
    """
    if len(json) <= NESTING or json.count("[") + json.count("{") <= NESTING:
        return
    bits = _outside(json.encode("utf-8", "replace"), _NO_MARKS).translate(_BITS, _NO_BRACKETS)
    bits += b"0" * (-len(bits) % 8)
    eights = int(bits or b"0", 2).to_bytes(len(bits) // 8)
    level = 0
    for start in range(0, len(eights), PIECE):
        piece = eights[start : start + PIECE]
        *before, level = accumulate(memoryview(piece.translate(_LEVELS)).cast("b"), initial=level)
        if max(map(add, before, piece.translate(_HIGHEST))) > NESTING:
            raise RecursionError(f"JSON has at most {NESTING} levels")


def outside_texts(json: bytes) -> bytes:
    """Return the parts of JSON that are outside of its texts. The outcome for other bytes means nothing."""
    return _outside(json, b"")


def _outside(json: bytes, dropped: bytes) -> bytes:
    """Return the parts of JSON outside of its texts, without the bytes that are `dropped`."""
    marked = json.replace(b"\\\\", b"").replace(b'\\"', b"").translate(None, dropped)
    # Without escaped quotation marks, every second part between the marks is a text. Two marks side by side are an
    # empty text, or the end of one and the beginning of the next: without them the other parts are what they were.
    return b"".join(marked.replace(b'""', b"").split(b'"')[::2])


def shown(text: object) -> str:
    """Return what a caller sent, short and printable enough for an error that is shown."""
    return ascii(text if isinstance(text, str) else type(text).__name__)[1:-1][:80]
