"""PURE: the notices of a rule's episodes: gathered for some seconds, held back by silences, and repeated."""

from __future__ import annotations

import math
from collections.abc import Callable
from heapq import heapify, heappop, heappush, heapreplace
from typing import Literal

from . import facts
from .facts import Condition, Fact, Notice, NoticeKind
from .fold import GATHERED, Ended, Instance, State, told_end, told_of
from .rule import Rule
from .silences import Silence, Silences

OTHERS = "others"
"""The instance that stands for all values of `by` beyond the first 1,000."""

GROUP = 5.0
"""Seconds over which the instances of a rule with `by` are gathered into one notice."""

NEVER = math.inf

MARGIN = 64
"""Times of past states that the heap of times may hold in any case."""


Place = tuple[Literal["open", "ended", "broken"], str]
"""An episode among those of a state: an open one by its instance, an ended one by its key."""


BROKEN: Place = ("broken", "")


class Settling:
    """Sends the notices of one rule. `due`: the next time at which a notice may have to be sent.

    A look at all episodes comes only when one of them may have to be told of. A change before that time costs a look at
    the episode that has changed: a heap has the time of each, at which it may be told of.
    """

    def __init__(self, id: str, state: State, silences: Silences, emit: Callable[[Fact], None]) -> None:
        self.id = id
        self.due: float = NEVER
        self.silences = silences
        self.now: float = 0.0
        self._state = state
        self._emit = emit
        self._holding: list[Silence] = []
        self._begins: float = -NEVER
        self._touched: list[Place] = []
        self._heap: list[tuple[float, Place]] = []

    def stir(self, now: float) -> None:
        """Look at all episodes, at a time: more than the state of an instance has changed."""
        self.due, self._begins = now, -NEVER

    def touch(self, name: str) -> None:
        """Look at an instance whose state has changed, and at the episode that the change may have ended."""
        self._touched.append(("open", name))
        if self._state.ended:
            self._touched.append(("ended", next(reversed(self._state.ended))))

    def settle(self, now: float) -> None:
        """Send the notices that are due."""
        if now < self.due and not self._touched:
            return
        touched, self._touched = self._touched, []
        early, self.now = now < self.due, now
        rule = self._state.rule
        if early and rule is not None and rule.by is not None and not self._state.deleted and now < self._begins:
            for place in touched:
                self._plan(place)
            if (next := self._next()) > now:
                self.due = max(next, math.floor(now) + 1)
                return
        self.due = NEVER
        if now >= self._begins:
            self._select()
        if rule is not None:
            self._tell_ends(rule)
            self._tell_open(rule)  # may send the first notice of an episode that has ended already
            self._tell_ends(rule)
            self._plan_all()

    def _select(self) -> None:
        """Select the silences that hold for the rule, until the next of them begins or one is changed."""
        found = [one for one in self.silences.all if one.rules is None or self.id in one.rules]
        self._holding = [one for one in found if one.until > self.now]
        self._begins = min((one.began for one in self._holding if one.began > self.now), default=NEVER)

    # The times at which episodes may have to be told of.

    def _plan_all(self) -> None:
        places: list[Place] = [("open", name) for name in self._state.instances]
        places += [("ended", key) for key in self._state.ended]
        self._heap = [(time, place) for place in (*places, BROKEN) if (time := self.time_of(place)) < NEVER]
        heapify(self._heap)

    def _plan(self, place: Place) -> None:
        time = self.time_of(place)
        if time < NEVER:
            heappush(self._heap, (time, place))
            if len(self._heap) > 2 * (len(self._state.instances) + len(self._state.ended)) + MARGIN:
                self._plan_all()

    def _next(self) -> float:
        """Return the first time of an episode. Times in the heap may be those of a state before."""
        while self._heap:
            time, place = self._heap[0]
            now = self.time_of(place)
            if now == time:
                return time
            if now == NEVER:
                heappop(self._heap)
            else:
                heapreplace(self._heap, (now, place))
        return NEVER

    def time_of(self, place: Place) -> float:
        """Return the time at which an episode may have to be told of, as it is now; infinite if it need not be."""
        kind, key = place
        if kind == "ended":
            ended = self._state.ended.get(key)
            if ended is None or not (ended.told or self.now <= ended.began + GATHERED):
                return NEVER
            return self._loud(ended.instance, (ended.at if ended.told else ended.began) + GROUP)
        one = self._state.instances.get(key) if kind == "open" else self._state.broken
        if one is None or not one.episode or (one.state == "recovering" and not one.told):
            return NEVER
        if not one.told:
            return self._loud(key, one.began + (GROUP if kind == "open" else 0.0))
        repeat = self._state.rule.repeat if self._state.rule is not None else None
        if one.state != "firing" or one.acknowledged is not None or repeat is None:
            return NEVER
        again = one.last + repeat
        return again if self.now < again else self._loud(key, again)

    def _loud(self, instance: str, time: float) -> float:
        """Return the time, or the end of the silence that holds for an instance now."""
        until = self._silent_until(instance)
        return time if until is None else until

    def soon(self, time: float) -> None:
        """Look again at a time; at the next second if the time has passed."""
        self.due = min(self.due, max(time, math.floor(self.now) + 1))

    def quiet_until(self, instance: str, at: float) -> float | None:
        """Return the time until which a silence holds for an instance; None without one."""
        return self.silences.until(self.id, instance, at)

    def _silent_until(self, instance: str) -> float | None:
        """Return the time until which a silence holds for an instance now; None without one."""
        return Silences(self._holding).until(self.id, instance, self.now) if self._holding else None

    def _quiet(self, instance: str) -> bool:
        """Return True if a silence holds for an instance, and look again when the silence ends."""
        until = self._silent_until(instance)
        if until is not None:
            self.soon(until)
        return until is not None

    def _tell_open(self, rule: Rule) -> None:
        """Send notices of open episodes: the first ones, gathered by kind, and the repeated ones."""
        new: dict[NoticeKind, list[tuple[str, Instance | Ended]]] = {}
        again: list[tuple[str, Instance | Ended]] = []
        instances: list[tuple[str, Instance]] = list(self._state.instances.items())
        if self._state.broken is not None:
            instances.append(("", self._state.broken))
        for name, one in instances:
            if not one.episode or (one.state == "recovering" and not one.told):
                continue
            if not one.told:
                if not self._quiet(name):
                    new.setdefault(_kind(one.state), []).append((name, one))
            elif one.state == "firing" and one.acknowledged is None and rule.repeat is not None:
                if self.now >= one.last + rule.repeat:
                    if not self._quiet(name):
                        again.append((name, one))
                else:
                    self.soon(one.last + rule.repeat)
        for ended in self._state.ended.values():
            if not ended.told and self.now <= ended.began + GATHERED and not self._quiet(ended.instance):
                new.setdefault(ended.kind, []).append((ended.instance, ended))
        for kind, told in new.items():
            first = min(one.began for _, one in told)
            if rule.by is None or kind == "broken" or self.now >= first + GROUP or self._state.deleted:
                self._notify(rule, kind, told)
            else:
                self.soon(first + GROUP)
        if again:
            self._notify(rule, "again", again)

    def _tell_ends(self, rule: Rule) -> None:
        """Send notices of ended episodes. An episode that had no notice at its beginning gets none at its end."""
        owed = [one for one in self._state.ended.values() if one.told and not self._quiet(one.instance)]
        if not owed:
            return
        first = min(one.at for one in owed)
        if rule.by is None or self.now >= first + GROUP or self._state.deleted or owed[0].kind == "broken":
            self._notify(rule, "resolved", [(one.instance, one) for one in owed])
        else:
            self.soon(first + GROUP)

    def _notify(self, rule: Rule, kind: NoticeKind, told: list[tuple[str, Instance | Ended]]) -> None:
        listed = [told_end(one) if isinstance(one, Ended) else told_of(name, one) for name, one in told]
        episodes = [one.episode for one in listed]
        mark = f"{episodes[0]}-{kind}" + (f"-{int(self.now)}" if kind == "again" else "")
        self._emit(
            Notice(
                id=mark,
                kind=kind,
                title=rule.title,
                topic=rule.topic,
                at=self.now,
                limit=rule.limit,
                episodes=episodes,
                instances=listed[: facts.LISTED],
                more=max(0, len(listed) - facts.LISTED),
                others=any(one.instance == OTHERS for one in listed),
                link=self._link(rule),
            )
        )
        if kind != "resolved" and rule.repeat is not None:
            self.soon(self.now + rule.repeat)

    def _link(self, rule: Rule) -> str:
        """Return the link to the card that shows the values, at this time."""
        page = rule.link or f"/a/{self.id}"
        return f"{page}{'&' if '?' in page else '?'}at={int(self.now)}"


def _kind(state: Condition) -> NoticeKind:
    return state if state in ("no_data", "broken") else "fired"
