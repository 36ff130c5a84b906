"""PURE: alert rules. A rule says which values of a topic's events are wrong, for how long, and who is told."""

from __future__ import annotations

import math
import re
from typing import Any, Literal

import msgspec

from tidings.access.names import valid_name
from tidings.errors import InvalidRequest
from tidings.events import shown
from tidings.log.names import valid_topic

Kind = Literal["threshold", "rate", "absence", "deviation"]
Agg = Literal["last", "mean", "min", "max", "sum", "count", "rate", "p50", "p99"]
OnNoData = Literal["keep", "notify", "ok"]

TITLE, PATH, LINK, INSTANCE = 200, 200, 1000, 200
"""Characters of a title, of a field's path, of a link, and of the name of an instance."""

LONGEST = 31 * 86400.0
"""Seconds of the longest time in a rule."""

MANY = 100
"""People and webhooks of one rule."""

HOUR = 3600.0

COUNTS: frozenset[str] = frozenset({"count", "rate"})
"""Aggregations that have a value where there is no event: 0."""

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class Rule(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, rename={"for_": "for"}
):
    """An alert rule, in the shape of its JSON. Times are in seconds.

    The condition: `topic`; `field`, the path of the value in an event's data, by default the data itself; `by`, the
    path of the value that tells instances apart; `kind`; the limit, `above` or `below`; `clear`, the value at which an
    episode may end, by default the limit; `for`, `keep`, `window`, `agg`, `no_data`, `on_no_data` and `absent`. Beside
    the condition: `repeat`, `title`, the `people` who are notified (null: the author), the ids of `webhooks`, the
    `link` of the card that shows the values, and `paused`. Made by `parse`, which checks all of it.
    """

    topic: str
    title: str = ""
    field: str | None = None
    by: str | None = None
    kind: Kind = "threshold"
    above: float | None = None
    below: float | None = None
    clear: float | None = None
    for_: float = 0
    keep: float = 0
    window: float | None = None
    agg: Agg = "last"
    no_data: float | None = None
    on_no_data: OnNoData = "keep"
    absent: float | None = None
    repeat: float | None = None
    people: list[str] | None = None
    webhooks: list[str] = []
    link: str | None = None
    paused: bool = False

    @property
    def limit(self) -> float:
        """The value that must not be passed; of an absence, the seconds of silence."""
        if self.kind == "absence":
            return self.absent or 0.0
        return self.above if self.above is not None else self.below if self.below is not None else 0.0

    @property
    def counts(self) -> bool:
        """True if the rule judges a number of events, which is 0 where there are none."""
        return self.kind in ("rate", "deviation") or self.agg in COUNTS

    @property
    def aggregation(self) -> Agg:
        """The aggregation that makes the value."""
        return "rate" if self.kind == "rate" else "count" if self.kind == "deviation" else self.agg

    def condition(self) -> tuple[Any, ...]:
        """Return what the rule judges. An edit that changes it ends the rule's episodes."""
        judged = (self.topic, self.field, self.by, self.kind, self.above, self.below, self.clear, self.for_, self.keep)
        return (*judged, self.window, self.agg, self.no_data, self.on_no_data, self.absent)

    def breach(self, value: float) -> bool:
        """Tell whether a value passes the limit, strictly; a silence breaches as soon as it is as long as `absent`."""
        if self.kind == "absence":
            return value >= self.limit
        return value > self.above if self.above is not None else value < self.limit

    def is_clear(self, value: float) -> bool:
        """Tell whether a value lets an episode end."""
        if self.kind == "absence":
            return value < self.limit
        limit = self.limit if self.clear is None else self.clear
        return value <= limit if self.above is not None else value >= limit


def parse(value: object) -> Rule:
    """Return the rule that JSON says, completed: a deviation rule has a limit, a window and instances of its own.

    Raises InvalidRequest, which names the field.
    """
    try:
        rule = msgspec.convert(value, Rule, strict=True)
    except msgspec.ValidationError as error:
        raise InvalidRequest(f"This is no rule: {shown_error(error)}.") from None
    if rule.kind == "deviation":
        by, window = rule.by or "kind", rule.window or HOUR
        rule = msgspec.structs.replace(rule, by=by, window=window, above=0.0 if rule.above is None else rule.above)
    elif rule.kind == "rate" and rule.agg == "rate":
        rule = msgspec.structs.replace(rule, agg="last")
    check(rule)
    return rule


def shown_error(error: msgspec.ValidationError) -> str:
    """Return a decoder's sentence: `for` and not `$.for`."""
    return shown(str(error).replace("`$.", "`").replace(" - at", " at")).rstrip(".")


