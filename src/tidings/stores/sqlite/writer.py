"""Writing to a SQLite file: a group of calls, over any topics and of any callers, in one transaction. No asyncio."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from tidings.errors import OutcomeUnknown, Unavailable
from tidings.events import ORIGIN, Offset
from tidings.log.head import Change, Head, Known, decode_head, encode_head
from tidings.log.port import KEYS, Plan, Seal
from tidings.log.retention import due

from . import seals
from .connection import PATIENCE, code
from .file import DatabaseFile
from .reader import LAPSED

FULL = "The database cannot be used: its disk is full."

UPSERT = "ON CONFLICT (name) DO UPDATE SET log = excluded.log, head = excluded.head, due = excluded.due"

GROUP_BYTES = 1 << 20
"""Bytes of records after which a transaction is committed, whatever else waits: other processes wait for it."""

HEADS = 10_000
"""Heads that the writer remembers while no other process writes."""


class Lost(Unavailable):
    """The database is gone for good, and with it this transaction."""


class Update:
    """A call of the port's `update`: its `result` once its transaction is committed, or the `error` of its plan."""

    __slots__ = ("error", "keys", "plan", "result", "topic")

    def __init__(self, topic: str, keys: Sequence[str], plan: Plan) -> None:
        self.topic: str = topic
        self.keys: Sequence[str] = keys
        self.plan: Plan = plan
        self.result: Known | None = None
        self.error: Exception | None = None


class Lease:
    """A call of the port's `lease`."""

    __slots__ = ("error", "renew", "result", "seconds", "topic")

    def __init__(self, topic: str, seconds: float, renew: bool) -> None:
        self.topic: str = topic
        self.seconds: float = seconds
        self.renew: bool = renew
        self.result: bool = True
        self.error: Exception | None = None


class Release:
    """A call of the port's `release`."""

    __slots__ = ("error", "lapsed", "result", "topic")

    def __init__(self, topic: str, lapsed: bool) -> None:
        self.topic: str = topic
        self.lapsed: bool = lapsed
        self.result: None = None
        self.error: Exception | None = None


class Probe:
    """A call of the port's `probe`: a write that changes nothing."""

    __slots__ = ("error", "result")
    topic = ""

    def __init__(self) -> None:
        self.result: None = None
        self.error: Exception | None = None


class SealCall:
    """A call of the port's `seal`."""

    __slots__ = ("error", "result", "seal")
    topic = ""

    def __init__(self, seal: Seal) -> None:
        self.seal: Seal = seal
        self.result: None = None
        self.error: Exception | None = None


Call = Update | Lease | Release | Probe | SealCall


class Written(NamedTuple):
    """A committed transaction: how many calls it answered, the commit's number, and the topics it changed."""

    calls: int
    number: int
    tails: Mapping[str, Offset | None]


