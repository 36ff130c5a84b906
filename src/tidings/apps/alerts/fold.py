"""PURE: the state of a rule, folded from its topic: the rule itself, the instances that are not normal, and what must
still be told."""

from __future__ import annotations

from heapq import heappop, heappush

import msgspec

from tidings.errors import InvalidRequest
from tidings.events import Event

from . import facts
from .facts import Condition, NoticeKind, Told
from .rule import Rule

VERSION = 4
"""The version of this fold: see Projections."""

HISTORY = 100
"""Transitions and notices that a state holds: the last ones."""

GATHERED = 10.0
"""Seconds after its beginning for which an episode that is over, and was not told, may still be told with its group."""

ON: frozenset[Condition] = frozenset({"firing", "recovering"})
"""The states within an episode."""


class Instance(msgspec.Struct, omit_defaults=True):
    """An instance that is not normal. `since`: where the clock of `for` or `keep` began; `began`: the episode's
    beginning; `told`: its first notice was sent, the last one at `last`."""

    state: Condition
    since: float
    value: float | None = None
    episode: str = ""
    began: float = 0.0
    offset: str | None = None
    told: bool = False
    last: float = 0.0
    acknowledged: str | None = None
    note: str = ""


class Ended(msgspec.Struct, omit_defaults=True):
    """An ended episode whose end has had no notice yet."""

    instance: str
    episode: str
    kind: NoticeKind
    value: float | None
    began: float
    at: float
    told: bool
    offset: str | None = None
    reason: str | None = None


class Entry(msgspec.Struct, omit_defaults=True):
    """A transition or a notice of the history. `time`: when the log took it, in Unix seconds."""

    offset: str
    type: str
    time: float
    fact: msgspec.Raw


class State(msgspec.Struct):
    """The state of a rule; `rule` is None before it is saved. `began`: the time since which its condition holds.
    `topics`: those that it watches or has watched, each of which its history may show.

    `stale`: the reason for which all episodes are to end before anything else is judged. `offset`: the last event whose
    judgement changed something; `second`: the last second whose judgement did. `bad`: events without a value.
    `ended`: the ended episodes that are to be told of, in the order of their ends; `untold`: a heap of those without a
    first notice, by their beginnings. `unsent`: notices that have not been handed on.
    """

    rule: Rule | None = None
    topics: list[str] = []
    author: str = ""
    saved: float = 0.0
    by: str = ""
    began: float = 0.0
    deleted: bool = False
    stale: str | None = None
    offset: str | None = None
    second: float = 0.0
    instances: dict[str, Instance] = {}
    broken: Instance | None = None
    ended: dict[str, Ended] = {}
    untold: list[tuple[float, str]] = []
    bad: int = 0
    bad_at: float = 0.0
    bad_offset: str | None = None
    unsent: list[facts.Notice] = []
    history: list[Entry] = []

    @property
    def judged(self) -> Rule | None:
        """The rule, if it is judged now."""
        rule = self.rule
        return None if rule is None or rule.paused or self.deleted else rule

    def condition(self) -> Condition:
        """The worst state of an instance."""
        found = {one.state for one in self.instances.values()}
        for state in ("firing", "recovering"):
            if state in found:
                return state
        if self.broken is not None:
            return "broken"
        return "no_data" if "no_data" in found else "pending" if "pending" in found else "normal"


def apply(state: State, event: Event) -> None:
    """Change the state by the next event of the topic."""
    try:
        fact = facts.read(event.type, event.data)
    except InvalidRequest:
        return
    take(state, fact, event.time)
    if isinstance(fact, facts.Changed | facts.Notice | facts.Acknowledged | facts.RuleSaved):
        state.history.append(Entry(str(event.offset), event.type, event.time, msgspec.Raw(event.data.encode())))
        del state.history[:-HISTORY]


def take(state: State, fact: facts.Fact, at: float) -> None:
    """Change the state by a fact, which the log took at `at`."""
    match fact:
        case facts.RuleSaved():
            _saved(state, fact, at)
        case facts.RuleDeleted():
            state.deleted = True
            _outdate(state, "rule deleted")
        case facts.Changed():
            _changed(state, fact)
        case facts.Notice():
            _noticed(state, fact)
        case facts.Acknowledged():
            episodes = set(fact.episodes)
            for one in _open(state):
                if one.episode in episodes:
                    one.acknowledged, one.note = fact.by, fact.note
        case facts.BadValues():
            state.bad, state.bad_at, state.bad_offset = fact.count, fact.at, fact.offset
        case facts.HandedOn():
            state.unsent = [notice for notice in state.unsent if notice.id not in fact.notices]


