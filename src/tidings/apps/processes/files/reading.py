"""Read an event log from a file, whatever its format, and its checksum."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from typing import BinaryIO

from . import ocel, table, xes
from .content import CHUNK, recognized, unpacked
from .records import Found, Options, Wrong
from .times import Times


class LogFile:
    """An event log in a file. `progress` is called with the part of the file that was read.

    `sha256`: the checksum of the file, and `times`: how its times were read, once `events` is exhausted.
    """

    def __init__(self, file: BinaryIO, options: Options, progress: Callable[[float], None] = lambda part: None) -> None:
        self.times: Times = Times(options.timestamp_format)
        self.sha256: str = ""
        self.format: str = ""
        self._file, self._options, self._progress = file, options, progress

    def events(self) -> Iterator[Found]:
        """Yield the events. Raises Wrong for a file that cannot be read to its end, or that changes meanwhile."""
        before = _state(self._file)
        content = unpacked(self._chunks())
        first = b""
        for chunk in content:
            first += chunk
            if len(first) >= 64:
                break
        self.format = recognized(first)
        if self.format == "ocel":
            yield from ocel.events(lambda: unpacked(self._chunks()), self._options, self.times)
        else:
            parser = xes if self.format == "xes" else table
            yield from parser.events(_chain(first, content), self._options, self.times)
        for _ in content:
            pass  # what follows a table's last row belongs to the checksum
        if _state(self._file) != before:
            raise Wrong(0, "the file was changed while it was read")

    def _chunks(self) -> Iterator[bytes]:
        """Yield the bytes of the file from its beginning, and take its checksum."""
        self._file.seek(0)
        digest, size, total = hashlib.sha256(), 0, max(os.fstat(self._file.fileno()).st_size, 1)
        while chunk := self._file.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
            self._progress(min(size / total, 1.0))
            yield chunk
        self.sha256 = digest.hexdigest()


def _state(file: BinaryIO) -> tuple[int, int]:
    now = os.fstat(file.fileno())
    return now.st_size, now.st_mtime_ns


def _chain(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest
