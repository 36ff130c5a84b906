"""Names and values of a log: topics, types, data and keys, and the rules that they keep. Pure."""

from __future__ import annotations

import hashlib
import re
import secrets
import string
from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import islice
from math import isfinite
from types import NoneType
from typing import Any, Final, Literal, TypeVar

import msgspec

from tidings.errors import InvalidRequest, TooLarge
from tidings.events import NESTING, Offset, shown

T = TypeVar("T")

MAX_NAME = 200
"""Bytes of a topic's name, of a type and of an idempotency key."""


MAX_DATA = 1 << 20
"""Bytes of one event's data."""


MAX_APPEND = 16 << 20
"""Bytes of all the data of one append, which is one transaction."""


MAX_EVENTS = 10_000
"""Events of one append: more would hold the event loop for over 50 ms, in checking them and in handing them out."""


EARLIEST: Final = "earliest"
TAIL: Final = "tail"

MAX_LAST = 1_000_000
"""The most events that `-N` may name."""

Start = Offset | Literal["earliest", "tail"] | int
"""A place in a log to begin at: after an offset, at the earliest event, at the tail, or at the -Nth event from it."""

After = Offset | str | int
"""A place to begin at as callers write it: a `Start`, or the text of one."""

_LAST = re.compile(r"-[1-9][0-9]{0,6}")

_TOPIC = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")


_LETTERS = string.ascii_letters + string.digits


def valid_topic(name: str) -> str:
    """Return `name` if it is a topic's. Raises InvalidRequest."""
    if not isinstance(name, str) or len(name) > MAX_NAME or not _TOPIC.fullmatch(name):
        raise InvalidRequest(
            f"A topic is segments of letters, digits, '_' and '-', joined by dots; at most {MAX_NAME} characters.",
            topic=shown(name),
        )
    return name


def valid_type(type: str) -> str:
    """Return `type` if an application may publish it. Raises InvalidRequest."""
    if not isinstance(type, str):
        raise InvalidRequest(f"A type is text of 1 to {MAX_NAME} bytes.")
    return _valid_type(type)


@lru_cache(maxsize=1024)
def _valid_type(type: str) -> str:
    if not 0 < size_of(type, "A type") <= MAX_NAME:
        raise InvalidRequest(f"A type is text of 1 to {MAX_NAME} bytes.")
    if "\r" in type or "\n" in type or "\0" in type:
        raise InvalidRequest("A type holds no line end and no NUL.")
    if type.startswith("tidings."):
        raise InvalidRequest("Types that begin with 'tidings.' are reserved.")
    return type


def valid_data(data: str) -> str:
    """Return `data` if a log can hold it: text without lone surrogates, at most 1 MB.

    Raises InvalidRequest or TooLarge.
    """
    weigh(data)
    return data


def text_of(data: Any) -> str:
    """Return the text that a log stores for `data`: text as it is, and any other value as JSON.

    Raises InvalidRequest for a value that JSON cannot hold. See `json_of`.
    """
    return data if isinstance(data, str) else json_of(data).decode()


def json_of(value: Any) -> bytes:
    """Encode a value as JSON, from which the same value can be read.

    Raises InvalidRequest for bytes, sets, floats that are no number, keys that are not text, and what else JSON cannot
    hold. Dataclasses, structs, dates and the like are written as msgspec writes them.
    """
    try:
        text = msgspec.json.encode(value)
        _check_json(value)  # after the encoder, which ends at a value that contains itself
    except InvalidRequest:
        raise
    except (TypeError, ValueError, RecursionError, OverflowError) as error:
        raise InvalidRequest(f"Data is text, or a value that JSON can hold: {error}.") from None
    return text


_LEAVES = frozenset({str, int, bool, NoneType, msgspec.Raw})
_BINARY = (bytes, bytearray, memoryview)


