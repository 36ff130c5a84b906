"""Every history of a topic, by the rules of `rules.py`, against a simple model of it."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tidings.errors import Closed
from tidings.events import ORIGIN, Lost, Offset, Retention
from tidings.log import rules
from tidings.log.rules import NEW, Append, Appended, Change, Head, Known, Record

OPERATIONS = st.lists(st.tuples(st.sampled_from(["m", "other"]), st.text(max_size=3)), max_size=4)


class Histories(RuleBasedStateMachine):
    """One topic as an engine would keep it, and beside it what it must look like: lives, and the events of the last."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        # As an engine keeps it.
        self.head: Head | None = None
        self.records: list[Record] = []
        self.keys: dict[str, tuple[int, int]] = {}
        # The model.
        self.lives: list[str] = []  # every epoch that there was
        self.alive = False
        self.texts: list[tuple[str, str]] = []
        self.start = 0
        self.closed = False
        self.seen: dict[str, tuple[int, int]] = {}
        self.touched = 0.0
        self.ttl: float | None = None
        self.limits = Retention()
        self.boundaries: list[tuple[int, float]] = []  # where each record ended, and its time

    # What the machine does to the engine's side.

    def epoch(self) -> str:
        return f"epoch{len(self.lives) + 1}"

    def write(self, change: Change | None) -> None:
        if change is None:
            return
        if change.head is None or change.fresh:
            self.records, self.keys = [], {}
        if change.head is not None:
            self.records = [record for record in self.records if record.last > change.head.start]
        if change.record is not None:
            self.records.append(change.record)
        self.keys.update((key, (first, last)) for key, first, last in change.keys)
        self.head = change.head

    # And to the model's.

    def expire(self) -> None:
        if self.alive and self.ttl is not None and self.now >= self.touched + self.ttl:
            self.end()

    def end(self) -> None:
        self.alive, self.texts, self.start, self.closed, self.seen = False, [], 0, False, {}
        self.ttl, self.limits, self.boundaries = None, Retention(), []

    def accept(self, append: Append) -> tuple[str, int, int]:
        """What the model answers: (what, first, last)."""
        if self.alive and append.key in self.seen:
            return ("duplicate", *self.seen[append.key or ""])
        if append.expected is NEW and self.alive:
            return "conflict", 0, 0
        if isinstance(append.expected, Offset) and append.expected != (self.current(), len(self.texts)):
            return "conflict", 0, 0
        if isinstance(append.expected, str) and append.expected != self.current():
            return "conflict", 0, 0
        if self.closed and not append.configure:
            return "closed", 0, 0
        if not self.alive:
            self.alive = True
            self.lives.append(self.epoch())
        first = len(self.texts) + 1 if append.items else len(self.texts)
        self.texts += append.items
        self.closed |= append.close
        self.touched = self.now
        if append.configure:
            self.limits, self.ttl = append.retention or Retention(), append.ttl
        else:
            self.limits, self.ttl = append.retention or self.limits, append.ttl or self.ttl
        if append.key:
            self.seen[append.key] = first, len(self.texts)
        return "appended", first, len(self.texts)

    def current(self) -> str | None:
        return self.lives[-1] if self.alive else None

    # Rules.

    @rule(by=st.floats(0.1, 10.0))
    def time_passes(self, by: float) -> None:
        self.now += by

    @rule(data=st.data(), number=st.integers(1, 3))
    def append(self, data: st.DataObject, number: int) -> None:
        """Several appends that waited together become one record, and are answered as if one came after another."""
        self.expire()
        expectations: list[Any] = [None, None, None, NEW, "wrong1", Offset("wrong1", 0), ORIGIN]
        if epoch := self.current():
            expectations += [epoch, epoch, Offset(epoch, len(self.texts)), Offset(epoch, len(self.texts) + 1)]
        appends = []
        for _ in range(number):
            settings_ = data.draw(st.sampled_from([None, None, None, "retention", "ttl", "configure"]))
            appends.append(
                Append(
                    [] if settings_ == "configure" else data.draw(OPERATIONS),
                    data.draw(st.sampled_from(expectations)),
                    data.draw(st.sampled_from([None, None, "k1", "k2"])),
                    data.draw(st.sampled_from([False] * 7 + [True])) and settings_ != "configure",
                    Retention(max_events=data.draw(st.integers(1, 6))) if settings_ == "retention" else None,
                    data.draw(st.sampled_from([5.0, 20.0])) if settings_ == "ttl" else None,
                    settings_ == "configure",
                )
            )
        asked = [append.key for append in appends if append.key]
        before = Known(self.head, {key: self.keys[key] for key in asked if key in self.keys})
        epoch_of_this = self.epoch()
        change, answers = rules.decide(before, appends, self.now, b"id", lambda: epoch_of_this)
        base = len(self.texts)
        expected = [self.accept(append) for append in appends]
        told = []
        for answer in answers:
            if isinstance(answer, Appended):
                assert answer.first.epoch == answer.last.epoch == self.current()
                told.append(("duplicate" if answer.duplicate else "appended", answer.first.n, answer.last.n))
            else:
                told.append(("closed" if isinstance(answer, Closed) else "conflict", 0, 0))
        assert told == expected
        assert (change is None) == all(what != "appended" for what, _, _ in told)
        self.write(change)
        if len(self.texts) > base:
            self.boundaries.append((len(self.texts), self.now))
            assert change is not None
            assert change.record is not None
            assert (change.record.base, change.record.last) == (base, len(self.texts))

    @rule(chunk=st.integers(1, 5))
    def trim(self, chunk: int) -> None:
        self.expire()
        if not (self.alive and self.head):
            return
        while (trimmed := rules.trim_point(self.head, self.records[:chunk], self.now)) is not None:
            assert (trimmed.start, trimmed.oldest) > (self.head.start, self.head.oldest)
            self.write(Change(trimmed))
            assert self.head is not None
        while len([end for end, _ in self.boundaries if end > self.start]) > 1 and (
            self.limits.max_events is not None and len(self.texts) - self.start > self.limits.max_events
        ):
            self.start = min(end for end, _ in self.boundaries if end > self.start)

    @rule()
    def delete(self) -> None:
        self.write(Change(None))
        self.end()

    @rule(data=st.data(), limit=st.integers(1, 5), behind=st.integers(0, 3))
    def read(self, data: st.DataObject, limit: int, behind: int) -> None:
        """From anywhere that ever was, to the end: all that is there, in order, and told what is not."""
        self.expire()
        if not self.alive or not self.head:
            return
        n = data.draw(st.integers(0, len(self.texts) + 1))
        afters = [None, ORIGIN, *(Offset(epoch, n) for epoch in self.lives)]
        after = data.draw(st.sampled_from(afters))
        reason: Lost | None = None
        at = self.start if after in (None, ORIGIN) else n
        if after == ORIGIN:
            reason = "trimmed" if self.start else None
        elif after is not None:
            if after.epoch != self.current() or n > len(self.texts):
                at, reason = self.start, "recreated"
            elif n < self.start:
                at, reason = self.start, "trimmed"
        found: list[tuple[str, str]] = []
        begin = at
        while True:
            n_read, lost = rules.position(self.head, after)
            first = next((i for i, record in enumerate(self.records) if record.last > n_read), len(self.records))
            page = rules.page(self.head, self.records[max(0, first - behind) :], n_read, lost, limit)
            assert page.lost == reason
            assert len(page.events) <= limit
            assert [event.offset for event in page.events] == [
                Offset(self.current() or "", at + m) for m in range(1, len(page.events) + 1)
            ]
            found += [(event.type, event.data) for event in page.events]
            at += len(page.events)
            assert page.next == Offset(self.current() or "", at)
            assert page.earliest.n == self.start + 1
            assert page.tail.n == len(self.texts)
            assert page.closed == self.closed
            assert page.up_to_date == (at == len(self.texts))
            if page.up_to_date:
                break
            assert page.events
            after, reason = page.next, None
        assert found == self.texts[begin:]

    @precondition(lambda self: self.alive)
    @invariant()
    def the_head_says_what_is_there(self) -> None:
        head = self.head
        if head is None or (self.ttl is not None and self.now >= self.touched + self.ttl):
            return
        assert (head.epoch, head.start, head.tail) == (self.current(), self.start, len(self.texts))
        assert (head.closed, head.touched, head.ttl, head.retention) == (
            self.closed,
            self.touched,
            self.ttl,
            self.limits,
        )
        assert head.size == sum(len(record.blob) for record in self.records)
        assert self.keys == self.seen
        kept = [time for end, time in self.boundaries if end > self.start]
        assert not kept or head.oldest == kept[0]


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=100, stateful_step_count=40)
