"""PURE: the reference of a process: how a case may begin and go on, folded from the topic `process.NAME.reference`."""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar, Literal

import msgspec

from tidings.errors import InvalidRequest
from tidings.events import Event, shown

from .facts import LONGEST_NAME
from .figures import labels
from .fold import ACTIVITIES, EDGES, Process

VERSION = 1

ALLOWED = 1_000
"""Deviations that are allowed, at most."""

Kind = Literal["activity", "start", "step"]


class Deviation(msgspec.Struct, frozen=True, gc=False):
    """A way in which a case deviates from the reference.

    `activity`: the reference does not have the activity `to`; `start`: no case begins with `to`; `step`: `to` does not
    directly follow `from`. `from` is empty but for a step. Cases that end too early deviate in nothing, since no event
    says that a case is over.
    """

    kind: Kind
    target: str = msgspec.field(name="to")
    source: str = msgspec.field(default="", name="from")


class ReferenceSet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A reference: the activities with which a case begins, and the steps from one activity to the next.

    `since`: the offset in the topic of the process after which deviations are published. `above`: the share of the
    cases above which starts and steps were taken from the map; None if they were given.
    """

    type: ClassVar[str] = "reference.set"
    starts: list[str]
    steps: list[tuple[str, str]]
    since: str
    above: float | None = None
    by: str = ""


class ReferenceRemoved(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a reference. The allowed deviations stay for the next one."""

    type: ClassVar[str] = "reference.removed"
    by: str = ""


class DeviationAllowed(msgspec.Struct, frozen=True, kw_only=True):
    """A deviation that counts as none from now on, or, without `allowed`, counts again."""

    type: ClassVar[str] = "deviation.allowed"
    deviation: Deviation
    allowed: bool = True
    by: str = ""


Fact = ReferenceSet | ReferenceRemoved | DeviationAllowed

_TYPES: dict[str, type[Fact]] = {fact.type: fact for fact in (ReferenceSet, ReferenceRemoved, DeviationAllowed)}


class Reference(msgspec.Struct):
    """The state of the topic. `set`: the reference, None while there is none; `offset`: its event's."""

    set: ReferenceSet | None = None
    offset: str = ""
    allowed: list[Deviation] = []


class Rule:
    """A reference as it is asked about single events."""

    def __init__(self, reference: ReferenceSet, allowed: Collection[Deviation] = ()) -> None:
        self.starts: frozenset[str] = frozenset(reference.starts)
        self.steps: frozenset[tuple[str, str]] = frozenset(reference.steps)
        self.activities: frozenset[str] = self.starts | {activity for step in reference.steps for activity in step}
        self.allowed: frozenset[Deviation] = frozenset(allowed)

    def found(self, before: str | None, activity: str) -> Deviation | None:
        """Return the deviation of an event of `activity` that follows one of `before`, or begins its case (None).

        An event has at most one. A step from an activity that the reference does not have is none: its case deviates
        already.
        """
        if activity not in self.activities:
            return Deviation("activity", activity)
        if before is None:
            return None if activity in self.starts else Deviation("start", activity)
        if (before, activity) in self.steps or before not in self.activities:
            return None
        return Deviation("step", activity, before)

    def judge(self, before: str | None, activity: str) -> Deviation | None:
        """Return the deviation of an event, as `found` does, unless it is allowed."""
        deviation = self.found(before, activity)
        return None if deviation in self.allowed else deviation


def apply(reference: Reference, event: Event) -> None:
    """Change the state by the next event of its topic. Events of other shapes change nothing."""
    kind = _TYPES.get(event.type)
    if kind is None or event.offset is None:
        return
    try:
        fact = msgspec.json.decode(event.data, type=kind)
    except (msgspec.DecodeError, RecursionError):
        return
    if isinstance(fact, ReferenceSet):
        reference.set, reference.offset = fact, str(event.offset)
    elif isinstance(fact, ReferenceRemoved):
        reference.set, reference.offset = None, ""
    else:
        others = [deviation for deviation in reference.allowed if deviation != fact.deviation]
        reference.allowed = [*others, fact.deviation] if fact.allowed else others


def of_map(process: Process, above: float, since: str, by: str) -> ReferenceSet:
    """Return the map of a process as a reference: what occurs in more than the share `above` of the cases.

    Raises InvalidRequest if nothing does.
    """
    names, least = labels(process), above * len(process.cases)
    starts = [names[number] for number, cases in enumerate(process.starts) if cases and cases > least]
    steps = [
        (names[key >> 16], names[key & 0xFFFF])
        for key, edge in process.edges.items()
        if edge.events and edge.cases > least
    ]
    return check(ReferenceSet(starts=starts, steps=steps, since=since, above=above, by=by))


def check(reference: ReferenceSet) -> ReferenceSet:
    """Return the reference. Raises InvalidRequest for one that no case could follow, or that is too large."""
    if not reference.starts:
        raise InvalidRequest("A reference has an activity with which a case may begin.", field="starts")
    if len(reference.starts) > ACTIVITIES or len(reference.steps) > EDGES:
        raise InvalidRequest(f"A reference has at most {ACTIVITIES:,} starts and {EDGES:,} steps.", field="steps")
    for name in reference.starts:
        check_name("starts", name)
    for step in reference.steps:
        for name in step:
            check_name("steps", name)
    return reference


def check_name(field: str, name: str) -> None:
    """Raise InvalidRequest for a text that no activity can have as its name."""
    if not 0 < len(name) <= LONGEST_NAME or name.isspace():
        raise InvalidRequest(f"`{shown(name)}` is not the name of an activity.", field=field)
