"""Events as JSON lines, as the command line reads and writes them, and what its user is told."""

from __future__ import annotations

import msgspec

from tidings.events import MESSAGE, Event
from tidings.wire.sse import json_value

REFUSED, WRONG, UNREACHABLE = 1, 2, 3
"""Exit codes: the server said no; what it was asked is wrong in itself; there is no server."""


class Failure(Exception):
    """What the user is told, in one sentence, and the exit code."""

    def __init__(self, sentence: str, code: int = REFUSED) -> None:
        super().__init__(sentence)
        self.code = code


class _Line(msgspec.Struct):
    """An event as a JSON line. Other fields, such as those that `tidings read` writes, are left out."""

    data: msgspec.Raw
    type: str = ""


class _Shown(msgspec.Struct):
    offset: str | None
    type: str
    time: float
    data: str | msgspec.Raw


_line = msgspec.json.Decoder(_Line)
_encoder = msgspec.json.Encoder()


def write_line(event: Event) -> bytes:
    """An event as a JSON line, without its end; `data` is its JSON value, or its text where that is not JSON."""
    offset = None if event.offset is None else str(event.offset)
    return _encoder.encode(_Shown(offset, event.type, event.time, json_value(event.data)))


def parse_line(text: bytes, number: int, type: str, *, plain: bool) -> tuple[str, str | msgspec.Raw] | None:
    """The type and data of a JSON line, or of a plain one, whose text is the data; None for a blank JSON line.

    `type` is for one that names none. Raises Failure, which names the line by its number.
    """
    try:
        if plain:
            return type or MESSAGE, text.removesuffix(b"\r").decode()
        if not text.strip():
            return None
        line = _line.decode(text.decode())
        return line.type or type or MESSAGE, line.data
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        right = 'an event is {"data": …}, with a "type" if it has one; --lines takes lines as they are'
        raise Failure(f"Line {number} is no event ({error}): {right}. The lines before it are stored.", WRONG) from None
