"""PURE: the judgement of a rule. Given its state, and then an event or a second, it returns the facts that follow."""

from __future__ import annotations

import math
from collections.abc import Iterable
from heapq import heappop, heappush

import msgspec

from . import facts
from .facts import Changed, Condition, Fact
from .fold import ON, Instance, State, take
from .rule import Rule, at_path, instance_of, number
from .settling import NEVER, OTHERS, Settling
from .silences import Silences
from .window import Reading, Window

MOST = 1_000
"""Instances of a rule. All further values of `by` are the instance OTHERS."""

BAD_EVERY = 60.0
"""Seconds between two facts that count the bad values of a rule."""


class Judgement:
    """The judgement of one rule: its state, which the returned facts have changed already, and its readings.

    Times are given in order; a time before an earlier one counts as that one. `since`: the time from which on some
    process has judged the rule without a gap; `now`: the time up to which the rule is judged. The judgement looks at
    the instance of each event, and at each second at which a state may change without an event. Further looks would
    change no state.
    """

    def __init__(self, id: str, state: State, since: float, silences: Silences | None = None, now: float = 0.0) -> None:
        self.id = id
        self.state = state
        self.since: float = since
        self.now: float = max(since, now)
        self.asleep: bool = False
        self._slept = since
        self.readings: dict[str, Reading] = {}
        self.bad: int = state.bad
        self._rule: Rule | None = state.judged
        self._bad_since: float | None = None
        self._good_at = -math.inf
        self._bad_told = since - BAD_EVERY
        self._bad_offset: str | None = None
        self._heap: list[tuple[float, str]] = []
        self._due: dict[str, float] = {}
        self._broken_at = NEVER
        self._facts: list[Fact] = []
        self.settling: Settling = Settling(id, state, silences or Silences(), self._emit)
        self._begin()

    def _begin(self) -> None:
        rule = self._rule
        self.readings, self._heap, self._due = {}, [], {}
        self._bad_since, self._good_at = None, -math.inf
        self._broken_at = NEVER
        if rule is not None:
            for name in ("", *self.state.instances) if rule.by is None else self.state.instances:
                self._restore(name, self.state.instances.get(name))
        self.settling.stir(self.now)

    def _restore(self, name: str, known: Instance | None) -> None:
        """Make the reading of an instance whose state is known. The instance's last value led to this state."""
        reading = self._reading(name)
        if known is None or self._rule is None:
            return
        if reading.window is None and known.state in ("pending", "recovering") and known.value is not None:
            reading.value, reading.at = known.value, known.since
        reading.steady = known.since if known.state == "recovering" else None
        self._schedule(name, reading)

    # Events, seconds and facts, in the order of their times.

    def event(self, at: float, offset: str, data: object) -> list[Fact]:
        """Judge an event. `data` is the event's JSON value; any other object counts as no value."""
        self._until(at, before=True)
        rule = self._rule
        if rule is not None:
            self._take(rule, self.now, offset, data, look=True)
            self._settle()
        return self._done()

    def fill(self, at: float, data: object) -> None:
        """Add an event that another process, or an earlier one, has judged to the windows."""
        self.now = max(self.now, at)
        if self._rule is not None:
            self._take(self._rule, at, None, data, look=False)

    def second(self, at: float) -> list[Fact]:
        """Judge all changes without an event up to a second."""
        self._until(at, before=False)
        if self._rule is not None or self.state.ended:
            self._tell_bad()
            self._settle()
        return self._done()

    def changed(self, fact: Fact, at: float) -> list[Fact]:
        """Apply a fact that a person has stored: the rule saved or deleted, or episodes acknowledged."""
        self._until(at, before=True)
        take(self.state, fact, at)
        if self.state.stale is not None:
            self._end_all(self.state.stale)
        if isinstance(fact, facts.RuleSaved | facts.RuleDeleted) and self.state.judged != self._rule:
            before, self._rule = self._rule, self.state.judged
            same = before is not None and self._rule is not None and before.condition() == self._rule.condition()
            if not same:
                self.bad = 0
                self.since = max(self.since, self.state.began)
                self._begin()
        self.settling.stir(self.now)
        self._settle()
        return self._done()

    def begin(self) -> list[Fact]:
        """End episodes that were outdated while no process judged: the rule was changed, paused or deleted."""
        if self.state.stale is not None:
            self._end_all(self.state.stale)
            self._settle()
        return self._done()

    def silenced(self, silences: Silences, at: float) -> list[Fact]:
        """Send the notices that are due now that a silence has begun or ended."""
        self._until(at, before=True)
        self.settling.silences = silences
        self.settling.stir(self.now)
        self._settle()
        return self._done()

    def sleep(self, at: float) -> None:
        """Begin a gap in which no process judges. Events of the gap are judged later, from the log; seconds are not."""
        self.now = self._slept = max(self.now, at)
        self.asleep = True

    def wake(self, at: float) -> list[Fact]:
        """End the gap. A clock of `for` or `keep` goes on only if the log has an event of the instance in the gap, or
        no second was missed."""
        self.asleep = False
        self.now = self.since = max(self.now, at)
        missed = math.floor(self.now) > self._slept
        for name, one in list(self.state.instances.items()) if missed else ():
            reading = self.readings.get(name)
            if reading is not None and one.state in ("pending", "recovering") and reading.event_at <= self._slept:
                reading.steady = self.now if one.state == "recovering" else None
                self._go(name, one, one.state, one.value, None, "resumed")
        for name, reading in self.readings.items():
            self._schedule(name, reading)
        self.settling.stir(self.now)
        return self._done()

    @property
    def due(self) -> float:
        """The next second at which a state may change without an event; infinite if there is none."""
        bad = self._bad_told + BAD_EVERY if self.bad != self.state.bad else NEVER
        due = min(self._heap[0][0] if self._heap else NEVER, self.settling.due, self._broken_at, bad)
        return math.ceil(due) if due < NEVER else NEVER

    def _done(self) -> list[Fact]:
        made, self._facts = self._facts, []
        return made

    def _emit(self, fact: Fact) -> None:
        self._facts.append(fact)
        take(self.state, fact, self.now)

    # Looks.

    def _until(self, at: float, *, before: bool) -> None:
        """Look at each due second up to `at`. `before`: leave out `at` itself, because its events come first."""
        while not self.asleep and (due := self.due) <= at and not (before and due >= at):
            self.now = max(self.now, due)
            for name in self._names(due):
                self._look(name, self.now, None)
            self._tell_bad()
            self._settle()
        self.now = max(self.now, at)

    def _names(self, at: float) -> Iterable[str]:
        while self._heap and self._heap[0][0] <= at:
            due, name = heappop(self._heap)
            if self._due.get(name) == due:
                del self._due[name]
                yield name

    def _take(self, rule: Rule, at: float, offset: str | None, data: object, *, look: bool) -> None:
        named = "" if rule.by is None else instance_of(at_path(data, rule.by))
        value = (
            1.0 if rule.field is None and (rule.counts or rule.kind == "absence") else number(at_path(data, rule.field))
        )
        if named is None or value is None:
            self._bad(rule, at, offset)
            if named is None or rule.kind != "absence":
                return
        name = named if named in self.readings or len(self.readings) < MOST else OTHERS
        reading = self._reading(name)
        reading.event_at = max(reading.event_at, at)
        if value is not None:
            reading.value, reading.at = value, at
            self._good_at, self._bad_since = at, None
            if reading.window is not None:
                reading.window.add(at, value)
            if look and self.state.broken is not None:
                self._mend(self.state.broken, None)
        if look:
            self._look(name, at, offset)
        else:
            self._schedule(name, reading)

    def _bad(self, rule: Rule, at: float, offset: str | None) -> None:
        if offset is not None:
            self.bad += 1
            self._bad_offset = offset
        self._bad_since = at if self._bad_since is None else self._bad_since
        if rule.no_data is not None:
            self._broken_at = self._silent_from(self._good_at) + rule.no_data

    def _reading(self, name: str) -> Reading:
        reading = self.readings.get(name)
        if reading is None:
            rule = self._rule
            assert rule is not None
            reading = Reading(None if rule.window is None else Window(rule.window, rule.aggregation))
            self.readings[name] = reading
            self._schedule(name, reading)
        return reading

    def _silent_from(self, last: float) -> float:
        """The time from which a silence counts: the last event, the rule's beginning, or that of judging."""
        return max(last, self.state.began, self.since)

    def _value(self, rule: Rule, reading: Reading, at: float) -> float | None:
        if rule.kind == "absence":
            return at - self._silent_from(reading.event_at)
        if reading.window is not None:
            if rule.counts and rule.below is not None and at < max(self.state.began, self.since) + (rule.window or 0.0):
                return None  # the window was not watched from its beginning, so its count would be too low
            return reading.window.value(at)
        return None if self._is_silent(rule, reading, at) else reading.value

    def _is_silent(self, rule: Rule, reading: Reading, at: float) -> bool:
        return rule.no_data is not None and at - self._silent_from(reading.at) >= rule.no_data

    def _look(self, name: str, at: float, offset: str | None) -> None:
        rule = self._rule
        assert rule is not None
        reading = self.readings[name]
        value = self._value(rule, reading, at)
        one = self.state.instances.get(name)
        if value is None:
            self._look_at_nothing(rule, name, one, self._is_silent(rule, reading, at))
        elif rule.breach(value):
            reading.steady = None
            self._breach(rule, name, one, value, offset)
        elif rule.is_clear(value):
            self._clear(rule, name, one, value, offset)
        else:
            reading.steady = None
            self._between(name, one, value, offset)
        self._schedule(name, reading)

    def _look_at_nothing(self, rule: Rule, name: str, one: Instance | None, silent: bool) -> None:
        self.readings[name].steady = None
        reason = "no data" if silent else None
        if one is not None and one.state == "pending":
            self._go(name, one, "normal", None, None, reason)
            one = None
        if silent and one is not None and one.state in ON and rule.on_no_data == "ok":
            self._go(name, one, "normal", None, None, reason)
        elif silent and one is None and rule.on_no_data == "notify" and not self._is_broken(rule):
            self._go(name, None, "no_data", None, None, None)

    def _breach(self, rule: Rule, name: str, one: Instance | None, value: float, offset: str | None) -> None:
        one = self._has_data(name, one, value, offset)
        if one is None:
            self._go(name, one, "pending" if rule.for_ else "firing", value, offset)
        elif one.state == "recovering" or (one.state == "pending" and self.now - one.since >= rule.for_):
            self._go(name, one, "firing", value, offset)

    def _clear(self, rule: Rule, name: str, one: Instance | None, value: float, offset: str | None) -> None:
        one = self._has_data(name, one, value, offset)
        reading = self.readings[name]
        if one is None:
            return
        if one.state == "pending" or (one.state == "firing" and not rule.keep):
            self._go(name, one, "normal", value, offset)
        elif one.state == "firing":
            reading.steady = self.now
            self._go(name, one, "recovering", value, offset)
        elif one.state == "recovering":
            reading.steady = self.now if reading.steady is None else reading.steady
            if self.now - reading.steady >= rule.keep:
                self._go(name, one, "normal", value, offset)

    def _between(self, name: str, one: Instance | None, value: float, offset: str | None) -> None:
        one = self._has_data(name, one, value, offset)
        if one is not None and one.state == "pending":
            self._go(name, one, "normal", value, offset)
        elif one is not None and one.state == "recovering":
            self._go(name, one, "firing", value, offset)

    def _has_data(self, name: str, one: Instance | None, value: float, offset: str | None) -> Instance | None:
        if one is not None and one.state == "no_data":
            self._go(name, one, "normal", value, offset)
            return None
        return one

    def _go(
        self,
        name: str,
        one: Instance | None,
        state: Condition,
        value: float | None,
        offset: str | None,
        reason: str | None = None,
    ) -> None:
        """Change the state of an instance."""
        assert self._rule is not None
        episode = one.episode if one is not None else ""
        if not episode and state in ("firing", "no_data"):
            episode = self._episode(name, state, offset)
        was: Condition = "normal" if one is None else one.state
        about = Changed(instance=name, was=was, state=state, at=self.now, value=value, limit=self._rule.limit)
        self._emit(msgspec.structs.replace(about, episode=episode or None, offset=offset, reason=reason))
        self.settling.touch(name)

    def _episode(self, instance: str, state: str, offset: str | None) -> str:
        return facts.episode_id(self.id, instance, state, offset or str(int(self.now)))

    def _end_all(self, reason: str) -> None:
        """End every episode, because the rule that began them is no longer judged."""
        rule, self._rule = self._rule, self._rule or self.state.rule
        if self.state.broken is not None:
            self._mend(self.state.broken, reason)
        for name, one in list(self.state.instances.items()):
            self._go(name, one, "normal", None, None, reason)
        self._rule = rule
        self.settling.stir(self.now)

    def _schedule(self, name: str, reading: Reading) -> None:
        """Schedule the next look that may change a state. An earlier look stays scheduled, which is harmless."""
        self._file(name, self._next(name, reading))

    def _file(self, name: str, due: float) -> None:
        if due < self._due.get(name, NEVER):
            self._due[name] = due
            heappush(self._heap, (due, name))

    def _next(self, name: str, reading: Reading) -> float:
        rule, one = self._rule, self.state.instances.get(name)
        assert rule is not None
        times: list[float] = []
        if one is not None and one.state == "pending":
            times.append(one.since + rule.for_)
        if one is not None and one.state == "recovering":
            times.append((self.now if reading.steady is None else reading.steady) + rule.keep)
        if rule.kind == "absence":
            times.append(self._silent_from(reading.event_at) + rule.limit)
        elif reading.window is not None:
            if (oldest := reading.window.oldest) is not None:
                times.append(oldest + (rule.window or 0.0))
            if rule.counts and rule.below is not None:
                times.append(max(self.state.began, self.since) + (rule.window or 0.0))
        if rule.no_data is not None:
            times.append(self._silent_from(reading.at) + rule.no_data)
        after = [due for time in times if (due := math.ceil(time)) > self.now]
        return min(after, default=NEVER)

    # Bad values.

    def _mend(self, broken: Instance, reason: str | None) -> None:
        """End the rule's state `broken`, and look at all instances: those without data were not reported meanwhile."""
        self._emit(Changed(was="broken", state="normal", at=self.now, episode=broken.episode, reason=reason))
        self.settling.stir(self.now)
        for name in self.readings:
            self._file(name, math.ceil(self.now))

    def _is_broken(self, rule: Rule) -> bool:
        silent = rule.no_data is not None and self.now - self._silent_from(self._good_at) >= rule.no_data
        return self.state.broken is not None or (silent and self._bad_since is not None)

    def _tell_bad(self) -> None:
        """Store the count of bad values, at most once a minute, because there may be thousands of them."""
        if self.bad != self.state.bad and self.now >= self._bad_told + BAD_EVERY:
            self._bad_told = self.now
            self._emit(facts.BadValues(count=self.bad, at=self.now, offset=self._bad_offset))

    def _settle(self) -> None:
        """Change the rule's state to `broken` if it is, and send the notices that are due."""
        rule = self._rule
        if rule is not None and self.now >= self._broken_at:
            self._broken_at = NEVER
            if self.state.broken is None and self._is_broken(rule):
                episode = self._episode("", "broken", None)
                self._emit(Changed(was="normal", state="broken", at=self.now, episode=episode))
                self.settling.stir(self.now)
        self.settling.settle(self.now)
