"""Events as a test expects them, and expected and received events side by side."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from tidings.wire.sse import ServerSentEvent

WIDTH = 48
"""The width of a column in characters. The line above the columns shows a difference in full."""

FIELDS = ("type", "data", "id")


@dataclass(frozen=True, eq=False, repr=False)
class Expected:
    """An object that equals every event whose fields match its own; see `event`. It has no hash."""

    type: Any
    data: Any
    id: Any

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ServerSentEvent):
            return NotImplemented
        return not self.differs(other)

    def differs(self, received: ServerSentEvent) -> list[str]:
        """Return the names of the fields that are not as expected."""
        return [name for name in FIELDS if not _matches(getattr(self, name), getattr(received, name))]

    def __repr__(self) -> str:
        given = [f"{name}={_pattern(value)}" for name in FIELDS if (value := getattr(self, name)) is not ...]
        return f"event({', '.join(given)})"


def event(type: Any = ..., data: Any = ..., id: Any = ...) -> Expected:
    """Describe an event to compare received events with: `assert stream.events == [event("joined"), event(data="Hi")]`.

    A field that is left out, or `...`, matches anything. Text matches the same text, `re.compile(…)` matches a field as
    a whole, and any other `data` matches JSON of that value, however it is written.
    """
    return Expected(type, data, id)


def _matches(expected: Any, received: str) -> bool:
    if expected is ...:
        return True
    if isinstance(expected, re.Pattern):
        return expected.fullmatch(received) is not None
    if isinstance(expected, str) or expected == received:
        return bool(expected == received)
    try:
        return bool(expected == json.loads(received))
    except ValueError:
        return False


def is_event(value: object) -> bool:
    """Return True for a received or an expected event."""
    return isinstance(value, ServerSentEvent | Expected)


def side_by_side(expected: Sequence[Any], received: Sequence[Any], *, around: int | None = None) -> list[str]:
    """Return lines that show the first difference, then both lists in two columns.

    `around`: show only that many rows on each side of the first difference.
    """
    pairs = list(zip_longest(expected, received, fillvalue=None))
    first = next((i for i, (one, other) in enumerate(pairs) if one is None or one != other), None)
    lines = ["the events are as expected" if first is None else _difference(first, *pairs[first])]
    counts = f"expected {len(expected)}", f"received {len(received)}"
    rows = [(_cell(one), _cell(other)) for one, other in pairs]
    width = max(len(cell) for cell in (counts[0], *(left for left, _ in rows)))
    lines.append(f"       {counts[0]:<{width}} | {counts[1]}")
    for i, (left, right) in enumerate(rows):
        if around is None or first is None or abs(i - first) <= around:
            lines.append(f"{'>' if i == first else ' '} {i:>3}  {left:<{width}} | {right}".rstrip())
    return lines


def received_only(events: Sequence[Any]) -> str:
    """Return text that lists the received events, for the message that others are missing."""
    if not events:
        return "The stream has received no event."
    lines = [f"  {i:>3}  {_cell(event)}" for i, event in enumerate(events)]
    return "\n".join([f"The stream has received {len(events)}:", *lines])


def _difference(at: int, expected: Any, received: Any) -> str:
    if expected is None:
        return f"event {at} was not expected: {_cell(received)}"
    if received is None:
        return f"event {at} is missing: {_cell(expected)}"
    if isinstance(expected, ServerSentEvent) and isinstance(received, ServerSentEvent):
        pairs = zip(FIELDS, expected, received, strict=False)
        wrong = [(name, one, other) for name, one, other in pairs if one != other]
    elif isinstance(expected, Expected) and isinstance(received, ServerSentEvent):
        wrong = [(name, getattr(expected, name), getattr(received, name)) for name in expected.differs(received)]
    else:
        return f"event {at} differs: {_short(repr(expected))} expected, {_cell(received)} received"
    parts = [f"{name} {_pattern(one)} expected, {_text(other)} received" for name, one, other in wrong]
    return f"event {at} differs: {'; '.join(parts) or 'in its reconnection time'}"


def _cell(event: Any) -> str:
    """Return one event as one line, with `*` for a field that matches anything."""
    if event is None:
        return "(none)"
    if not is_event(event):
        return _short(repr(event))
    type, data, id = event.type, event.data, event.id
    parts = ["*" if type is ... else str(type if isinstance(type, str) else _pattern(type)), _pattern(data)]
    if id is ... or id:
        parts.append("*" if id is ... else str(id if isinstance(id, str) else _pattern(id)))
    return _short("  ".join(parts))


def _pattern(value: Any) -> str:
    if value is ...:
        return "*"
    return f"/{value.pattern}/" if isinstance(value, re.Pattern) else _text(value)


def _text(value: Any) -> str:
    return repr(value) if len(repr(value)) < 200 else repr(value)[:199] + "…"


def _short(text: str) -> str:
    return text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"
