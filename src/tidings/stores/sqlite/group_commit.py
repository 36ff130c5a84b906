"""Group commit: one thread that writes, and everything that waits for it goes into its next transaction."""

from __future__ import annotations

import contextlib
import logging
import queue
import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from typing import Protocol

from tidings.errors import TidingsError

from .connection import DAMAGED as DAMAGED_CODES
from .connection import code, meaning
from .file import DAMAGED
from .reserve import Reserve
from .tidier import Tidier
from .writer import Call, Lost, Writer, Written

GROUP = 1_000
"""Calls that one transaction takes at most."""

FULL = "The disk of the database is full: events are refused until there is space, which deleting topics makes."
SPACE = "The disk of the database has space again."

logger: logging.Logger = logging.getLogger("tidings")


class Loop(Protocol):
    """The store, as its writing thread sees it. Each method is called on the thread of the event loop."""

    def settle(self, calls: list[Call], written: Written | None, failure: TidingsError | None) -> None:
        """Answer the callers of one transaction."""

    def lose(self, reason: str) -> None:
        """Give up: the database is gone for good."""


class GroupCommit:
    """The thread that writes. It tells of a trouble once, in one line, and once more when the trouble is over."""

    def __init__(self, writer: Writer, tidier: Tidier, reserve: Reserve, loop: Loop, post: Callable[..., bool]) -> None:
        self._writer = writer
        self._tidier = tidier
        self._reserve = reserve
        self._loop = loop
        self._post = post
        self._queue: queue.SimpleQueue[Call | None] = queue.SimpleQueue()
        self._trouble = ""

    @property
    def full(self) -> bool:
        """True while the disk is full."""
        return self._writer.full

    def start(self, stopped: Callable[[], None]) -> None:
        """Begin. `stopped` is called on the loop's thread when the last transaction is over."""
        threading.Thread(target=self._write, args=(stopped,), name="tidings-write", daemon=True).start()

    def put(self, call: Call) -> None:
        self._queue.put(call)

    def stop(self) -> None:
        """Write what waits, then end. A locked database is waited for no longer than a second."""
        self._writer.patience = 1.0
        self._queue.put(None)

    def _write(self, stopped: Callable[[], None]) -> None:
        calls: deque[Call] = deque()
        stopping = False
        try:
            while calls or not stopping:
                stopping = self._gather(calls) or stopping
                self._look_at_space()
                if calls:
                    stopping = not self._write_some(calls) or stopping
                if not stopping:
                    self._tidy()
        finally:
            self._writer.close()
        self._post(stopped)

    def _gather(self, calls: deque[Call]) -> bool:
        """Take the calls that wait; if there are none and nothing to tidy, wait. True: the thread is to stop."""
        patience = self._tidier.wait()
        with contextlib.suppress(queue.Empty):
            while len(calls) < GROUP:
                call = self._queue.get_nowait() if calls else self._queue.get(timeout=patience)
                if call is None:
                    return True
                calls.append(call)
        return False

    def _write_some(self, calls: deque[Call]) -> bool:
        """Write one transaction. An error is for its callers, never for the thread. False: the loop has ended."""
        written, error, done = None, None, len(calls)
        try:
            written = self._writer.write(tuple(calls))
            done = written.calls
        except Exception as failure:
            error = self._failed(failure)
        else:
            self._is_well()
        return self._post(self._loop.settle, [calls.popleft() for _ in range(done)], written, error)

    def _tidy(self) -> None:
        try:
            self._tidier.step()
        except sqlite3.Error as error:  # the work is still there, and so is the next step
            if code(error) != sqlite3.SQLITE_BUSY:
                self._failed(error)

    def _failed(self, failure: Exception) -> TidingsError:
        """The error for the callers of a transaction that failed, after the log was told and a lost file given up."""
        if isinstance(failure, Lost):
            self._post(self._loop.lose, str(failure))
            return failure
        if code(failure) in DAMAGED_CODES:
            self._post(self._loop.lose, DAMAGED)
        elif code(failure) == sqlite3.SQLITE_FULL:
            self._make_space()
        elif isinstance(failure, TidingsError | sqlite3.Error):
            self._say_once(str(failure))
        else:
            logger.error("A transaction failed", exc_info=failure)
        return failure if isinstance(failure, TidingsError) else meaning(failure)

    def _make_space(self) -> None:
        """Give up the reserve, and use it to move SQLite's log of changes into the database."""
        self._reserve.give_up()
        with contextlib.suppress(sqlite3.Error):
            self._tidier.scrub()
        self._look_at_space()

    def _look_at_space(self) -> None:
        full = not self._reserve.held()
        if full != self._writer.full:
            self._writer.full = full
            logger.error(FULL) if full else logger.warning(SPACE)

    def _say_once(self, trouble: str) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            logger.error("The database cannot be written: %s", trouble)

    def _is_well(self) -> None:
        if self._trouble:
            self._trouble = ""
            logger.warning("The database can be written again.")
