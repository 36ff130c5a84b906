"""PURE: the events of a process topic, and the reasons for which one cannot be mined."""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import msgspec

from tidings.errors import InvalidRequest

LONGEST_CASE = 1_000
"""Characters of a case's name."""

LONGEST_NAME = 4_000
"""Characters of an activity, a lifecycle transition or a resource."""

EARLIEST, LATEST = (datetime(year, 1, 1, tzinfo=UTC) for year in (1900, 2200))
"""The times of events. Years such as 1, 9999 and 55844 stand for an empty field, for ever, or a wrong unit."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = ((limit - _EPOCH) // timedelta(microseconds=1) for limit in (EARLIEST, LATEST))
_SHA256 = re.compile(r"[0-9a-f]{64}")


Row = tuple[str, str, int]
"""The case, the activity and the time, in microseconds since 1970, of an event."""


class Unmineable(InvalidRequest):
    """An event that cannot be mined. The member `field` names the field that is wrong."""

    status: ClassVar[int] = 422
    title: ClassVar[str] = "Not an event of a case"

    def __init__(self, field: str, reason: str, **members: Any) -> None:
        super().__init__(f"`{field}` {reason}.", field=field, **members)


class CaseEvent(msgspec.Struct, frozen=True, gc=False):
    """An event of a case: what was done, and when. An event may have any further fields.

    `timestamp`: a time in ISO 8601, or Unix seconds. A time without a zone is one of UTC. `lifecycle`: the step of the
    activity, such as `start` or `complete`; `resource`: the person or the machine that did it.
    """

    case: str
    activity: str
    timestamp: str | int | float
    lifecycle: str | None = None
    resource: str | None = None


class ImportPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The progress of an import, stored together with the events of the file that it counts.

    `file`: the SHA-256 of the file; `options`: how it was read. The events before this one, back to the last part of
    the file, are its events from `first` up to before `to`. `skipped`: the events of the file that cannot be mined and
    were left out. `done`: the file has no more.
    """

    type: ClassVar[str] = "import.part"

    file: str
    first: int
    to: int
    done: bool = False
    skipped: int = 0
    options: str = ""


_event = msgspec.json.Decoder(CaseEvent).decode
_part = msgspec.json.Decoder(ImportPart).decode


def read(data: str) -> Row:
    """Return what the fold takes of an event. Raises Unmineable."""
    try:
        event = _event(data)
        case, activity, time = event.case, event.activity, event.timestamp
        at = instant(datetime.fromisoformat(time)) if isinstance(time, str) else microseconds(time)
        short = 0 < len(case) <= LONGEST_CASE and 0 < len(activity) <= LONGEST_NAME
        if short and not case.isspace() and not activity.isspace():
            return case, activity, at
    except (ValueError, RecursionError, UnicodeError):
        pass
    raise explained(data)


def read_part(data: str) -> ImportPart:
    """Return the progress of an import. Raises Unmineable."""
    try:
        part = _part(data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Unmineable("data", f"is not the progress of an import: {str(error)[:200]}") from None
    if not _SHA256.fullmatch(part.file):
        raise Unmineable("file", "is the SHA-256 of a file, in hexadecimal")
    if not 0 <= part.first <= part.to or part.skipped < 0:
        raise Unmineable("to", "is the number of the file's events that are stored")
    return part


def microseconds(time: str | int | float) -> int:
    """Return a time in microseconds since 1970. Raises ValueError for what is no time, or is before 1900 or after 2199.

    Digits of a second beyond the sixth are cut off.
    """
    if isinstance(time, str):
        return instant(datetime.fromisoformat(time))
    if isinstance(time, float) and not math.isfinite(time):
        raise ValueError("is not a number")
    return _checked(round(time * 1_000_000))


def instant(time: datetime) -> int:
    """Return a time in microseconds since 1970, like `microseconds`."""
    since = (time.replace(tzinfo=UTC) if time.tzinfo is None else time) - _EPOCH
    return _checked((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds)


def _checked(at: int) -> int:
    if not _FIRST <= at < _LAST:
        raise ValueError("is before 1900 or after 2199")
    return at


def time_of(at: int) -> datetime:
    """Return a time in microseconds since 1970 as one of UTC."""
    return _EPOCH + timedelta(microseconds=at)


def iso(at: int) -> str:
    """Return the text of a time in microseconds since 1970."""
    return time_of(at).isoformat().replace("+00:00", "Z")


def explained(data: str) -> Unmineable:
    """Return the reason for which an event cannot be mined, by its first wrong field."""
    try:
        value = json.loads(data)  # reads NaN, so that the field which holds it can be named
    except (ValueError, RecursionError):
        return Unmineable("data", "is not JSON")
    if not isinstance(value, dict):
        return Unmineable("data", "is a JSON object: {case, activity, timestamp}")
    for name, longest in (("case", LONGEST_CASE), ("activity", LONGEST_NAME)):
        if wrong := _wrong_text(value.get(name), longest):
            return Unmineable(name, wrong)
    time = value.get("timestamp")
    if time is None:
        return Unmineable("timestamp", "is missing")
    if isinstance(time, bool) or not isinstance(time, str | int | float):
        return Unmineable("timestamp", "is a time in ISO 8601, or a number of Unix seconds")
    try:
        microseconds(time)
    except (ValueError, OverflowError) as error:
        reason = str(error) if str(error).startswith("is ") else "is not a time in ISO 8601"
        return Unmineable("timestamp", reason)
    for name in ("lifecycle", "resource"):
        if not isinstance(value.get(name), str | None):
            return Unmineable(name, "is text")
    return Unmineable("data", "cannot be read")


def _wrong_text(value: object, longest: int) -> str:
    if value is None:
        return "is missing"
    if not isinstance(value, str):
        return "is text"
    if not value or value.isspace():
        return "is empty"
    return f"has at most {longest:,} characters" if len(value) > longest else ""