class Writer:
    """The one connection of this process that writes. For one thread.

    `full`: the disk is full, so that changes which add a record are refused. `untidy`: deleted bytes are still in the
    file or in its log of changes.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        file: DatabaseFile,
        *,
        clock: Callable[[], float],
        steady: Callable[[], float],
    ) -> None:
        self.connection = connection
        self._run = connection.execute
        self._file = file
        self._clock = clock
        self._steady = steady
        self._commits = -1
        self._logs = 0
        self._heads: dict[str, tuple[int, Head] | None] = {}  # as of commit self._commits; None: there is no such topic
        self.full = False
        self.untidy: bool = True  # an earlier process may have left something
        self.patience = PATIENCE
        self._run("PRAGMA busy_timeout=0")  # SQLite's own waiting sleeps up to 100 ms at a time: see transaction

    def close(self) -> None:
        self.connection.close()

    def write(self, calls: Sequence[Call]) -> Written:
        """Write the first of `calls`, at least one, in one transaction.

        If it raises, none of them is written, or the error is OutcomeUnknown.
        """
        with self.transaction(self.patience):
            self._recall(calls)
            group = _Group()
            done = 0
            for call in calls:
                self._do(call, group)
                done += 1
                if group.size > GROUP_BYTES:
                    break
            self._end(group)
        return Written(done, self._commits, dict(self._tails(group)))

    @contextlib.contextmanager
    def transaction(self, patience: float) -> Iterator[None]:
        """A transaction with the lock that all writers want, committed unless the block has ended it or fails.

        Raises SQLITE_BUSY if another process keeps the lock for `patience` seconds.
        """
        self._begin(patience)
        try:
            yield
            if self.connection.in_transaction:
                self._run("COMMIT")
        except BaseException:
            self._heads.clear()
            if self.connection.in_transaction:
                with contextlib.suppress(sqlite3.Error):
                    self._run("ROLLBACK")
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

    def _end(self, group: _Group) -> None:
        self._flush(group)
        if not (group.topics or group.other):
            self._run("ROLLBACK")  # nothing to write, so nothing to sync
            return
        try:
            self._run("COMMIT")
        except sqlite3.Error as error:
            if code(error) == sqlite3.SQLITE_IOERR:
                raise OutcomeUnknown("The disk failed during a commit: it is stored once, or not at all.") from None
            raise
        # After the commit and before anybody is told of it: a commit to a file without a name is not stored.
        if lost := self._file.look():
            raise Lost(lost)

    def _recall(self, calls: Sequence[Call]) -> None:
        """Make self._heads hold every topic of the calls, as of now."""
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

    def _do(self, call: Call, group: _Group) -> None:
        if isinstance(call, Update):
            self._update(call, group)
            return
        group.other = True
        if isinstance(call, Probe) and self.full:
            call.error = Unavailable(FULL)
        elif isinstance(call, Probe):
            self._run("UPDATE state SET commits = commits")
        elif isinstance(call, SealCall):
            seals.put(self.connection, call.seal)
        else:
            self._lease(call)

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
        if change.records and self.full:
            call.error = Unavailable(FULL)
            return
        log = kept[0] if kept else 0
        if kept and (change.head is None or change.fresh):
            group.dead.append((log,))
            group.unlabel(call.topic)
            self._run("DELETE FROM leases WHERE topic = ?", (call.topic,))
            log = 0
        self._heads[call.topic] = self._place(change.head, change, log, kept, group) if change.head else None
        group.labels.setdefault(call.topic, {}).update(change.labels)
        group.topics.add(call.topic)
        call.result = Known(change.head)

    def _place(
        self, head: Head, change: Change, log: int, kept: tuple[int, Head] | None, group: _Group
    ) -> tuple[int, Head]:
        if not log:
            self._logs = log = self._logs + 1
        elif kept and head.start != kept[1].start:
            group.cuts.append((log, head.start))
        for record in change.records:
            group.records.append((log, record.last, record.base, record.id, record.blob))
            group.size += len(record.blob)
        for new in change.replaced:
            group.replaced.append((new.blob, log, new.last))
            group.size += len(new.blob)
        for key, first, last in change.keys:
            group.keys[log, key] = first, last, change.times.get(key, self._clock())
        return log, head

    def _label(self, group: _Group) -> None:
        """Write the labels that topics get and lose in a group."""
        for topic in group.unlabelled:
            self._run("DELETE FROM labels WHERE topic = ?", (topic,))
        changes = [(topic, label, has) for topic, labels in group.labels.items() for label, has in labels.items()]
        self._insert("OR IGNORE INTO labels", [(topic, label) for topic, label, has in changes if has])
        for topic, label, has in changes:
            if not has:
                self._run("DELETE FROM labels WHERE topic = ? AND label = ?", (topic, label))

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

    def _lease(self, call: Lease | Release) -> None:
        # The clock is read while this process has the lock, so that `taken` is never later than a reader's clock.
        now = self._steady()
        values: dict[str, object] = {"topic": call.topic, "now": now}
        if isinstance(call, Release):
            self._run(f"DELETE FROM leases WHERE topic = :topic {f'AND {LAPSED}' if call.lapsed else ''}", values)
            return
        values["deadline"] = now + call.seconds
        if call.renew:
            done = self._run("UPDATE leases SET taken = :now, deadline = :deadline WHERE topic = :topic", values)
            call.result = done.rowcount > 0
        else:
            self._run("INSERT OR REPLACE INTO leases VALUES (:topic, :now, :deadline)", values)

    def _changed(self, group: _Group) -> Iterator[tuple[str, tuple[int, Head] | None]]:
        return ((topic, self._heads[topic]) for topic in group.topics)

    def _tails(self, group: _Group) -> Iterator[tuple[str, Offset | None]]:
        """The topics with what the port's `changes` announces of each."""
        longer = {log for log, *_ in group.records}
        for topic, kept in self._changed(group):
            if kept is None:
                yield topic, None
            else:
                yield topic, Offset(kept[1].epoch, kept[1].tail) if kept[0] in longer else ORIGIN

    def _flush(self, group: _Group) -> None:
        """Write the rows of a group in as few statements as can be."""
        if not group.topics:
            return
        self._insert("INTO records", group.records)
        for replaced in group.replaced:
            self._run("UPDATE records SET blob = ? WHERE log = ? AND last = ?", replaced)
        for cut in group.cuts:
            self._run("DELETE FROM records WHERE log = ? AND last <= ?", cut)
        kept = [(topic, *each) for topic, each in self._changed(group) if each]
        heads = [(topic, log, encode_head(head), due(head)) for topic, log, head in kept]
        self._insert("INTO topics", heads, UPSERT)
        for topic, each in self._changed(group):
            if each is None:
                self._run("DELETE FROM topics WHERE name = ?", (topic,))
        self._label(group)
        self._insert("OR REPLACE INTO keys", [(*key, *span) for key, span in group.keys.items()])
        self._insert("OR IGNORE INTO dead", group.dead)
        self.untidy = self.untidy or bool(group.dead or group.cuts or group.replaced)
        self._commits += 1
        self._run("UPDATE state SET commits = ?, logs = ?", (self._commits, self._logs))

    def _insert(self, into: str, rows: Sequence[tuple[object, ...]], upsert: str = "") -> None:
        for start in range(0, len(rows), 100):
            some = rows[start : start + 100]
            marks = ",".join([f"({_marks(some[0])})"] * len(some))
            self._run(f"INSERT {into} VALUES {marks} {upsert}", [value for row in some for value in row])


class _Group:
    """The rows that the calls of one transaction add, change and delete. `other`: leases, or a probe."""

    def __init__(self) -> None:
        self.topics: set[str] = set()  # whose heads, in Writer._heads, are new
        self.records: list[tuple[int, int, int, bytes, bytes]] = []
        self.keys: dict[tuple[int, str], tuple[int, int, float]] = {}
        self.labels: dict[str, dict[str, bool]] = {}  # that topics get and lose
        self.unlabelled: set[str] = set()  # topics that lose the labels that they had before the group
        self.replaced: list[tuple[bytes, int, int]] = []
        self.cuts: list[tuple[int, int]] = []
        self.dead: list[tuple[int]] = []
        self.other = False
        self.size = 0

    def unlabel(self, topic: str) -> None:
        """Take all labels from a topic: those that it had before the group, and those that the group gave it."""
        self.unlabelled.add(topic)
        self.labels.pop(topic, None)


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))
