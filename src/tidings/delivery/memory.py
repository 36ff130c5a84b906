"""Memory budgets of one process: for the recent events of its topics, and for what slow readers keep."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

MB = 1 << 20

WINDOWS = 256 * MB
"""Bytes of recent events that a process keeps for all its topics, unless it is told otherwise."""

WRITES = 256 * MB
"""Bytes that slow readers may keep in memory, over all streams of a process, unless it is told otherwise."""


class WindowMemory:
    """The bytes of all topics' windows, as the topics themselves count them, and the most that they may be."""

    __slots__ = ("limit", "size")

    def __init__(self, limit: int = WINDOWS) -> None:
        self.limit: int = limit
        self.size: int = 0


class SlowReader(Protocol):
    """A reader as the budget ends it."""

    def close(self) -> None:
        """Close the reader's stream."""


class WriteMemory:
    """The bytes that readers keep because they are slow. Bytes that several readers share are counted once.

    Over the limit, the reader that has been slow for the longest is closed; it resumes from its last offset.
    """

    def __init__(self, limit: int = WRITES) -> None:
        self.limit = limit
        self.size: int = 0
        self._held: dict[SlowReader, tuple[int, Sequence[bytes]]] = {}
        self._shared: dict[int, int] = {}

    def hold(self, reader: SlowReader, own: int = 0, shared: Sequence[bytes] = ()) -> None:
        """Count `own` bytes, and objects that may be shared, for the reader until `release`."""
        self.release(reader)
        self._held[reader] = own, shared
        self.size += own
        for body in shared:
            count = self._shared.get(id(body), 0)
            self._shared[id(body)] = count + 1
            if not count:
                self.size += len(body)
        while self.size > self.limit:
            slowest = next(iter(self._held))
            self.release(slowest)
            slowest.close()

    def release(self, reader: SlowReader) -> None:
        """Count nothing for the reader any more. Idempotent."""
        own, shared = self._held.pop(reader, (0, ()))
        self.size -= own
        for body in shared:
            count = self._shared[id(body)] = self._shared[id(body)] - 1
            if not count:
                del self._shared[id(body)]
                self.size -= len(body)
