"""Events as JSON lines, as the command line reads and writes them, and the failures that its user is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

import msgspec

from tidings.errors import InvalidRequest, TidingsError, Unauthenticated, Unavailable
from tidings.events import MESSAGE, Event, Offset
from tidings.wire.sse import json_value

if TYPE_CHECKING:
    from tidings.client import Client

REFUSED, WRONG, UNREACHABLE = 1, 2, 3
"""Exit codes: the server refused; the input or an option is wrong; no server answers."""

CHUNK = 1 << 16
"""The most bytes of standard input that one request publishes, except for a line that is longer."""

LINES = 5000
"""The most lines that one request publishes. By default a server takes 10,000."""


class Failure(Exception):
    """The sentence that the user is shown, and the exit code."""

    def __init__(self, sentence: str, code: int = REFUSED) -> None:
        super().__init__(sentence)
        self.code = code


def checked(check: Callable[[str], object], value: str) -> None:
    """Raise Failure if `check` refuses the value of an option, so that the server is never asked."""
    try:
        check(value)
    except InvalidRequest as error:
        raise Failure(str(error), WRONG) from None


class _Line(msgspec.Struct):
    """An event as a JSON line. Other fields, such as those that `tidings read` writes, are ignored."""

    data: msgspec.Raw
    type: str = ""


class _Written(msgspec.Struct):
    offset: str | None
    type: str
    time: float
    data: str | msgspec.Raw


_line = msgspec.json.Decoder(_Line)
_encoder = msgspec.json.Encoder()


def exit_code(error: TidingsError) -> int:
    """Return the exit code for an error that a client raises."""
    return UNREACHABLE if isinstance(error, Unavailable) else REFUSED


def write_line(event: Event) -> bytes:
    """Return an event as a JSON line without its end. `data` is the JSON value, or the text if it is not JSON."""
    offset = None if event.offset is None else str(event.offset)
    return _encoder.encode(_Written(offset, event.type, event.time, json_value(event.data)))


def acknowledgement(first: Offset, last: Offset) -> bytes:
    """Return the JSON line that is written when events are stored."""
    return _encoder.encode({"offset": str(last), "first": str(first), "last": str(last)})


def parse_line(text: bytes, number: int, type: str, *, plain: bool) -> tuple[str, str | msgspec.Raw] | None:
    """Return the type and data of a JSON line, or None for a blank line. A `plain` line is data as it is.

    `type` is the type of a line that does not name one. Raises Failure, which names the line by its number.
    """
    try:
        if plain:
            return type or MESSAGE, text.removesuffix(b"\r").decode()
        if not text.strip():
            return None
        line = _line.decode(text.decode())
        return line.type or type or MESSAGE, line.data
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        hint = 'an event is {"data": …}, with a "type" if it has one; --lines takes lines as they are'
        raise Failure(
            f"Line {number} is not an event ({error}): {hint}. The lines before it are stored.", WRONG
        ) from None


def read_chunks(stream: BinaryIO) -> Iterator[tuple[int, list[bytes]]]:
    """Iterate over the lines of `stream` as they arrive: the number of the first, and the lines that came together."""
    rest, number = b"", 1
    read: Any = getattr(stream, "read1", stream.read)
    while chunk := read(CHUNK):
        *lines, rest = (rest + chunk).split(b"\n")
        for start in range(0, len(lines), LINES):
            yield number + start, lines[start : start + LINES]
        number += len(lines)
    if rest:
        yield number, [rest]


def publish_lines(
    client: Client, topic: str, first: int, texts: list[bytes], type: str, *, plain: bool
) -> Iterator[bytes]:
    """Publish the lines before the first wrong line and yield their acknowledgement. Then raise the wrong line's
    Failure.

    `first` is the number of the first line.
    """
    events: dict[int, tuple[str, Any]] = {}
    wrong: Failure | None = None
    for number, text in enumerate(texts, first):
        try:
            if (line := parse_line(text, number, type, plain=plain)) is not None:
                events[number] = line
        except Failure as failure:
            wrong = failure
            break
    if events:
        try:
            done = client.publish_many(topic, events.values())
        except Unauthenticated:
            raise  # for the sentence that names the option
        except TidingsError as error:
            lines = f"Line {min(events)}" if len(events) == 1 else f"Lines {min(events)} to {max(events)}"
            raise Failure(f"{lines}: {error}", exit_code(error)) from None
        yield acknowledgement(done.first, done.last)
    if wrong is not None:
        raise wrong