def check(rule: Rule) -> None:
    """Raise InvalidRequest, which names the field, for a rule that cannot be judged or whose parts disagree."""
    try:
        valid_topic(rule.topic)
    except InvalidRequest as error:
        raise _wrong("topic", str(error)) from None
    if len(rule.title) > TITLE or _CONTROL.search(rule.title):
        raise _wrong("title", f"A title has at most {TITLE} characters, all of them visible.")
    for name in ("field", "by"):
        path = getattr(rule, name)
        if path is not None and not (0 < len(path) <= PATH and all(path.split("."))):
            raise _wrong(name, f"A path is names joined by dots, such as order.total; at most {PATH} characters.")
    _check_numbers(rule)
    _KINDS[rule.kind](rule)
    _check_told(rule)


def _check_numbers(rule: Rule) -> None:
    for name in ("above", "below", "clear"):
        if (value := getattr(rule, name)) is not None and not math.isfinite(value):
            raise _wrong(name, "A limit is a finite number.")
    for name, least in (
        ("for", 0.0),
        ("keep", 0.0),
        ("window", 1.0),
        ("no_data", 1.0),
        ("absent", 1.0),
        ("repeat", 1.0),
    ):
        value = getattr(rule, "for_" if name == "for" else name)
        if value is not None and not least <= value <= LONGEST:
            raise _wrong(name, f"A time is {least:g} to {LONGEST:.0f} seconds.")


def _check_limits(rule: Rule) -> None:
    if (rule.above is None) == (rule.below is None):
        raise _wrong("above", "Give one limit: `above` or `below`.")
    if rule.clear is not None and not rule.breach(rule.clear):
        return
    if rule.clear is not None:
        raise _wrong("clear", "The value at which an episode ends is not beyond the limit.")


def _check_threshold(rule: Rule) -> None:
    _check_limits(rule)
    _without(rule, "absent")
    if rule.window is None and rule.agg != "last":
        raise _wrong("window", f"The aggregation {rule.agg} needs a window, in seconds.")
    if rule.counts:
        _without(rule, "no_data")


def _check_rate(rule: Rule) -> None:
    _check_limits(rule)
    _without(rule, "absent", "no_data")
    if rule.window is None:
        raise _wrong("window", "A rule of the kind rate needs a window, in seconds.")
    if rule.agg != "last":
        raise _wrong("agg", "A rule of the kind rate counts events a second, and takes no other aggregation.")


def _check_absence(rule: Rule) -> None:
    if rule.absent is None:
        raise _wrong("absent", "A rule of the kind absence needs the seconds of silence.")
    _without(rule, "field", "above", "below", "clear", "window", "no_data")
    if rule.agg != "last":
        raise _wrong("agg", "A rule of the kind absence takes no aggregation.")


def _check_deviation(rule: Rule) -> None:
    _check_limits(rule)
    _without(rule, "field", "absent", "no_data")
    if rule.agg != "last":
        raise _wrong("agg", "A rule of the kind deviation counts cases, and takes no other aggregation.")


_KINDS = {
    "threshold": _check_threshold,
    "rate": _check_rate,
    "absence": _check_absence,
    "deviation": _check_deviation,
}


def _without(rule: Rule, *names: str) -> None:
    for name in names:
        if getattr(rule, name) is not None:
            judged = "that counts events" if rule.counts and rule.kind == "threshold" else f"of the kind {rule.kind}"
            raise _wrong(name, f"A rule {judged} has no `{name}`.")


def _check_told(rule: Rule) -> None:
    for name in ("people", "webhooks"):
        if len(getattr(rule, name) or ()) > MANY:
            raise _wrong(name, f"A rule tells at most {MANY}.")
    for person in rule.people or ():
        try:
            valid_name(person)
        except InvalidRequest as error:
            raise _wrong("people", str(error)) from None
    for webhook in rule.webhooks:
        if not _ID.fullmatch(webhook):
            raise _wrong("webhooks", f"{shown(webhook)} is not the id of a webhook.")
    if rule.link is not None and not re.fullmatch(rf"/(?!/)[\x21-\x7e]{{0,{LINK}}}", rule.link.replace("\\", " ")):
        raise _wrong("link", f"A link is a path of this server, such as /d/ops, of at most {LINK} characters.")


def _wrong(field: str, sentence: str) -> InvalidRequest:
    return InvalidRequest(f"`{field}`: {sentence}", field=field)


# Values in the data of events.


def at_path(data: object, path: str | None) -> object:
    """Return the value at a path in JSON data, None where there is none. No path: the data itself."""
    if path is None:
        return data
    for part in path.split("."):
        if isinstance(data, dict):
            data = data.get(part)
        elif isinstance(data, list) and part.isdecimal() and len(part) < 10:
            data = data[int(part)] if int(part) < len(data) else None
        else:
            return None
    return data


def number(value: object) -> float | None:
    """Return a finite number as it is, and None for everything else: text, true and null are no values, never a 0."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        made = float(value)
    except OverflowError:
        return None
    return made if math.isfinite(made) else None


def instance_of(value: object) -> str | None:
    """Return the name of the instance that a value of `by` stands for; None for a value that is none."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        made = number(value)
        return None if made is None else f"{value}"[:INSTANCE]
    return value if isinstance(value, str) and 0 < len(value) <= INSTANCE else None
