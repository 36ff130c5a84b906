"""WHATWG event streams: events to bytes, bytes to events.

An event is written as `event:`, `data:`, `id:` and a blank line, with LF only. The id comes last and never alone, so
that a client which takes an id as soon as it reads the line has read the data before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec

from tidings.errors import InvalidRequest
from tidings.events import MESSAGE, REDACTED, Event, check_nesting

KEEP_ALIVE = b":\n"
"""A comment of one line. After a blank line, several clients that know an id would fire an empty event."""

_LINE_END = re.compile("\r\n|\r|\n")
_FORBIDDEN = re.compile("[\r\n\0]")
_SURROGATE = "Text must not hold lone surrogates: UTF-8 cannot carry them."
_json = msgspec.json.Encoder()
_any_json = msgspec.json.Decoder(msgspec.Raw)


def encode(type: str, data: str, id: str = "", retry: int | None = None) -> bytes:
    """Encode an event as a block. `retry` is the client's reconnection time in milliseconds.

    A line end in `data` (LF, CR or CRLF) starts another `data:` line and is read back as LF, since an event stream can
    carry no other line end. Raises InvalidRequest for CR, LF or NUL in `type` or `id`, a negative `retry` and lone
    surrogates.
    """
    if _FORBIDDEN.search(id):
        raise InvalidRequest("An id must not hold CR, LF or NUL.")
    if retry is not None and retry < 0:
        raise InvalidRequest("A reconnection time must not be negative.")
    id_line = f"id: {id}\n" if id else ""
    retry_line = "" if retry is None else f"retry: {retry}\n"
    return _utf8(f"{_head(type)}{_lines(data)}\n{id_line}{retry_line}\n")


def cut(id: bytes) -> bytes:
    """Encode the block that ends a half event, for a client that keeps what came before its connection was cut.

    Such a client would take the half event and the next one for one event. This block makes the half event one of type
    `tidings.cut`, for which nobody listens, and a client without a half event fires none. It begins with a comment,
    since an empty line would fire a half event that was cut between two lines. `id`: the last event ID that the client
    has presented, without line ends. The half event may hold an id, which must not count, since its data is lost.
    """
    return b"%bid: %b\nevent: tidings.cut\n\n" % (KEEP_ALIVE, id)


@dataclass(frozen=True)
class Format:
    """The format of a connection's events. Connections of equal formats share their bytes.

    `envelope`: each data is `{"topic","offset","type","time","data"}`, with `time` in Unix seconds and an `offset` of
    null for a transient event. The `data` in it is the JSON value if the event's text is JSON, and else the text as a
    string. `joined`: the connection follows several topics, so an id is complete only with the offsets of the other
    topics around it. `encode` then makes a template that all connections share, and `place` the bytes of one
    connection. `notices`: Tidings' own events are written (`tidings.end`, `tidings.reset`, `tidings.redacted`). Without
    them the connection carries the application's events alone, for clients that know their own protocol only.
    """

    envelope: bool = False
    joined: bool = False
    notices: bool = True

    @property
    def comments(self) -> bool:
        """True if the stream has keep-alives, which are comments, and a reconnection time."""
        return True

    def encode(self, topic: str, events: Sequence[Event]) -> bytes:
        """Encode the events of a flush or page. A transient event gets no id, so it never moves a client's position."""
        lead, end = ("\nid: \udcfe", "\udcff\n\n") if self.joined else ("\nid: ", "\n\n")
        envelope = self.envelope
        last, head = MESSAGE, "data: "  # neighbours are mostly of one type
        blocks = []
        for event in events:
            data, offset = event.data, event.offset
            if event.type != last:
                if event.type == REDACTED and not self.notices:
                    continue
                last, head = event.type, _head(event.type)
            if envelope:
                data = _envelope(topic, event)
            if "\n" in data or "\r" in data:
                data = _lines(data)
            if offset is None:
                blocks.append(f"{head}{data}\n\n")
            else:
                blocks.append(f"{head}{data}{lead}{offset[0]}-{offset[1]}{end}")
        text = "".join(blocks)
        if not self.joined:
            return _utf8(text)
        # The marks are lone surrogates on purpose, which become the bytes FE and FF; the data may hold none.
        _utf8("".join([event.data for event in events]))
        return text.encode(errors="surrogateescape")

    def place(self, template: bytes, before: bytes, after: bytes) -> bytes:
        """Make a connection's bytes of a `joined` template: write `before` and `after` around each offset.

        No data can be changed by this: the marks are the bytes FE and FF, which UTF-8 never uses.
        """
        return template.replace(b"\xfe", before).replace(b"\xff", after)

    def notice(self, topic: str, type: str, data: dict[str, Any], id: str, time: float = 0.0) -> bytes:
        """Encode an event of the connection itself (`tidings.reset`, `tidings.end`).

        `id` is written as it is; `time`, in Unix seconds, in an envelope.
        """
        if not self.notices:
            return b""
        text = _json.encode(data).decode()
        if self.envelope:
            text = _envelope(topic, Event(topic, None, type, text, time))
        return encode(type, text, id)


class ServerSentEvent(NamedTuple):
    """An event as a client reads it.

    `type` is `message` unless the stream names another. `id` is the last event ID when the event fired. `retry` is the
    reconnection time in milliseconds that the event's block named, or None.
    """

    type: str
    data: str
    id: str
    retry: int | None


class Decoder:
    """A decoder of event streams as WHATWG interprets them, in time linear in the bytes, wherever they are cut.

    An event fires with the line end of its blank line, even if that is the last byte so far. An event that the stream
    leaves unfinished never fires, and its id is not taken. Bytes that are not UTF-8 become U+FFFD.

    The decoder reads whole blocks. A regular expression takes the shapes that servers write, which is several times as
    fast as reading line by line. Blocks of other shapes and long lines are read line by line.
    """

    def __init__(self) -> None:
        self.last_event_id: str = ""
        self._retry: int | None = None
        self._parts: list[bytes] = []  # the unfinished block, with LF only; joined once, when the block is whole
        self._mark = b"\xef\xbb\xbf"  # the byte order mark, which is dropped at the very start only
        self._after_cr = False  # an LF that comes now belongs to the line end before

    @property
    def retry(self) -> int | None:
        """The reconnection time that the server named last, in milliseconds. More than 18 digits are ignored."""
        unfinished = _RETRY.findall(b"".join(self._parts).removeprefix(self._mark))
        return int(unfinished[-1]) if unfinished else self._retry

    def feed(self, chunk: bytes) -> list[ServerSentEvent]:
        """Return the events that `chunk` completes, in order."""
        if self._parts or self._mark or self._after_cr or b"\r" in chunk or not chunk.endswith(b"\n\n"):
            chunk = self._whole(chunk)
        text = chunk.decode("utf-8", "replace")
        if len(text) > _LONG and _lines_are_long(text):
            return self._by_lines(text)
        fired: list[ServerSentEvent] = []
        last, new = self.last_event_id, tuple.__new__
        for before, type, data, more, after, other in _BLOCK.findall(text):
            if other:
                self.last_event_id = last
                fired += self._by_lines(other)
                last = self.last_event_id
                continue
            last = after or before or last
            if more:
                # Every line of `more` begins with `data: ` and holds no line end, so nothing else is replaced.
                data += "\n" + more[6:-1].replace("\ndata: ", "\n")
            fired.append(new(ServerSentEvent, (type or MESSAGE, data, last, None)))
        self.last_event_id = last
        return fired

    def _whole(self, chunk: bytes) -> bytes:
        """Return the blocks that `chunk` completes, with LF only. The unfinished rest waits for the next chunk."""
        if self._after_cr and chunk:
            self._after_cr = False
            chunk = chunk.removeprefix(b"\n")
        if b"\r" in chunk:
            self._after_cr = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        parts = self._parts
        # In a long line, looking for one byte first is 25 times as fast.
        end = chunk.rfind(b"\n\n") + 2 if b"\n" in chunk else 1
        if end == 1 and not (parts and chunk.startswith(b"\n") and parts[-1].endswith(b"\n")):
            if chunk:
                parts.append(chunk)
            return b""
        whole = b"".join([*parts, chunk[:end]]).removeprefix(self._mark)
        self._parts, self._mark = [chunk[end:]] if end < len(chunk) else [], b""
        return whole

    def _by_lines(self, text: str) -> list[ServerSentEvent]:
        """Read blocks of any shape line by line, and return their events."""
        fired: list[ServerSentEvent] = []
        data: list[str] = []
        type, id, retry, at, size = "", self.last_event_id, None, 0, len(text)
        begins, new = True, tuple.__new__
        while at < size:
            if begins and (head := _HEAD.match(text, at)):
                start = head.end()
                end = text.find("\n", start)
                if text.startswith("\n", end + 1):
                    before, named, after = head.groups()
                    id = after or before or id
                    fired.append(new(ServerSentEvent, (named or MESSAGE, text[start:end], id, None)))
                    at = end + 2
                    continue
            end = text.find("\n", at)
            begins = end == at
            if begins:
                if data:
                    fired.append(ServerSentEvent(type or MESSAGE, "\n".join(data), id, retry))
                type, data, retry = "", [], None
            elif text.startswith("data: ", at):
                data.append(text[at + 6 : end])
            else:
                name, _, value = text[at:end].partition(":")
                value = value.removeprefix(" ")
                if name == "data":
                    data.append(value)
                elif name == "event":
                    type = value
                elif name == "id":
                    if "\0" not in value:
                        id = value
                elif name == "retry" and value.isascii() and value.isdigit() and len(value) <= 18:
                    self._retry = retry = int(value)
            at = end + 1
        self.last_event_id = id
        return fired


