"""The events of a checked file, in a temporary file, to be published from any of them on."""

from __future__ import annotations

import sqlite3
import tempfile
from array import array
from collections.abc import Iterator
from typing import IO, Self

EVERY = 1_000
"""Events between two whose places are known."""


class Spool:
    """Events as JSON, each in a line, in the order in which they came, or, once `sort` was called, of their time."""

    def __init__(self) -> None:
        self.events: int = 0
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (closed at the exit)
        self._places = array("q")
        self._size = 0
        self._times: sqlite3.Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        if self._times is not None:
            self._times.close()

    def sort(self) -> None:
        """Keep the events by their time from now on. A temporary table sorts what memory does not hold."""
        self._times = sqlite3.connect("")
        self._times.execute("CREATE TABLE event(at INTEGER, place INTEGER, size INTEGER)")

    def add(self, data: bytes, at: int) -> None:
        """Add an event, whose time is `at`."""
        if self._times is not None:
            self._times.execute("INSERT INTO event VALUES(?, ?, ?)", (at, self._size, len(data)))
        elif self.events % EVERY == 0:
            self._places.append(self._size)
        self._file.write(data + b"\n")
        self._size += len(data) + 1
        self.events += 1

    def read(self, first: int) -> Iterator[bytes]:
        """Yield the events from the number `first` on, in the order in which they came."""
        if first >= self.events:
            return
        self._file.seek(self._places[first // EVERY])
        for _ in range(first % EVERY):
            self._file.readline()
        while line := self._file.readline():
            yield line[:-1]

    def read_by_time(self, first: int) -> Iterator[tuple[int, bytes]]:
        """Yield the time and the data of the events from the number `first` on, in the order of their time."""
        assert self._times is not None
        query = "SELECT at, place, size FROM event ORDER BY at, place LIMIT -1 OFFSET ?"
        for at, place, size in self._times.execute(query, (first,)):
            self._file.seek(place)
            yield at, self._file.read(size)
