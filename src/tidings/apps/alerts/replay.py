"""PURE: the replay of a rule over given steps, which yields the rule's transitions and notices.

A file of steps is JSON lines. The first is a rule; each other one is a step at a time `t`, in seconds, in order:
`{"t": 5, "data": 61}` is an event; `{"t": 9, "do": "edit", "rule": {…}}`, `pause`, `resume`, `delete`, `silence` (with
`until`, and `instances`), `ack`, `down` and `up` are what people and processes do; `{"t": 30}` is a look, up to which
the rule is judged. The rule begins at the time of the first step.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal

import msgspec

from tidings.errors import InvalidRequest
from tidings.events import shown

from . import facts
from .facts import Fact
from .fold import State, take
from .judgement import Judgement
from .rule import Rule, parse, shown_error
from .silences import Silence, Silences

MANY = 100_000
"""Steps of one file."""

Do = Literal["edit", "pause", "resume", "delete", "silence", "ack", "down", "up"]


class Step(msgspec.Struct, forbid_unknown_fields=True):
    """A line of a file: an event, an action of a person or a process, or a look."""

    t: float
    data: Any = msgspec.UNSET
    do: Do | None = None
    rule: Any = None
    until: float | None = None
    instances: list[str] | None = None


def read(text: str) -> tuple[Rule, list[Step]]:
    """Return the rule and the steps of a file. Raises InvalidRequest, which names the line."""
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if not lines:
        raise InvalidRequest("The file is empty. Its first line is a rule, and each other one a step.")
    if len(lines) > MANY:
        raise InvalidRequest(f"A file has at most {MANY:,} steps.")
    steps: list[Step] = []
    number = lines[0][0]
    try:
        rule = parse(msgspec.json.decode(lines[0][1]))
        for number, line in lines[1:]:  # noqa: B007 - a refusal names it
            step = msgspec.json.decode(line, type=Step)
            if steps and step.t < steps[-1].t:
                raise InvalidRequest("its time is before that of the step before")
            if step.do == "edit":
                step.rule = parse(step.rule)
            steps.append(step)
    except InvalidRequest as error:
        raise InvalidRequest(f"Line {number}: {error}") from None
    except msgspec.ValidationError as error:
        raise InvalidRequest(f"Line {number}: {shown_error(error)}.") from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidRequest(f"Line {number} is not JSON: {shown(str(error))}.") from None
    return rule, steps


def replay(rule: Rule, steps: Iterable[Step], id: str = "replay", began: float = 0.0) -> Iterator[Fact]:
    """Yield the transitions and notices of a rule that begins at a time. Nothing else is yielded."""
    play = _Play(id, rule, began)
    for number, step in enumerate(steps, 1):
        for fact in play.step(step, f"r-{number}"):
            if isinstance(fact, facts.Changed | facts.Notice):
                yield fact


class _Play:
    """A rule, its log, and the process that judges it."""

    def __init__(self, id: str, rule: Rule, began: float) -> None:
        self.id = id
        self.log: list[tuple[Fact, float]] = [(facts.RuleSaved(rule=rule), began)]
        self.events: list[tuple[float, str, Any]] = []
        self.silences = Silences()
        self.judgement: Judgement | None = self._judge(began)
        self.judged = began

    def _judge(self, since: float) -> Judgement:
        state = State()
        for fact, at in self.log:
            take(state, fact, at)
        return Judgement(self.id, state, since, self.silences)

    def step(self, step: Step, offset: str) -> list[Fact]:
        made: list[Fact] = []
        if step.do == "up":
            made = self._up(step.t)
        elif step.do == "down":
            made = self._seconds(step.t)
            self.judgement, self.judged = None, step.t
        elif step.do is not None:
            made = self._do(step)
        elif step.data is not msgspec.UNSET:
            self.events.append((step.t, offset, step.data))
            made = self.judgement.event(step.t, offset, step.data) if self.judgement else []
        else:
            made = self._seconds(step.t)
        self.log += [(fact, step.t) for fact in made]
        return made

    def _seconds(self, at: float) -> list[Fact]:
        return self.judgement.second(at) if self.judgement else []

    def _up(self, at: float) -> list[Fact]:
        """Start another process: it folds the state from the log, and judges the events of the gap."""
        self.judgement = self._judge(self.judged)
        for time, _, data in self.events:
            if time <= self.judged:
                self.judgement.fill(time, data)
        self.judgement.sleep(self.judged)
        made: list[Fact] = []
        for time, offset, data in self.events:
            if time > self.judged:
                made += self.judgement.event(time, offset, data)
        return made + self.judgement.wake(at)

    def _do(self, step: Step) -> list[Fact]:
        if step.do == "silence":
            end = step.t + 3600 if step.until is None else step.until
            self.silences.all.append(Silence(id=str(step.t), began=step.t, until=end, instances=step.instances))
            return self.judgement.silenced(self.silences, step.t) if self.judgement else []
        state = self.judgement.state if self.judgement else self._judge(step.t).state
        assert state.rule is not None
        fact: Fact
        if step.do == "ack":
            fact = facts.Acknowledged(episodes=[one.episode for one in state.instances.values() if one.episode])
        elif step.do == "delete":
            fact = facts.RuleDeleted()
        else:
            paused = step.do == "pause"
            rule = step.rule if step.do == "edit" else msgspec.structs.replace(state.rule, paused=paused)
            fact = facts.RuleSaved(rule=rule)
        self.log.append((fact, step.t))
        return self.judgement.changed(fact, step.t) if self.judgement else []