_LONG = 200
"""The average length of a line, in characters, above which searching for its end is faster than matching it."""

_SAMPLE = 2000
"""The length of the sample, in characters, that decides how a block is read."""

_RETRY = re.compile(rb"(?m)^retry: ?([0-9]{1,18})\n")

# Every block has the first shape or the second, so `findall` skips nothing. A block whose id is empty or holds NUL has
# the second. `*+` and `++` never give back what they have matched, so a block that does not fit is given up at once.
_BLOCK = re.compile(
    r"(?:id: ?+([^\n\0]++)\n|event: ?+([^\n]*+)\n)*"
    r"data: ?+([^\n]*+)\n((?:data: [^\n]*+\n)*+)(?:id: ?+([^\n\0]++)\n)?\n"
    r"|((?:[^\n]++\n)*+\n)"
)

# The lines before the data in the usual shapes.
_HEAD = re.compile(r"(?:id: ?+([^\n\0]++)\n)?+(?:event: ?+([^\n]*+)\n)?+(?:id: ?+([^\n\0]++)\n)?+data: ?+")


def _lines_are_long(text: str) -> bool:
    """Guess from the middle of the text. A wrong guess costs time and nothing else."""
    start = max(0, (len(text) - _SAMPLE) // 2)
    return text.count("\n", start, start + _SAMPLE) * _LONG < min(len(text), _SAMPLE)


def decode(chunks: Iterable[bytes]) -> Iterator[ServerSentEvent]:
    """Iterate over the events of any event stream, given as bytes that are cut anywhere.

    Each event comes as soon as its last byte is there. Bytes that are not UTF-8 become U+FFFD, and an unfinished event
    at the end is dropped.
    """
    decoder = Decoder()
    for chunk in chunks:
        yield from decoder.feed(chunk)


def _head(type: str) -> str:
    """Return the lines before the data. The type `message` is the default of clients, so it is not written."""
    if type == MESSAGE:
        return "data: "
    if not type or _FORBIDDEN.search(type):
        raise InvalidRequest("A type must not be empty nor hold CR, LF or NUL.")
    _utf8(type)
    return f"event: {type}\ndata: "


def _lines(data: str) -> str:
    return _LINE_END.sub("\ndata: ", data)


class _Envelope(msgspec.Struct, gc=False):
    topic: str
    offset: str | None
    type: str
    time: float
    data: str | msgspec.Raw


def _envelope(topic: str, event: Event) -> str:
    offset = None if event.offset is None else str(event.offset)
    try:
        return _json.encode(_Envelope(topic, offset, event.type, event.time, json_value(event.data))).decode()
    except UnicodeEncodeError:
        raise InvalidRequest(_SURROGATE) from None


def json_value(data: str) -> str | msgspec.Raw:
    """Return an event's data as a part of JSON: its value if its text is JSON, and else the text.

    Raises UnicodeEncodeError for lone surrogates.
    """
    try:
        check_nesting(data)
        return _any_json.decode(data)
    except (msgspec.DecodeError, RecursionError):
        return data


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise InvalidRequest(_SURROGATE) from None
