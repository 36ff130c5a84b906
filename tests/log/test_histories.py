"""Random histories of a topic, by the rules of the log, against a simple model of the topic."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from msgspec import UNSET

from tidings.errors import Closed
from tidings.events import ORIGIN, REDACTED, Lost, Offset, Retention
from tidings.log import reading, records, retention, rules
from tidings.log.head import REMEMBERED, Change, Head, Known
from tidings.log.records import Record
from tidings.log.rules import NEW, Append, Appended

OPERATIONS = st.lists(st.tuples(st.sampled_from(["m", "other"]), st.text(max_size=3)), max_size=4)


class Histories(RuleBasedStateMachine):
    """A topic as an engine would keep it, and beside it a model: the lives, and the events of the last one."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        # As an engine keeps it.
        self.head: Head | None = None
        self.records: list[Record] = []
        self.keys: dict[str, tuple[int, int]] = {}
        # The model.
        self.lives: list[str] = []  # every epoch that there was
        self.shared: dict[str, int] = {}  # earlier epochs of the present log, which was restored, and up to where
        self.owner = ""
        self.redacted: list[tuple[int, str]] = []
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
        for new in change.replaced:
            self.records = [new if record.base == new.base else record for record in self.records]
        self.records += change.records
        self.keys.update((key, (first, last)) for key, first, last in change.keys)
        self.head = change.head

    # And to the model's.

    def expire(self) -> None:
        if self.alive and self.ttl is not None and self.now >= self.touched + self.ttl:
            self.end()

    def end(self) -> None:
        self.alive, self.texts, self.start, self.closed, self.seen = False, [], 0, False, {}
        self.shared, self.redacted = {}, []
        self.ttl, self.limits, self.boundaries = None, Retention(), []

    def accept(self, append: Append) -> tuple[str, int, int]:
        """Answer as the model does: (outcome, first, last)."""
        if self.alive and append.key in self.seen:
            return ("duplicate", *self.seen[append.key or ""])
        if append.expected is NEW and self.alive:
            return "conflict", 0, 0
        if isinstance(append.expected, Offset) and not (
            append.expected.n == len(self.texts) and self.valid(append.expected)
        ):
            return "conflict", 0, 0
        if isinstance(append.expected, str) and not self.valid(Offset(append.expected, 0)):
            return "conflict", 0, 0
        if self.closed and not append.configure:
            return "closed", 0, 0
        if not self.alive:
            self.alive = True
            self.lives.append(self.epoch())
            self.owner, self.limits = append.owner, append.default or Retention()
        first = len(self.texts) + 1 if append.items else len(self.texts)
        self.texts += append.items
        self.closed |= append.close
        self.touched = self.now
        if append.retention is not UNSET:
            self.limits = append.retention or Retention()
        if append.ttl is not UNSET:
            self.ttl = append.ttl
        if append.key:
            self.seen[append.key] = first, len(self.texts)
        return "appended", first, len(self.texts)

    def current(self) -> str | None:
        return self.lives[-1] if self.alive else None

    def valid(self, offset: Offset) -> bool:
        """Tell whether an offset is of the present log, or of what it shares with an earlier life."""
        return self.alive and (offset.epoch == self.current() or offset.n <= self.shared.get(offset.epoch, -1))

    # Rules.

    @rule(by=st.floats(0.1, 10.0))
    def time_passes(self, by: float) -> None:
        self.now += by

    @rule(data=st.data(), number=st.integers(1, 3))
    def append(self, data: st.DataObject, number: int) -> None:
        """Append several at once: they become one change, and are answered as if one came after another."""
        self.expire()
        expectations: list[Any] = [None, None, None, NEW, "wrong1", Offset("wrong1", 0), ORIGIN]
        if epoch := self.current():
            expectations += [epoch, epoch, Offset(epoch, len(self.texts)), Offset(epoch, len(self.texts) + 1)]
            expectations += [*self.shared, *(Offset(old, len(self.texts)) for old in self.shared)]
        appends = []
        for _ in range(number):
            configure = data.draw(st.sampled_from([False] * 4 + [True]))
            limits = st.builds(Retention, st.none() | st.just(5.0), st.integers(1, 6) | st.none(), st.none())
            appends.append(
                Append(
                    [] if configure else data.draw(OPERATIONS),
                    data.draw(st.sampled_from(expectations)),
                    data.draw(st.sampled_from([None, None, "k1", "k2"])),
                    data.draw(st.sampled_from([False] * 7 + [True])) and not configure,
                    data.draw(st.sampled_from([UNSET, UNSET, None]) | limits),
                    data.draw(st.sampled_from([UNSET, UNSET, None, 5.0, 20.0])),
                    configure,
                    data.draw(st.sampled_from(["", "ada", "bob"])),
                    data.draw(st.none() | limits),
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
            assert [(record.base, record.last) for record in change.records] == [(base, len(self.texts))]

    @rule(chunk=st.integers(1, 5))
    def trim(self, chunk: int) -> None:
        self.expire()
        if not (self.alive and self.head):
            return
        while (trimmed := retention.trimmed(self.head, self.records[:chunk], self.now)) is not None:
            assert (trimmed.start, trimmed.oldest, trimmed.single) > (self.head.start, self.head.oldest, False)
            self.write(Change(trimmed))
            assert self.head is not None
        while len(kept := [each for each in self.boundaries if each[0] > self.start]) > 1 and (
            (self.limits.max_events is not None and len(self.texts) - self.start > self.limits.max_events)
            or (self.limits.max_age is not None and self.now >= kept[0][1] + self.limits.max_age)
        ):
            self.start = kept[0][0]
        due = retention.due(self.head)
        assert due is None or due > self.now

    @rule(data=st.data())
    def redact(self, data: st.DataObject) -> None:
        self.expire()
        if self.head is None or not self.alive or self.start == len(self.texts):
            return
        n = data.draw(st.integers(self.start + 1, len(self.texts)))
        record = next(record for record in self.records if record.last >= n)
        change = rules.redact(self.head, [record], [n])
        type, _ = self.texts[n - 1]
        if type == REDACTED:
            assert change is None
            return
        self.redacted.append((n, type))
        offset = Offset(self.current() or "", n)
        self.texts[n - 1] = REDACTED, records.redacted_event("t", offset, type, 0.0).data
        assert change
        assert [each[:3] for each in change.replaced] == [record[:3]]
        self.write(change)

    @rule(data=st.data())
    def restore(self, data: st.DataObject) -> None:
        """Go back to how the log was, with its head as it is: what a backup gives, and what was lost since."""
        self.expire()
        if self.head is None or not self.alive:
            return
        restored = self.head.restored()
        for old in self.shared:
            self.shared[old] = min(self.shared[old], len(self.texts))
        self.shared[self.current() or ""] = len(self.texts)
        self.lives.append(restored.epoch)
        self.write(Change(restored))
        fold = dict.fromkeys(self.redacted)
        for n, type in fold:
            offset = Offset(restored.epoch, n)
            self.texts[n - 1] = REDACTED, records.redacted_event("t", offset, type, 0.0).data

    @rule()
    def delete(self) -> None:
        self.write(Change(None))
        self.end()

    @rule(data=st.data(), limit=st.integers(1, 5), behind=st.integers(0, 3))
    def read(self, data: st.DataObject, limit: int, behind: int) -> None:
        """Read from any place that ever was to the end: all that is there, in order, and the reason for what is not."""
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
            if not self.valid(after) or n > len(self.texts):
                at, reason = self.start, "recreated"
            elif n < self.start:
                at, reason = self.start, "trimmed"
        got: list[tuple[str, str]] = []
        begin = at
        while True:
            n_read, lost = reading.position(self.head, after)
            first = next((i for i, record in enumerate(self.records) if record.last > n_read), len(self.records))
            page = reading.page("t", self.head, self.records[max(0, first - behind) :], n_read, lost, limit)
            assert page.lost == reason
            assert len(page.events) <= limit
            assert [event.offset for event in page.events] == [
                Offset(self.current() or "", at + m) for m in range(1, len(page.events) + 1)
            ]
            assert all(event.redacted == (event.type == REDACTED) for event in page.events)
            got += [(event.type, event.data) for event in page.events]
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
        assert got == self.texts[begin:]

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
        assert head.owner == self.owner
        assert dict(head.lives) == self.shared
        assert (head.redactions, head.redacted) == (len(self.redacted), tuple(self.redacted[-REMEMBERED:]))
        assert head.size == sum(len(record.blob) for record in self.records)
        assert self.keys == self.seen
        kept = [time for end, time in self.boundaries if end > self.start]
        assert not kept or head.oldest == kept[0]


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=100, stateful_step_count=40)
