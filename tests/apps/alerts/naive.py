"""A second model of a rule, which keeps every event and looks at every instance at every second."""

from __future__ import annotations

import math
from typing import Any

from tidings.apps.alerts.rule import Rule

Transition = tuple[float, str, str]


class Naive:
    """Says what happens to a rule that begins at 0. `events`: (time, instance, value), where None is a bad value."""

    def __init__(self, rule: Rule, events: list[tuple[float, str, float | None]]) -> None:
        self.rule, self.events = rule, events
        self.state: dict[str, str] = {"": "normal"} if rule.by is None else {}
        self.since: dict[str, float] = {}
        self.clear_from: dict[str, float | None] = {}
        self.broken = False
        self.made: list[Transition] = []

    def run(self, to: int) -> list[Transition]:
        at = 0
        for n, (time, name, value) in enumerate(self.events):
            while at < time:
                self.second(at, n)
                at += 1
            self.arrive(time, name, value, n + 1)
        for second in range(at, to + 1):
            self.second(second, len(self.events))
        return self.made

    def seen(self, count: int, name: str) -> list[tuple[float, float]]:
        return [(t, v) for t, n, v in self.events[:count] if n == name and v is not None]

    def arrive(self, time: float, name: str, value: float | None, count: int) -> None:
        if value is None and self.rule.kind != "absence":
            self.look_at_rule(time, count)
            return
        self.state.setdefault(name, "normal")
        if value is not None and self.broken:
            self.broken = False
            self.go(time, "", "normal", "broken")
        self.look(time, name, count)

    def second(self, at: float, count: int) -> None:
        for name in list(self.state):
            self.look(at, name, count)
        self.look_at_rule(at, count)

    def look_at_rule(self, at: float, count: int) -> None:
        if not self.broken and self.is_broken(at, count):
            self.broken = True
            self.go(at, "", "broken", "broken")

    def is_broken(self, at: float, count: int) -> bool:
        if self.rule.no_data is None:
            return False
        good = max([t for t, _, v in self.events[:count] if v is not None], default=0.0)
        last_good = max([n for n, (_, _, v) in enumerate(self.events[:count]) if v is not None], default=-1)
        bad = any(v is None for _, _, v in self.events[last_good + 1 : count])
        return bad and at - good >= self.rule.no_data

    def value(self, at: float, name: str, count: int) -> float | None:
        rule, seen = self.rule, self.seen(count, name)
        if rule.kind == "absence":
            return at - max([t for t, n, _ in self.events[:count] if n == name], default=0.0)
        if rule.window is None:
            return None if not seen or self.silent(at, name, count) else seen[-1][1]
        if rule.counts and rule.below is not None and at < rule.window:
            return None
        inside = [v for t, v in seen if at - rule.window < t <= at]
        if rule.aggregation == "count":
            return float(len(inside))
        if rule.aggregation == "rate":
            return len(inside) / rule.window
        if not inside:
            return None
        ordered = sorted(inside)
        made: dict[str, Any] = {
            "last": inside[-1],
            "mean": sum(inside) / len(inside),
            "sum": sum(inside),
            "min": ordered[0],
            "max": ordered[-1],
            "p50": ordered[math.ceil(len(ordered) * 0.5) - 1],
            "p99": ordered[math.ceil(len(ordered) * 0.99) - 1],
        }
        return float(made[rule.aggregation])

    def silent(self, at: float, name: str, count: int) -> bool:
        last = max([t for t, _ in self.seen(count, name)], default=0.0)
        return self.rule.no_data is not None and at - last >= self.rule.no_data

    def go(self, at: float, name: str, state: str, key: str | None = None) -> None:
        self.made.append((at, name, state))
        if key is None:
            self.state[name], self.since[name] = state, at

    def look(self, at: float, name: str, count: int) -> None:
        rule, value = self.rule, self.value(at, name, count)
        if value is None:
            self.clear_from[name] = None
            self.nothing(at, name, count)
            return
        if self.state[name] == "no_data":
            self.go(at, name, "normal")
        breach, clear, state = rule.breach(value), rule.is_clear(value), self.state[name]
        if clear:
            self.clear_from[name] = at if self.clear_from.get(name) is None else self.clear_from[name]
        else:
            self.clear_from[name] = None
        if state == "normal" and breach:
            self.go(at, name, "pending" if rule.for_ else "firing")
        elif state == "pending" and not breach:
            self.go(at, name, "normal")
        elif state == "pending" and at - self.since[name] >= rule.for_:
            self.go(at, name, "firing")
        elif state == "firing" and clear:
            self.clear_from[name] = at
            self.go(at, name, "recovering" if rule.keep else "normal")
        elif state == "recovering" and not clear:
            self.go(at, name, "firing")
        elif state == "recovering" and at - (self.clear_from[name] or 0.0) >= rule.keep:
            self.go(at, name, "normal")

    def nothing(self, at: float, name: str, count: int) -> None:
        silent = self.silent(at, name, count)
        if self.state[name] == "pending":
            self.go(at, name, "normal")
        if not silent:
            return
        if self.state[name] in ("firing", "recovering") and self.rule.on_no_data == "ok":
            self.go(at, name, "normal")
            return
        told = self.rule.on_no_data == "notify" and not self.broken and not self.is_broken(at, count)
        if self.state[name] == "normal" and told:
            self.go(at, name, "no_data")
