"""PURE: the notices of a rule's episodes: gathered for some seconds, held back by silences, and repeated."""

from __future__ import annotations

import math
from collections.abc import Callable

from . import facts
from .facts import Condition, Fact, Notice, NoticeKind
from .fold import GATHERED, Ended, Instance, State, told_end, told_of
from .rule import Rule
from .silences import Silences

OTHERS = "others"
"""The instance that stands for all values of `by` beyond the first 1,000."""

GROUP = 5.0
"""Seconds over which the instances of a rule with `by` are gathered into one notice."""

NEVER = math.inf


class Settling:
    """Sends the notices of one rule. `due`: the next time at which a notice may have to be sent."""

    def __init__(self, id: str, state: State, silences: Silences, emit: Callable[[Fact], None]) -> None:
        self.id = id
        self.due: float = NEVER
        self.silences = silences
        self.now: float = 0.0
        self._state = state
        self._emit = emit

    def settle(self, now: float) -> None:
        """Send the notices that are due."""
        if now < self.due:
            return
        self.now, self.due = now, NEVER
        rule = self._state.rule
        if rule is not None:
            self._tell_ends(rule)
            self._tell_open(rule)  # may send the first notice of an episode that has ended already
            self._tell_ends(rule)

    def soon(self, time: float) -> None:
        """Look again at a time; at the next second if the time has passed."""
        self.due = min(self.due, max(time, math.floor(self.now) + 1))

    def quiet_until(self, instance: str, at: float) -> float | None:
        """Return the time until which a silence holds for an instance; None without one."""
        return self.silences.until(self.id, instance, at)

    def _quiet(self, instance: str) -> bool:
        """Return True if a silence holds for an instance, and look again when the silence ends."""
        until = self.quiet_until(instance, self.now)
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
        for ended in self._state.ended:
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
        owed = [one for one in self._state.ended if one.told and not self._quiet(one.instance)]
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
