"""Writing to a SQLite file: a group of calls, over any topics and of any callers, in one transaction. No asyncio."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from tidings.errors import OutcomeUnknown
from tidings.events import ORIGIN, Offset
from tidings.log.port import KEYS, Plan
from tidings.log.rules import Change, Head, Known

from .reader import PATIENCE, code, decode_head, encode_head

GROUP_BYTES = 1 << 20
"""Bytes of records after which a transaction is committed, whatever else waits: other processes wait for it."""

HEADS = 10_000
"""Heads that the writer remembers while no other process writes."""


class Update:
    """One call of the port's `update`; `result` once its transaction is committed, or the `error` of its plan."""

    __slots__ = ("error", "keys", "plan", "result", "topic")

    def __init__(self, topic: str, keys: Sequence[str], plan: Plan) -> None:
        self.topic, self.keys, self.plan = topic, keys, plan
        self.result: Known | None = None
        self.error: Exception | None = None


class Lease:
    """One call of the port's `lease`."""

    __slots__ = ("deadline", "error", "renew", "result", "topic")

    def __init__(self, topic: str, deadline: float, renew: bool) -> None:
        self.topic, self.deadline, self.renew = topic, deadline, renew
        self.result = True
        self.error: Exception | None = None


class Release:
    """One call of the port's `release`: of a deadline that is not after `until`."""

    __slots__ = ("error", "result", "topic", "until")

    def __init__(self, topic: str, until: float) -> None:
        self.topic, self.until = topic, until
        self.result = None
        self.error: Exception | None = None


Call = Update | Lease | Release


class Written(NamedTuple):
    """A committed transaction: how many calls it answered, the commit's number, and the topics it changed."""

    calls: int
    number: int
    tails: Mapping[str, Offset | None]


