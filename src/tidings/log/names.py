"""Names and values of a log: topics, types, data, keys and offsets, and the rules they keep. Pure."""

from __future__ import annotations

import re
import secrets
import string
from functools import lru_cache

from tidings.errors import InvalidRequest, TooLarge
from tidings.events import ORIGIN, Offset

MAX_NAME = 200
"""Bytes of a topic's name, of a type and of an idempotency key."""


MAX_DATA = 1 << 20
"""Bytes of one event's data."""


MAX_APPEND = 16 << 20
"""Bytes of all the data of one append, which is one record and one transaction."""


_TOPIC = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")


_OFFSET = re.compile(r"([A-Za-z0-9]{1,16})-(0|[1-9][0-9]{0,17})")


_LETTERS = string.ascii_letters + string.digits


def valid_topic(name: str) -> str:
    """`name`, if it is a topic's; raises InvalidRequest."""
    if not isinstance(name, str) or len(name) > MAX_NAME or not _TOPIC.fullmatch(name):
        raise InvalidRequest(
            f"A topic is segments of letters, digits, '_' and '-', joined by dots; at most {MAX_NAME} characters.",
            topic=shown(name),
        )
    return name


@lru_cache(maxsize=1024)
def valid_type(type: str) -> str:
    """`type`, if an application may publish it; raises InvalidRequest."""
    if not isinstance(type, str) or not 0 < size_of(type, "A type") <= MAX_NAME:
        raise InvalidRequest(f"A type is text of 1 to {MAX_NAME} bytes.")
    if "\r" in type or "\n" in type or "\0" in type:
        raise InvalidRequest("A type holds no line end and no NUL.")
    if type.startswith("tidings."):
        raise InvalidRequest("Types that begin with 'tidings.' are reserved.")
    return type


def valid_data(data: str) -> str:
    """`data`, if a log can hold it: text without lone surrogates, at most 1 MB; raises InvalidRequest or TooLarge."""
    weigh(data)
    return data


def parse_offset(text: str) -> Offset:
    """The offset that `str(offset)` wrote; raises InvalidRequest."""
    match = _OFFSET.fullmatch(text) if isinstance(text, str) else None
    if match is None or (match[1] == ORIGIN.epoch and text != "0-0"):
        raise InvalidRequest(
            "An offset is the id of an event of this topic, such as 'x7Kp2Q-42', or '0-0'.", offset=shown(text)
        )
    return Offset(match[1], int(match[2]))


def new_epoch() -> str:
    """A new identity for a life of a log: 6 letters and digits. Not from `random`: an application may seed that."""
    return "".join([secrets.choice(_LETTERS) for _ in range(6)])


def shown(text: object) -> str:
    """What a caller sent, short and printable enough for an error that is shown."""
    return ascii(text if isinstance(text, str) else type(text).__name__)[1:-1][:80]


def weigh(data: str) -> int:
    """The bytes of an event's data; raises InvalidRequest or TooLarge for data that a log cannot hold."""
    if not isinstance(data, str):
        raise InvalidRequest("Data is text.")
    size = len(data) if data.isascii() else size_of(data, "Data")
    if size > MAX_DATA:
        raise TooLarge(f"The data of an event is at most {MAX_DATA} bytes.")
    return size


def size_of(text: str, what: str) -> int:
    """The bytes of a text in UTF-8; raises InvalidRequest, naming `what`, for half of a surrogate pair."""
    if text.isascii():
        return len(text)
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        raise InvalidRequest(f"{what} holds half of a surrogate pair, which is no character.") from None
