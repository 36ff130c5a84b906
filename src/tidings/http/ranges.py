"""The part of a body that a request asks for by its `Range`, as RFC 9110 describes it in section 14."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from starlette.exceptions import HTTPException

_RANGE = re.compile(r"([0-9]*)-([0-9]*)")
_DIGITS = 18
"""Digits of a position that are read: a longer number is beyond the end of any body."""

PARAMETERS: list[dict[str, Any]] = [
    {
        "in": "header",
        "name": "Range",
        "description": "Bytes of the file, such as `bytes=0-499`. Several ranges are answered with the whole file.",
        "schema": {"type": "string", "maxLength": 1000},
    },
    {
        "in": "header",
        "name": "If-Range",
        "description": "The ETag of the file that you have a part of. The `Range` counts only for that file.",
        "schema": {"type": "string", "maxLength": 200},
    },
]
"""The headers, as the OpenAPI document describes them."""


class Part(NamedTuple):
    """The bytes of a body from `start` up to `end`, which is not included."""

    start: int
    end: int

    def content_range(self, size: int) -> str:
        """Return the `Content-Range` of this part of a body with `size` bytes."""
        return f"bytes {self.start}-{self.end - 1}/{size}"


def part_of(headers: Mapping[str, str], size: int, etag: str) -> Part | None:
    """Return the part that the headers ask for; None for the whole body.

    The body has `size` bytes, at least one, and the strong `etag`. A `Range` that is malformed, that has another unit
    or more than one range, or whose `If-Range` is not the ETag asks for the whole body. Raises HTTPException with
    status 416 for a range without a byte of the body.
    """
    if headers.get("if-range", etag) != etag:
        return None
    unit, _, listed = headers.get("range", "").partition("=")
    ranges = [text.strip(" \t") for text in listed.split(",") if text.strip(" \t")]
    match = _RANGE.fullmatch(ranges[0]) if unit.lower() == "bytes" and len(ranges) == 1 else None
    if match is None or match[0] == "-":
        return None
    first, last = (_number(text) if text else None for text in match.groups())
    if first is None:
        part = Part(max(size - (last or 0), 0), size)
    elif last is not None and last < first:
        return None
    else:
        part = Part(first, size if last is None else min(last + 1, size))
    if part.start >= size:
        raise HTTPException(416, f"The file has {size:,} bytes.", {"content-range": f"bytes */{size}"})
    return part


def _number(digits: str) -> int:
    return int(digits.lstrip("0")[:_DIGITS] or 0)
