"""The values of the client, and the shapes of a server's JSON."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from tidings.errors import TidingsError
from tidings.events import ORIGIN, REDACTED, Event, Lost, Offset, Page
from tidings.wire.sse import json_value

_string = msgspec.json.Decoder(str).decode

RESET = "tidings.reset"
"""The type of the event that tells a reader that events are gone."""


class Unexpected(TidingsError):
    """The server at this URL is not a Tidings server, or is one that this client does not understand."""

    status: ClassVar[int] = 502
    title: ClassVar[str] = "Unexpected answer"


class Published(msgspec.Struct):
    """The answer to a publish. `offset` is the last offset."""

    offset: str
    first: str


class Started(msgspec.Struct):
    """The answer to the start of a run."""

    run: str


class Names(msgspec.Struct):
    """A page of topics."""

    topics: list[str]


class Described(msgspec.Struct):
    """The ends of a topic's log."""

    earliest: str
    tail: str


class Problem(msgspec.Struct):
    """An error (RFC 9457). `reason` and `earliest` are there when events are gone."""

    title: str
    detail: str = ""
    reason: Lost | None = None
    earliest: str = ""


class Envelope(msgspec.Struct):
    """An event with its fields. `topic` is missing where the request is about one topic."""

    type: str
    time: float
    data: msgspec.Raw
    offset: str | None = None
    topic: str = ""

    def event(self, topic: str) -> Event:
        """Return the event. Raises InvalidRequest or ValueError for an answer that no Tidings server gives."""
        offset = None if self.offset is None else Offset.parse(self.offset)
        redacted = self.type == REDACTED and offset is not None
        return Event(topic, offset, self.type, text_of(self.data), self.time, redacted)


class Events(msgspec.Struct):
    """A page of events."""

    events: list[Envelope]
    next: str
    earliest: str
    tail: str
    up_to_date: bool
    closed: bool

    def page(self, topic: str) -> Page:
        """Return the page. Raises InvalidRequest or ValueError for an answer that no Tidings server gives."""
        events = [envelope.event(topic) for envelope in self.events]
        next, earliest, tail = Offset.parse(self.next), earliest_of(self.earliest), Offset.parse(self.tail)
        return Page(events, next, earliest, tail, self.up_to_date, self.closed, None)


class ResetData(msgspec.Struct):
    """The data of `tidings.reset`."""

    topic: str
    reason: Lost
    earliest: str


class EndData(msgspec.Struct):
    """The data of `tidings.end`."""

    topic: str


def earliest_of(text: str) -> Offset:
    """Parse the offset of a topic's first event, which is `0-1` while the topic has no log. Raises InvalidRequest."""
    return ORIGIN._replace(n=1) if text == "0-1" else Offset.parse(text)


def text_of(raw: msgspec.Raw) -> str:
    """Return the text of an event's data inside JSON, where text that is JSON stands as its value, other as a string.

    A string whose own text is JSON was published with its quotes. Nobody can tell if another string was published with
    quotes; it is returned without. Space around JSON is lost.
    """
    text = bytes(raw).decode()
    if not text.startswith('"'):
        return text
    inner = _string(text)
    return inner if isinstance(json_value(inner), str) else text
