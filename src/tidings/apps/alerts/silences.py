"""PURE: silences, folded from the topic `silences`: the rules and instances whose notices are held back."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from tidings.errors import InvalidRequest
from tidings.events import Event, check_nesting, shown

VERSION = 1

LONGEST = 366 * 86400.0
"""Seconds of the longest silence."""

MANY = 1_000
"""Rules and instances that a silence names."""

KEPT = 1_000
"""Silences that are kept: the last ones."""

WHY = 500
"""Characters of a reason."""


class SilenceBegan(msgspec.Struct, frozen=True, kw_only=True):
    """A silence from now `until` a time, in Unix seconds, for some `rules` and `instances`; null stands for all."""

    type: ClassVar[str] = "silence.began"
    id: str
    until: float
    why: str = ""
    by: str = ""
    rules: list[str] | None = None
    instances: list[str] | None = None


class SilenceEnded(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a silence before its time."""

    type: ClassVar[str] = "silence.ended"
    id: str
    by: str = ""


class Silence(msgspec.Struct, kw_only=True):
    """A silence. `ended_by`: the name of the person who ended it before its time."""

    id: str
    began: float
    until: float
    why: str = ""
    by: str = ""
    rules: list[str] | None = None
    instances: list[str] | None = None
    ended_by: str | None = None

    def holds(self, rule: str, instance: str, at: float) -> bool:
        """Tell whether the silence keeps notices of an instance back at a time."""
        return (
            self.began <= at < self.until
            and (self.rules is None or rule in self.rules)
            and (self.instances is None or instance in self.instances)
        )


class Silences(msgspec.Struct):
    """All silences that are held, the oldest first."""

    all: list[Silence] = []

    def until(self, rule: str, instance: str, at: float) -> float | None:
        """Return the time until which an instance is silent; None if it is not silent now."""
        end: float | None = None
        for one in self.all:
            if one.holds(rule, instance, at if end is None else end):
                end = max(one.until, end or 0.0)
        return end


def apply(state: Silences, event: Event) -> None:
    """Change the silences by the next event of the topic."""
    try:
        check_nesting(event.data)
        if event.type == SilenceBegan.type:
            began = msgspec.json.decode(event.data, type=SilenceBegan)
            about = {name: getattr(began, name) for name in began.__struct_fields__}
            state.all.append(Silence(began=event.time, **about))
            del state.all[:-KEPT]
        elif event.type == SilenceEnded.type:
            ended = msgspec.json.decode(event.data, type=SilenceEnded)
            for one in state.all:
                if one.id == ended.id and one.until > event.time:
                    one.until, one.ended_by = event.time, ended.by
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return


def check(silence: SilenceBegan, now: float) -> None:
    """Raise InvalidRequest, which names the field, for a silence without an end in the next 366 days."""
    if not now < silence.until <= now + LONGEST:
        raise InvalidRequest(
            "`until`: A silence ends within 366 days from now; a time is in Unix seconds.", field="until"
        )
    if len(silence.why) > WHY:
        raise InvalidRequest(f"`why`: A reason has at most {WHY} characters.", field="why")
    for name in ("rules", "instances"):
        names = getattr(silence, name)
        if names is not None and not 0 < len(names) <= MANY:
            raise InvalidRequest(f"`{name}`: Name 1 to {MANY}, or leave it out for all.", field=name)
        for each in names or ():
            if len(each) > 200:
                raise InvalidRequest(f"`{name}`: {shown(each)} is too long.", field=name)