class Writer:
    """The one connection of this process that writes. For one thread."""

    def __init__(self, connection: sqlite3.Connection, clock: Callable[[], float]) -> None:
        self._connection = connection
        self._run = connection.execute
        self._clock = clock
        self._commits = -1
        self._logs = 0
        self._heads: dict[str, tuple[int, Head] | None] = {}  # as of commit self._commits; None: there is no such topic
        self._keys_tidied = 0.0
        self.untidy = bool(self._run("SELECT EXISTS (SELECT * FROM dead)").fetchone()[0])
        self.patience = PATIENCE
        self._run("PRAGMA busy_timeout=0")  # SQLite's own waiting sleeps up to 100 ms at a time: see _begin

    def close(self) -> None:
        self._connection.close()

    def write(self, calls: Sequence[Call]) -> Written:
        """One transaction for the first of `calls`, at least one. If it raises, none is written, or OutcomeUnknown."""
        self._begin(self.patience)
        try:
            self._recall(calls)
            group = _Group()
            done = 0
            for call in calls:
                self._update(call, group) if isinstance(call, Update) else self._lease(call, group)
                done += 1
                if group.size > GROUP_BYTES:
                    break
            self._end(group)
        except BaseException:
            self._undo()
            raise
        return Written(done, self._commits, dict(self._tails(group)))

    def tidy(self) -> None:
        """Deletes some of what is nobody's: rows of dead logs, keys that are too old. Raises sqlite3.Error."""
        self._begin(0.0)
        try:
            dead = self._run("SELECT log FROM dead LIMIT 1").fetchone()
            self.untidy = dead is not None
            if dead:
                gone = self._run(
                    "DELETE FROM records WHERE rowid IN (SELECT rowid FROM records WHERE log = ? LIMIT 500)", dead
                ).rowcount
                gone += self._run(
                    "DELETE FROM keys WHERE (log, key) IN (SELECT log, key FROM keys WHERE log = ? LIMIT 500)", dead
                ).rowcount
                if not gone:
                    self._run("DELETE FROM dead WHERE log = ?", dead)
            self._run(
                "DELETE FROM keys WHERE (log, key) IN (SELECT log, key FROM keys WHERE time <= ? LIMIT 500)",
                (self._clock() - KEYS,),
            )
            self._run("COMMIT")
        except BaseException:
            self._undo()
            raise

    def _begin(self, patience: float) -> None:
        end = time.monotonic() + patience
        while True:
            try:
                self._run("BEGIN IMMEDIATE")
                return
            except sqlite3.Error as error:
                if code(error) != sqlite3.SQLITE_BUSY or time.monotonic() >= end:
                    raise
            time.sleep(0.0005)

    def _undo(self) -> None:
        self._heads.clear()
        if self._connection.in_transaction:
            with contextlib.suppress(sqlite3.Error):
                self._run("ROLLBACK")

    def _end(self, group: _Group) -> None:
        self._flush(group)
        if not (group.topics or group.leases):
            self._run("ROLLBACK")  # nothing to write, so nothing to sync
            return
        try:
            self._run("COMMIT")
        except sqlite3.Error as error:
            if code(error) == sqlite3.SQLITE_IOERR:
                raise OutcomeUnknown("The disk failed during a commit: it is stored once, or not at all.") from None
            raise

    def _recall(self, calls: Sequence[Call]) -> None:
        """Makes self._heads hold every topic of the calls, as of now."""
        commits, self._logs = self._run("SELECT commits, logs FROM state").fetchone()
        if commits != self._commits or len(self._heads) > HEADS:
            self._heads.clear()  # another process wrote
            self._commits = commits
        missing = list({call.topic for call in calls if call.topic not in self._heads})
        self._heads.update(dict.fromkeys(missing))
        for start in range(0, len(missing), 500):
            some = missing[start : start + 500]
            rows = self._run(f"SELECT name, log, head FROM topics WHERE name IN ({_marks(some)})", some)
            self._heads.update((name, (log, decode_head(head))) for name, log, head in rows)

    def _update(self, call: Update, group: _Group) -> None:
        kept = self._heads[call.topic]
        known = Known(kept[1], self._seen(kept[0], call.keys, group)) if kept else Known(None)
        try:
            change = call.plan(known)
        except Exception as error:
            call.error = error
            return
        if change is None:
            call.result = known
            return
        log = kept[0] if kept else 0
        if kept and (change.head is None or change.fresh):
            group.dead.append((log,))
            self._run("DELETE FROM leases WHERE topic = ?", (call.topic,))
            log = 0
        self._heads[call.topic] = self._place(change.head, change, log, kept, group) if change.head else None
        group.topics.add(call.topic)
        call.result = Known(change.head)

    def _place(
        self, head: Head, change: Change, log: int, kept: tuple[int, Head] | None, group: _Group
    ) -> tuple[int, Head]:
        if not log:
            self._logs = log = self._logs + 1
        elif kept and head.start != kept[1].start:
            group.cuts.append((log, head.start))
        if record := change.record:
            group.records.append((log, record.last, record.base, record.id, record.blob))
            group.size += len(record.blob)
        for key, first, last in change.keys:
            group.keys[log, key] = first, last, self._clock()
        return log, head

    def _seen(self, log: int, keys: Sequence[str], group: _Group) -> Mapping[str, tuple[int, int]]:
        if not keys:
            return {}
        rows = self._run(
            f"SELECT key, first, last FROM keys WHERE log = ? AND time > ? AND key IN ({_marks(keys)})",
            (log, self._clock() - KEYS, *keys),
        )
        seen = {key: (first, last) for key, first, last in rows}
        seen.update((key, group.keys[log, key][:2]) for key in keys if (log, key) in group.keys)
        return seen

    def _lease(self, call: Lease | Release, group: _Group) -> None:
        if isinstance(call, Release):
            self._run("DELETE FROM leases WHERE topic = ? AND deadline <= ?", (call.topic, call.until))
        elif call.renew:
            done = self._run("UPDATE leases SET deadline = ? WHERE topic = ?", (call.deadline, call.topic))
            call.result = done.rowcount > 0
        else:
            self._run("INSERT OR REPLACE INTO leases VALUES (?, ?)", (call.topic, call.deadline))
        group.leases = True

    def _changed(self, group: _Group) -> Iterator[tuple[str, tuple[int, Head] | None]]:
        return ((topic, self._heads[topic]) for topic in group.topics)

    def _tails(self, group: _Group) -> Iterator[tuple[str, Offset | None]]:
        """What to announce of each topic, as the port's `changes` says it."""
        longer = {log for log, *_ in group.records}
        for topic, kept in self._changed(group):
            if kept is None:
                yield topic, None
            else:
                yield topic, Offset(kept[1].epoch, kept[1].tail) if kept[0] in longer else ORIGIN

    def _flush(self, group: _Group) -> None:
        """Writes what the calls of a group have left, in as few statements as can be."""
        if not group.topics:
            return
        self._insert("INTO records", group.records)
        for cut in group.cuts:
            self._run("DELETE FROM records WHERE log = ? AND last <= ?", cut)
        heads = [(topic, kept[0], encode_head(kept[1])) for topic, kept in self._changed(group) if kept]
        self._insert("INTO topics", heads, "ON CONFLICT (name) DO UPDATE SET log = excluded.log, head = excluded.head")
        for topic, kept in self._changed(group):
            if kept is None:
                self._run("DELETE FROM topics WHERE name = ?", (topic,))
        self._insert("OR REPLACE INTO keys", [(*key, *span) for key, span in group.keys.items()])
        self._insert("OR IGNORE INTO dead", group.dead)
        self.untidy = self.untidy or bool(group.dead)
        self._commits += 1
        self._run("UPDATE state SET commits = ?, logs = ?", (self._commits, self._logs))

    def _insert(self, into: str, rows: Sequence[tuple[object, ...]], upsert: str = "") -> None:
        for start in range(0, len(rows), 100):
            some = rows[start : start + 100]
            marks = ",".join([f"({_marks(some[0])})"] * len(some))
            self._run(f"INSERT {into} VALUES {marks} {upsert}", [value for row in some for value in row])


class _Group:
    """What the calls of one transaction have to write."""

    def __init__(self) -> None:
        self.topics: set[str] = set()  # whose heads, in Writer._heads, are new
        self.records: list[tuple[int, int, int, bytes, bytes]] = []
        self.keys: dict[tuple[int, str], tuple[int, int, float]] = {}
        self.cuts: list[tuple[int, int]] = []
        self.dead: list[tuple[int]] = []
        self.leases = False
        self.size = 0


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))
