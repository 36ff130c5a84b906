"""PURE: the events of a file as the parsers give them, and the options by which a file is read."""

from __future__ import annotations

from typing import Any

import msgspec

from tidings.apps.processes.facts import LONGEST_CASE, LONGEST_NAME, time_of

EVENT_BYTES = 1_000_000
"""Bytes of an event, and of a part of a file without an end, such as one attribute. A topic takes no larger event."""


class Wrong(Exception):
    """A file, or one event of it, that cannot be read. `line`: the line of the file, 0 for the file as a whole."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}" if line else reason)
        self.line = line


class Record(msgspec.Struct, frozen=True, gc=False):
    """An event of a file, which begins in `line`. `at`: microseconds since 1970; `fields`: what else it has."""

    line: int
    case: str
    activity: str
    at: int
    fields: dict[str, Any]


Found = Record | Wrong
"""A parser gives an event that is wrong in itself, and goes on. It raises Wrong where it cannot go on."""


class Options(msgspec.Struct, frozen=True):
    """The options by which a file is read. None takes the usual name.

    `case`, `activity`, `timestamp`: the columns of a table, or the keys of XES; `timestamp_format`: the format of the
    times, as `strptime` knows it, or `unix` or `unix-ms`; `lifecycle`: take only events with this transition, in any
    capitals; `classifier`: the classifier of XES that names the activities; `encoding`: the text's; `object_type`: the
    type of the objects that are the cases of an object-centric log.
    """

    case: str | None = None
    activity: str | None = None
    timestamp: str | None = None
    timestamp_format: str | None = None
    lifecycle: str | None = None
    classifier: str | None = None
    encoding: str | None = None
    object_type: str | None = None

    def text(self) -> str:
        """Return the options that were chosen, as a text by which two readings of a file are compared."""
        chosen = {name: value for name, value in msgspec.structs.asdict(self).items() if value is not None}
        return msgspec.json.encode(chosen).decode() if chosen else ""


OWN = frozenset({"case", "activity", "timestamp", "lifecycle", "resource"})
"""Fields of an event that have a meaning. Another attribute of such a name becomes `event:NAME`."""


def record(line: int, case: str | None, activity: str | None, at: int, fields: dict[str, Any]) -> Found:
    """Return the event, or the reason for which it is none."""
    if not case or case.isspace():
        return Wrong(line, "the event has no case")
    if len(case) > LONGEST_CASE:
        return Wrong(line, f"the case has over {LONGEST_CASE:,} characters")
    if not activity or activity.isspace():
        return Wrong(line, "the event has no activity")
    if len(activity) > LONGEST_NAME:
        return Wrong(line, f"the activity has over {LONGEST_NAME:,} characters")
    return Record(line, case, activity, at, fields)


_encode = msgspec.json.Encoder().encode


def data_of(found: Record) -> bytes:
    """Return the event as the data of a process topic. Raises Wrong for one that is too large."""
    data = _encode({"case": found.case, "activity": found.activity, "timestamp": time_of(found.at), **found.fields})
    if len(data) > EVENT_BYTES:
        raise Wrong(found.line, f"the event has {len(data):,} bytes, and at most {EVENT_BYTES:,} are stored")
    return data
