"""The draft of a topic: what the updates of a group make of it, before anything is written. Pure but for its plans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tidings.events import ORIGIN, Offset
from tidings.log.head import Change, Head, Known
from tidings.log.port import Plan
from tidings.log.records import Record

APPENDED, ALTERED, REBORN, DELETED = range(4)
"""The kinds of a change of a topic that exists: it got records only; its head changed otherwise too; its log ended and
another one began; its log ended."""


class Kept(NamedTuple):
    """A topic's row: the transaction and the era that wrote it, and the head as it is in the present era."""

    changed: int
    era: int
    head: Head


class Draft:
    """The changes to write for one topic, decided upon the row `kept` (None: there is none) and the keys `seen`.

    `answers` has the state after each update, or the error of its plan, in their order.
    """

    def __init__(self, topic: str, kept: Kept | None, seen: Mapping[str, tuple[int, int]]) -> None:
        self.topic: str = topic
        self.kept: Kept | None = kept
        self.head: Head | None = kept.head if kept else None
        self.answers: list[Known | Exception] = []
        self.records: list[Record] = []
        self.keys: dict[str, tuple[int, int, float | None]] = {}
        self.labels: dict[str, bool] = {}
        self.replaced: dict[int, Record] = {}
        self.cut: int = 0
        self._seen = dict(seen)
        self._changed = False
        self._altered = False
        self._reborn = False

    def decide(self, keys: Sequence[str], plan: Plan) -> None:
        """Let a plan decide upon the draft."""
        known = Known(self.head, {key: self._seen[key] for key in keys if key in self._seen})
        try:
            change = plan(known)
        except Exception as error:
            self.answers.append(error)
            return
        if change is not None:
            self._take(change)
        self.answers.append(known if change is None else Known(change.head))

    @property
    def kind(self) -> int | None:
        """The kind of the change; None if there is nothing to write."""
        if not self._changed or (self.head is None and self.kept is None):
            return None
        if self.head is None:
            return DELETED
        return REBORN if self._reborn else ALTERED if self._altered else APPENDED

    @property
    def news(self) -> Offset | None:
        """The news of the topic, as the port's `changes` tells it."""
        if self.head is None:
            return None
        return Offset(self.head.epoch, self.head.tail) if self.kind == APPENDED else ORIGIN

    def _take(self, change: Change) -> None:
        self._changed = True
        if change.head is None or change.fresh:
            self._reborn = self.kept is not None
            self.records, self.keys, self.labels, self.replaced, self.cut = [], {}, {}, {}, 0
            self._seen.clear()
        elif self.head and change.head.start != self.head.start:
            self.cut = change.head.start
            self.records = [record for record in self.records if record.last > self.cut]
        self._altered = self._altered or not change.records
        self.head = change.head
        self.records += change.records
        for record in change.replaced:
            self._replace(record)
        for key, first, last in change.keys:
            self._seen[key] = first, last
            self.keys[key] = first, last, change.times.get(key)
        self.labels.update(change.labels)

    def _replace(self, new: Record) -> None:
        for index, record in enumerate(self.records):
            if record.base == new.base:
                self.records[index] = new
                return
        self.replaced[new.base] = new
