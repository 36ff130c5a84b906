"""Names and values of a log: topics, types, data and keys, and the rules that they keep. Pure."""

from __future__ import annotations

import re
import secrets
import string
from functools import lru_cache

from tidings.errors import InvalidRequest, TooLarge
from tidings.events import shown

MAX_NAME = 200
"""Bytes of a topic's name, of a type and of an idempotency key."""


MAX_DATA = 1 << 20
"""Bytes of one event's data."""


MAX_APPEND = 16 << 20
"""Bytes of all the data of one append, which is one transaction."""


MAX_EVENTS = 10_000
"""Events of one append: more would hold the event loop for over 50 ms, in checking them and in handing them out."""


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


@lru_cache(maxsize=1024)
def valid_type(type: str) -> str:
    """Return `type` if an application may publish it. Raises InvalidRequest."""
    if not isinstance(type, str) or not 0 < size_of(type, "A type") <= MAX_NAME:
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


def new_epoch() -> str:
    """Make an identity for a life of a log: 6 letters and digits. `random` would not do: an application may seed it."""
    return "".join([secrets.choice(_LETTERS) for _ in range(6)])


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
