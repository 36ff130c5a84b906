"""WHATWG event streams: events to bytes, bytes to events.

An event is written `event:`, `data:`, `id:`, blank line; LF only. The id comes last and never alone, so that a client
which takes an id as soon as it reads the line has read the data too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from tidings.errors import Invalid
from tidings.events import MESSAGE, Event

KEEP_ALIVE = b":\n"
"""A comment of one line. A blank line after it would make several clients fire an empty event once they know an id."""

_LINE_END = re.compile("\r\n|\r|\n")
_FORBIDDEN = re.compile("[\r\n\0]")
_json = msgspec.json.Encoder()
_any_json = msgspec.json.Decoder(msgspec.Raw)


def encode(type: str, data: str, id: str = "", retry: int | None = None) -> bytes:
    """One event as a whole block. `retry` is the client's reconnection time in milliseconds.

    A line end in `data` (LF, CR or CRLF) starts a further `data:` line and so is read back as LF: an event stream can
    carry nothing else. Raises Invalid for CR, LF or NUL in `type` or `id`, a negative `retry` and lone surrogates.
    """
    if _FORBIDDEN.search(id):
        raise Invalid("An id must not hold CR, LF or NUL.")
    if retry is not None and retry < 0:
        raise Invalid("A reconnection time must not be negative.")
    id_line = f"id: {id}\n" if id else ""
    retry_line = "" if retry is None else f"retry: {retry}\n"
    return _utf8(f"{_head(type)}{_lines(data)}\n{id_line}{retry_line}\n")


@dataclass(frozen=True)
class Format:
    """How a connection wants its events. Connections of equal formats share their bytes.

    `envelope`: each data is `{"topic","offset","type","time","data"}`, `time` in Unix seconds, `offset` null for what
    no log holds. The `data` in it is the JSON value if the event's text is JSON, else the text as a JSON string.
    `joined`: the connection follows several topics, so an id is only complete once the offsets of the others are put
    around it. `encode` then gives a template that all share, and `place` one connection's bytes.
    """

    envelope: bool = False
    joined: bool = False

    def encode(self, topic: str, events: Sequence[Event]) -> bytes:
        """All of one flush or page. A transient event (no offset) gets no id, so it never moves a client's position."""
        heads = {type: _head(type) for type in {event.type for event in events}}
        lead, end = ("\nid: \udcfe", "\udcff\n\n") if self.joined else ("\nid: ", "\n\n")
        blocks = []
        for event in events:
            data, offset = event.data, event.offset
            if self.envelope:
                data = _envelope(topic, event)
            if "\n" in data or "\r" in data:
                data = _lines(data)
            if offset is None:
                blocks.append(f"{heads[event.type]}{data}\n\n")
            else:
                blocks.append(f"{heads[event.type]}{data}{lead}{offset[0]}-{offset[1]}{end}")
        text = "".join(blocks)
        if not self.joined:
            return _utf8(text)
        # The marks are lone surrogates on purpose, which become the bytes FE and FF; the data may hold none.
        _utf8("".join([event.data for event in events]))
        return text.encode(errors="surrogateescape")

    def place(self, template: bytes, before: bytes, after: bytes) -> bytes:
        """One connection's bytes of a `joined` template, or of several in a row: each offset between `before` and `after`.

        Exact for any data: the marks are the bytes FE and FF, which UTF-8 never uses.
        """
        return template.replace(b"\xfe", before).replace(b"\xff", after)

    def notice(self, topic: str, type: str, data: dict[str, Any], id: str) -> bytes:
        """An event of the connection itself (`tidings.reset`, `tidings.end`). `id` is written as it is."""
        text = _json.encode(data).decode()
        if self.envelope:
            text = _envelope(topic, Event(None, type, text, 0.0))
        return encode(type, text, id)


def _head(type: str) -> str:
    """What comes before the data: clients default to the type `message`, so it is not written."""
    if type == MESSAGE:
        return "data: "
    if not type or _FORBIDDEN.search(type):
        raise Invalid("A type must not be empty nor hold CR, LF or NUL.")
    return f"event: {type}\ndata: "


def _lines(data: str) -> str:
    return _LINE_END.sub("\ndata: ", data)


def _envelope(topic: str, event: Event) -> str:
    offset = "null" if event.offset is None else f'"{event.offset}"'
    type = _json.encode(event.type).decode()
    try:
        _any_json.decode(event.data)
        data = event.data
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        data = _json.encode(event.data).decode()
    return f'{{"topic":"{topic}","offset":{offset},"type":{type},"time":{event.time!r},"data":{data}}}'


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise Invalid("Text must not hold lone surrogates: UTF-8 cannot carry them.") from None
