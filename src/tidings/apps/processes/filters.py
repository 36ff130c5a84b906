"""PURE: filters of a process map, which select whole cases."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import msgspec

from tidings.errors import InvalidRequest

from .facts import LONGEST_NAME, microseconds

CONDITIONS = 50
"""Conditions of a filter."""

DAY = 86_400_000_000

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_variant = msgspec.json.Decoder(list[str]).decode


class Filter(msgspec.Struct, frozen=True):
    """A filter. A case is selected if it meets every condition.

    `variants`: the case has one of these sequences of activities, if there are any. `since`, `until`: no event of the
    case is earlier or later, in microseconds since 1970. `present`, `absent`: the case has an event of each of these
    activities, and of none of those. `attributes`: for each name and text, the case has an event with such a field.
    """

    variants: tuple[tuple[str, ...], ...] = ()
    since: int | None = None
    until: int | None = None
    present: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()


ALL = Filter()
"""The filter that selects every case."""


def wrong(parameter: str, reason: str) -> InvalidRequest:
    """Return the error of a condition that cannot be met."""
    return InvalidRequest(f"`{parameter}` {reason}.", field=parameter)


def parse(
    variant: Sequence[str] = (),
    since: str | None = None,
    until: str | None = None,
    present: Sequence[str] = (),
    absent: Sequence[str] = (),
    attribute: Sequence[str] = (),
) -> Filter:
    """Return the filter of the parameters of a query. Raises InvalidRequest, whose `field` names the parameter.

    A variant is a JSON array of activities, an attribute is NAME=TEXT. A time is one of ISO 8601 or of Unix seconds; a
    date alone is the beginning of the day in UTC, and its end as the last time.
    """
    for parameter, given in (("variant", variant), ("with", present), ("without", absent), ("attribute", attribute)):
        if len(given) > CONDITIONS:
            raise wrong(parameter, f"has at most {CONDITIONS} values")
    first, last = _time("since", since), _time("until", until)
    if last is not None and until is not None and _DATE.fullmatch(until):
        last += DAY - 1
    if first is not None and last is not None and first > last:
        raise wrong("until", "is before `since`")
    return Filter(
        tuple(sorted({_trace(text) for text in variant})),
        first,
        last,
        tuple(sorted({_activity("with", name) for name in present})),
        tuple(sorted({_activity("without", name) for name in absent})),
        tuple(sorted({_attribute(text) for text in attribute})),
    )


def _time(parameter: str, text: str | None) -> int | None:
    if text is None:
        return None
    try:
        try:
            number = float(text)
        except ValueError:
            return microseconds(text)
        if not math.isfinite(number):
            raise ValueError("is not a number")
        return microseconds(number)
    except (ValueError, OverflowError):
        raise wrong(parameter, "is a time in ISO 8601 or in Unix seconds, from the year 1900 to 2199") from None


def _trace(text: str) -> tuple[str, ...]:
    try:
        trace = _variant(text)
    except (msgspec.DecodeError, RecursionError):
        trace = []
    if not trace:
        raise wrong("variant", 'is a JSON array of activities, such as ["ordered", "paid"]')
    return tuple(_activity("variant", name) for name in trace)


def _activity(parameter: str, name: str) -> str:
    if not name or len(name) > LONGEST_NAME:
        raise wrong(parameter, f"has activities of 1 to {LONGEST_NAME:,} characters")
    return name


def _attribute(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise wrong("attribute", "is NAME=TEXT, such as resource=Pete")
    return name, value
