"""The files of a database, watched while SQLite has them open: removed, replaced, cut short or overwritten."""

from __future__ import annotations

import contextlib
import os
import time

from .schema import APPLICATION

REMOVED = "The database was removed or replaced while it was open."
DAMAGED = "The database was damaged while it was open."

HEADER = 100
"""Bytes at the start of a SQLite file that say what it is."""

LOG_MAGIC = (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")
"""The first bytes of SQLite's log of changes. A log that begins otherwise is dropped at the next start."""

GROWING = 0.3
"""Seconds after which a file that is too short, and does not grow, was cut."""


class DatabaseFile:
    """The database and the two files beside it that SQLite keeps in WAL mode, by their inodes.

    SQLite goes on writing to a file that has lost its name, and those commits would be gone with the process. `look` is
    for any thread, costs about 10 µs, and opens nothing: closing a second descriptor of the file would release the
    locks of SQLite in this process.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._parts = {name: os.stat(name) for name in (path, f"{path}-wal", f"{path}-shm")}
        self._descriptors: dict[str, int] = {}
        self._size = self._parts[path].st_size
        self._short = (0, 0.0)  # a size below what the header says, and since when

    def look(self) -> str:
        """The sentence that says what happened to the files; empty while they are in order."""
        try:
            now = {name: os.stat(name) for name in self._parts}
        except OSError:
            return REMOVED
        if not all(os.path.samestat(now[name], part) for name, part in self._parts.items()):
            return REMOVED
        header = self._start(self._path, HEADER)
        size = now[self._path].st_size
        if header and not _is_ours(header):
            return DAMAGED
        log = self._start(f"{self._path}-wal", len(LOG_MAGIC[0]))
        if log and log not in LOG_MAGIC:
            return DAMAGED
        if size and not self._is_cut(size, header):
            return ""
        return DAMAGED

    def size(self) -> int:
        """The bytes of the database and its log of changes. For any thread."""
        size = 0
        for name in self._parts:
            with contextlib.suppress(OSError):
                size += 0 if name.endswith("-shm") else os.stat(name).st_size
        return size

    def _is_cut(self, size: int, header: bytes) -> bool:
        """True if the file has become shorter than its header says, and has not grown for a while since.

        SQLite writes the header first and the new pages after it. So a file that grows is too short for an instant, or
        for as long as the disk is full, but does not become shorter.
        """
        shrunk, self._size = size < self._size, size
        if shrunk and size < _pages(header) * _page_size(header):
            self._short = (size, time.monotonic())
        elif size != self._short[0] or size >= _pages(header) * _page_size(header):
            self._short = (0, 0.0)
        return self._short[0] == size and time.monotonic() > self._short[1] + GROWING

    def _start(self, name: str, count: int) -> bytes:
        """The first bytes of a file, read through a descriptor that SQLite has; empty where there is none."""
        part = self._parts[name]
        for attempt in range(2):
            with contextlib.suppress(OSError):
                if attempt:
                    self._descriptors[name] = descriptor(part)
                number = self._descriptors.get(name, -1)
                if number >= 0 and os.path.samestat(os.fstat(number), part):
                    return os.pread(number, count, 0)
        return b""


def descriptor(part: os.stat_result) -> int:
    """Return this process's descriptor of a file; -1 if there is none."""
    for name in os.listdir("/dev/fd"):
        with contextlib.suppress(OSError):  # the descriptor of the listing itself has gone
            if os.path.samestat(os.fstat(int(name)), part):
                return int(name)
    return -1


def _is_ours(header: bytes) -> bool:
    """A SQLite database in WAL mode, with the number of our application, or with none while its first change waits."""
    application = int.from_bytes(header[68:72])
    return header[:16] == b"SQLite format 3\0" and header[18:20] == b"\2\2" and application in (0, APPLICATION)


def _page_size(header: bytes) -> int:
    size = int.from_bytes(header[16:18])
    return 65536 if size == 1 else size


def _pages(header: bytes) -> int:
    return int.from_bytes(header[28:32])
