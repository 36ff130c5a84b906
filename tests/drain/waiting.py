"""The time that processes spend waiting for a core: on a busy machine, it is no fault of theirs."""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

import psutil

EVERY = 0.05
"""Seconds between two looks. Of a process that ends between two, the time since the last one is not counted."""


class Waiting:
    """A block of code by the clock, and by the clock less the time for which a thread had work but no core.

    Counts the threads of the process `pid`, of those that it has started, and of this process, which looks on.
    """

    def __init__(self, pid: int) -> None:
        self._pids = [os.getpid(), pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
        self._before: dict[str, int] = {}
        self._waited: dict[str, int] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.elapsed = 0.0

    @property
    def took(self) -> float:
        """Seconds of the block, less those of waiting for a core."""
        waited = sum(last - self._before.get(thread, 0) for thread, last in self._waited.items())
        return self.elapsed - waited / 1e9

    def __enter__(self) -> Self:
        self._before = self._look()
        self._began = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.elapsed = time.monotonic() - self._began
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while True:
            self._waited |= self._look()
            if self._over.wait(EVERY):
                self._waited |= self._look()
                return

    def _look(self) -> dict[str, int]:
        """Return the nanoseconds that each thread has waited for a core since it began."""
        waited = {}
        for pid in self._pids:
            with suppress(OSError):  # the process has ended, before `glob` looks or while it does
                for thread in Path(f"/proc/{pid}/task").glob("*/schedstat"):
                    with suppress(OSError, IndexError):
                        waited[str(thread)] = int(thread.read_text().split()[1])
        return waited
