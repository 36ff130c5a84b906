"""What the client hands out, and how a server's JSON becomes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import msgspec

from tidings.errors import Gone, TidingsError
from tidings.events import ORIGIN, Event, Lost, Offset, Page
from tidings.wire.sse import json_value

_string = msgspec.json.Decoder(str).decode


class Reset(Gone):
    """Events that were not read yet are gone: fetch anew whatever was built from events.

    `topic`: of which one. `reason`: `trimmed`, `deleted` or `recreated`. `earliest`: the offset of the first event
    there is, or of the next to come. To go on: iterate over the same subscription again, or pass `after` to a new one
    or to `read`. It is the offset just before `earliest`, or of several topics a mapping of each topic's.
    """

    def __init__(self, topic: str, reason: Lost, earliest: Offset, after: Offset | Mapping[str, Offset]) -> None:
        super().__init__(f"Events of {topic} before {earliest} are gone: {reason}.")
        self.topic = topic
        self.reason = reason
        self.earliest = earliest
        self.after = after


class Unexpected(TidingsError):
    """Whoever answers at this URL is no Tidings server, or one that this client does not understand."""

    status: ClassVar[int] = 502
    title: ClassVar[str] = "Unexpected answer"


class RunState(msgspec.Struct, kw_only=True):
    """How a run stands: `state` is `running`, `finished`, `cancelled`, `interrupted` or `failed`.

    `started` and `ended` are Unix seconds, `offset` the end of its log; `error` has `message`, `code`, `retryable`.
    """

    run: str
    topic: str
    state: str
    outcome: str | None
    started: float | None
    ended: float | None
    offset: str
    assistant: str
    model: str | None
    parent: str | None
    error: dict[str, str | bool] | None


# The server's own shapes.


class Published(msgspec.Struct):
    """What a publish answers: `offset` is the last."""

    offset: str
    first: str


class Started(msgspec.Struct):
    """What starting a run answers."""

    run: str


class Names(msgspec.Struct):
    """A page of topics."""

    topics: list[str]


class Described(msgspec.Struct):
    """Of a topic's state, what is needed here."""

    tail: str


class Problem(msgspec.Struct):
    """An error (RFC 9457); the last two members are of events that are gone."""

    title: str
    detail: str = ""
    reason: Lost | None = None
    earliest: str = ""


class Envelope(msgspec.Struct):
    """An event with all that is known of it; `topic` is left out where there is but one."""

    type: str
    time: float
    data: msgspec.Raw
    offset: str | None = None
    topic: str = ""

    def event(self, topic: str) -> Event:
        """Raises InvalidRequest, ValueError."""
        offset = None if self.offset is None else Offset.parse(self.offset)
        return Event(topic, offset, self.type, text_of(self.data), self.time)


class Events(msgspec.Struct):
    """A page of events."""

    events: list[Envelope]
    next: str
    earliest: str
    tail: str
    up_to_date: bool
    closed: bool

    def page(self, topic: str) -> Page:
        """Raises InvalidRequest, ValueError."""
        events = [envelope.event(topic) for envelope in self.events]
        return Page(
            events,
            Offset.parse(self.next),
            earliest_of(self.earliest),
            Offset.parse(self.tail),
            self.up_to_date,
            self.closed,
            None,
        )


class ResetData(msgspec.Struct):
    """What `tidings.reset` says."""

    topic: str
    reason: Lost
    earliest: str


class EndData(msgspec.Struct):
    """What `tidings.end` says."""

    topic: str


def earliest_of(text: str) -> Offset:
    """The offset of an event that may not be there yet, nor the log: then it is the first of no epoch, which is the
    position of nothing. Raises InvalidRequest."""
    return ORIGIN._replace(n=1) if text == "0-1" else Offset.parse(text)


def text_of(raw: msgspec.Raw) -> str:
    """The text of an event's data inside JSON, where text that is JSON stands as its value, and other as a string.

    So a string whose own text is JSON was published with its quotes. Of text in quotes that holds none inside, nobody
    can tell whether it had them; it has none here.
    """
    text = bytes(raw).decode()
    if not text.startswith('"'):
        return text
    inner = _string(text)
    return inner if isinstance(json_value(inner), str) else text