def _saved(state: State, fact: facts.RuleSaved, at: float) -> None:
    before, rule = state.rule, fact.rule
    if before is None:
        state.author, state.began = fact.by, at
    elif before.condition() != rule.condition():
        _outdate(state, "rule changed")
        state.began, state.bad, state.offset = at, 0, None
    elif rule.paused and not before.paused:
        _outdate(state, "paused")
    elif before.paused and not rule.paused:
        state.began = at
    if rule.topic not in state.topics:
        state.topics.append(rule.topic)
    state.rule, state.saved, state.by, state.deleted = rule, at, fact.by, False


def _outdate(state: State, reason: str) -> None:
    """Have every open episode ended before anything else is judged."""
    if state.instances or state.broken is not None:
        state.stale = reason


def _changed(state: State, fact: facts.Changed) -> None:
    if fact.offset is not None:
        state.offset = fact.offset
    else:
        state.second = max(state.second, fact.at)
    _move(state, fact)
    if not state.instances and state.broken is None:
        state.stale = None


def _move(state: State, fact: facts.Changed) -> None:
    since = fact.at if fact.since is None else fact.since
    if fact.state == "broken":
        state.broken = Instance("broken", since, None, fact.episode or "", fact.at, fact.offset)
        return
    if fact.was == "broken":
        if state.broken is not None:
            _end(state, fact, state.broken, "broken")
        state.broken = None
        return
    known = state.instances.get(fact.instance)
    while state.untold and fact.at > state.untold[0][0] + GATHERED:
        _drop(state, *heappop(state.untold))
    if fact.state == "normal":
        if known is not None and known.episode and (known.told or (state.rule is not None and state.rule.by)):
            _end(state, fact, known, "no_data" if fact.was == "no_data" else "fired")
        state.instances.pop(fact.instance, None)
    elif known is not None and known.episode and fact.episode in (None, known.episode):
        known.state, known.since = fact.state, since
    else:
        begins = fact.state in ("firing", "no_data")
        began = fact.at if begins else 0.0
        made = Instance(fact.state, since, fact.value, (fact.episode or "") if begins else "", began, fact.offset)
        state.instances[fact.instance] = made


def _end(state: State, fact: facts.Changed, known: Instance, kind: NoticeKind) -> None:
    """Keep an ended episode until it is told of."""
    about = (fact.value, known.began, fact.at, known.told, known.offset, fact.reason)
    key = known.episode
    while key in state.ended:
        key += "'"  # an episode that began again in the second in which it ended has the same id
    state.ended[key] = Ended(fact.instance, known.episode, kind, *about)
    if not known.told:
        heappush(state.untold, (known.began, key))


def _drop(state: State, began: float, key: str) -> None:
    """Forget an ended episode that is too old for a first notice, unless it has been told of meanwhile."""
    ended = state.ended.get(key)
    if ended is not None and ended.began == began and not ended.told:
        del state.ended[key]


def _noticed(state: State, fact: facts.Notice) -> None:
    episodes = set(fact.episodes)
    if fact.kind == "resolved":
        state.ended = {key: one for key, one in state.ended.items() if one.episode not in episodes}
    else:
        for one in _open(state):
            if one.episode in episodes:
                one.told, one.last = True, fact.at
        for ended in state.ended.values():
            ended.told = ended.told or ended.episode in episodes
    state.unsent.append(fact)


def _open(state: State) -> list[Instance]:
    return [*state.instances.values(), *([state.broken] if state.broken else [])]


def told_of(instance: str, one: Instance) -> Told:
    """Return an open episode as a notice lists it."""
    return Told(instance, one.episode, one.value, one.began, one.offset)


def told_end(one: Ended) -> Told:
    """Return an episode that is over as a notice lists it."""
    return Told(one.instance, one.episode, one.value, one.began, one.offset, one.reason)