def _check_json(value: Any, level: int = 1) -> None:
    """Raise InvalidRequest for parts that msgspec would write as other values: NaN as null, bytes as Base64.

    Raises RecursionError for a value of more than NESTING levels.
    """
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise InvalidRequest(f"A key in JSON is text, which {shown(repr(key))} is not.")
        value = value.values()
    elif isinstance(value, float):
        if not isfinite(value):
            raise InvalidRequest(f"JSON has no number {value}.")
        return
    elif isinstance(value, (*_BINARY, set, frozenset)):
        raise InvalidRequest(f"JSON cannot hold {type(value).__name__}.")
    elif not isinstance(value, list | tuple):
        if not isinstance(value, str | int | NoneType | msgspec.Raw):
            _check_json(msgspec.to_builtins(value, builtin_types=_BINARY), level)
        return
    if level > NESTING:
        raise RecursionError(f"it has more than {NESTING} levels")
    for part in value:
        if type(part) not in _LEAVES:
            _check_json(part, level + 1)


def pairs_of(events: Iterable[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Return the `(type, data)` pairs of an append as a list. Raises InvalidRequest if they are not pairs."""
    listed = list(islice(events, MAX_EVENTS + 1)) if isinstance(events, Iterable) else [events]
    for event in listed:
        if not isinstance(event, tuple | list) or len(event) != 2:
            raise InvalidRequest("The events of an append are pairs: a type, and the data.")
    return listed


def parse_after(after: After) -> Start:
    """Return the place to begin at, from each way to write it. Raises InvalidRequest.

    An int or its text is `-N`, the last N events, of which there may be fewer.
    """
    if isinstance(after, Offset):
        return after
    if after == EARLIEST:
        return EARLIEST
    if after == TAIL:
        return TAIL
    if isinstance(after, str) and _LAST.fullmatch(after):
        after = int(after)
    if isinstance(after, int) and not isinstance(after, bool):
        if not -MAX_LAST <= after <= -1:
            raise InvalidRequest(f"A number of last events is from -1 to -{MAX_LAST}.", after=after)
        return after
    try:
        return Offset.parse(str(after))
    except InvalidRequest:
        raise InvalidRequest(
            "A place to begin at is an offset, `earliest`, `tail` or -N, the last N events.", after=shown(after)
        ) from None


def new_epoch() -> str:
    """Make an identity for a life of a log: 6 letters and digits. `random` would not do: an application may seed it."""
    return "".join([secrets.choice(_LETTERS) for _ in range(6)])


def derived_epoch(epoch: str, seed: str) -> str:
    """Return the identity of the life that follows the one with `epoch`: the same for the same `seed`."""
    digest = hashlib.sha256(f"{epoch} {seed}".encode()).digest()
    return "".join([_LETTERS[byte % len(_LETTERS)] for byte in digest[:6]])


def weigh(data: str) -> int:
    """Count the bytes of an event's data. Raises InvalidRequest or TooLarge for data that a log cannot hold."""
    if not isinstance(data, str):
        raise InvalidRequest("Data is text.")
    size = len(data) if data.isascii() else size_of(data, "Data")
    if size > MAX_DATA:
        raise TooLarge(f"The data of an event is at most {MAX_DATA} bytes.")
    return size


def size_of(text: str, what: str) -> int:
    """Count the bytes of a text in UTF-8. Raises InvalidRequest, naming `what`, for half of a surrogate pair."""
    if text.isascii():
        return len(text)
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        raise InvalidRequest(f"{what} holds half of a surrogate pair, which is no character.") from None


def fitting(items: Iterable[T], name: Callable[[T], str], frame: int) -> list[T]:
    """Return the first items that one event can list: a third of the data of an event, so that it may list three kinds.

    Each takes its name as JSON, and `frame` bytes beside it.
    """
    left, found = MAX_DATA // 3, list[T]()
    for item in items:
        left -= len(json_of(name(item))) + frame
        if left < 0:
            break
        found.append(item)
    return found
