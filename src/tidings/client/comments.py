"""PURE: the comments of an event stream, in order with its events."""

from __future__ import annotations

import re
from typing import NamedTuple

from tidings.wire.sse import Decoder, ServerSentEvent

_PARTS = re.compile(rb"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+")
"""The lines of a chunk, each with its line end, and the beginning of a line that the chunk leaves unfinished."""


class Comment(NamedTuple):
    """A line of the stream that begins with a colon. `text` is the line without the colon and one space after it."""

    text: str


class CommentDecoder:
    """A decoder that reports comments too. A comment comes with its line end, before any event that ends later.

    `Decoder` reads whole blocks and is several times as fast, so this decoder is for readers that ask for comments.
    """

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self._line: list[bytes] = []  # the parts of the unfinished line
        self._mark = b"\xef\xbb\xbf"  # the byte order mark, which is dropped at the very start only
        self._after_cr = False  # an LF that comes now belongs to the line end before

    def feed(self, chunk: bytes) -> list[ServerSentEvent | Comment]:
        """Return the events and comments that `chunk` completes, in order."""
        items: list[ServerSentEvent | Comment] = []
        for part in _PARTS.findall(chunk):
            items += self._decoder.feed(part)
            if part == b"\n" and self._after_cr:
                self._after_cr = False
                continue
            self._line.append(part)
            self._after_cr = part.endswith(b"\r")
            if self._after_cr or part.endswith(b"\n"):
                line = b"".join(self._line).removeprefix(self._mark)
                self._line, self._mark = [], b""
                if line.startswith(b":"):
                    text = line[1:].rstrip(b"\r\n").decode("utf-8", "replace")
                    items.append(Comment(text.removeprefix(" ")))
        return items
