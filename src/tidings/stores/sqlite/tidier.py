"""Deleting and shrinking in a SQLite file: the work that no caller waits for, in small transactions. No asyncio."""

from __future__ import annotations

import time
from collections.abc import Callable

from tidings.log.port import KEYS

from .writer import Writer

PAUSE = 0.1
"""Seconds between two steps while there is work."""

REST = 60.0
"""Seconds between two looks for idempotency keys that are too old."""

ROWS, BYTES = 500, 1 << 20
"""Rows, and bytes of records, that one step deletes."""

PAGES = 500
"""Pages that one step gives back to the file system."""

SPARE = 1_000
"""Free pages that a file keeps for the events to come; a large file keeps an eighth."""

SCRUB = 1.0
"""Seconds between two times that the log of changes is emptied, at most."""

AUTO_VACUUM_INCREMENTAL = 2


class Tidier:
    """Deletes the rows of dead logs and old keys, shrinks the file, and empties the log of changes after a deletion.

    Deleted bytes are overwritten in the database (`secure_delete`), but stay readable in SQLite's log of changes, the
    `-wal` file, until that is emptied. For the writer's thread.
    """

    def __init__(self, writer: Writer, clock: Callable[[], float]) -> None:
        self._writer = writer
        self._run = writer.connection.execute
        self._clock = clock
        self._busy = True  # an earlier process may have left something
        self._next = 0.0
        self._scrubbed = 0.0
        self._vacuums = self._run("PRAGMA auto_vacuum").fetchone()[0] == AUTO_VACUUM_INCREMENTAL

    def wait(self) -> float:
        """Seconds until there may be work."""
        return PAUSE if self._busy or self._writer.untidy else max(self._next - time.monotonic(), 0.0)

    def step(self) -> None:
        """Do the next bit of work, if it is time for it. Raises sqlite3.Error; the work is then still there."""
        now = time.monotonic()
        if now < self._next and not (self._writer.untidy and not self._busy):
            return
        self._next = now + PAUSE
        deleted = self._delete_dead() or self._delete_keys()
        self._busy = deleted or self._shrink()
        self._writer.untidy = self._writer.untidy or deleted
        if not self._busy and self._writer.untidy and now >= self._scrubbed + SCRUB:
            self._scrubbed = now
            self._writer.untidy = not self.scrub()
        if not self._busy and not self._writer.untidy:
            self._next = now + REST

    def scrub(self) -> bool:
        """Empty the log of changes. False: a reader still needs it."""
        busy: int = self._run("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        return not busy

    def _delete_dead(self) -> bool:
        dead = self._run("SELECT log FROM dead LIMIT 1").fetchone()
        if dead is None:
            return False
        with self._writer.transaction(0.0):
            upto = self._run(
                """SELECT coalesce(min(last) FILTER (WHERE size >= ?), max(last)) FROM
                     (SELECT last, sum(bytes) OVER (ORDER BY last) AS size FROM
                       (SELECT last, length(blob) AS bytes FROM records WHERE log = ? ORDER BY last LIMIT ?))""",
                (BYTES, *dead, ROWS),
            ).fetchone()[0]
            if upto is not None:
                self._run("DELETE FROM records WHERE log = ? AND last <= ?", (*dead, upto))
            elif not self._delete_some_keys("log = ?", *dead):
                self._run("DELETE FROM dead WHERE log = ?", dead)
        return True

    def _delete_keys(self) -> bool:
        before = self._clock() - KEYS
        if not self._run("SELECT EXISTS (SELECT * FROM keys WHERE time <= ?)", (before,)).fetchone()[0]:
            return False
        with self._writer.transaction(0.0):
            self._delete_some_keys("time <= ?", before)
        return True

    def _delete_some_keys(self, which: str, value: float) -> int:
        return self._run(
            f"DELETE FROM keys WHERE (log, key) IN (SELECT log, key FROM keys WHERE {which} LIMIT ?)", (value, ROWS)
        ).rowcount

    def _shrink(self) -> bool:
        """Give free pages back to the file system. A file that an earlier version made cannot do that."""
        if not self._vacuums:
            return False
        free = self._run("PRAGMA freelist_count").fetchone()[0]
        spare = 0 if self._writer.full else max(SPARE, self._run("PRAGMA page_count").fetchone()[0] // 8)
        if free <= spare:
            return False
        # `execute` would step this statement once, for one page, because its rows have no columns.
        self._writer.connection.executescript(f"PRAGMA incremental_vacuum({min(PAGES, free - spare)})")
        self._writer.untidy = True  # the file is cut when its log of changes is emptied
        return True
