"""PURE: the times of a file. All have a zone, or none has: then they are taken as UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from tidings.apps.processes.facts import instant

_DATE = re.compile(r"\d{4}-\d\d?-\d\d?")
_DASHES = slice(4, 8, 3)
_SLASHES = re.compile(r"\d{1,4}[/.]\d{1,2}[/.]\d{1,4}")


class Times:
    """Reads the times of one file. `format`: for `strptime`, or `unix` or `unix-ms`; None: ISO 8601.

    `zoned`: whether the times have a zone; None before the first one.
    """

    def __init__(self, format: str | None = None) -> None:
        self.format = format
        self.zoned: bool | None = None

    def read(self, text: str) -> int:
        """Return the time in microseconds since 1970. Raises ValueError, whose text says what is wrong."""
        text = text.strip()
        if not text:
            raise ValueError("the event has no timestamp")
        try:
            is_date = self.format is None and text[_DASHES] == "--"  # no other form of ISO 8601 has its dashes there
            found = datetime.fromisoformat(text) if is_date else self._parsed(text)
        except (ValueError, OverflowError):
            raise ValueError(self._reason(text)) from None
        zoned = found.tzinfo is not None
        if self.zoned is None:
            self.zoned = zoned
        elif zoned != self.zoned:
            raise ValueError(
                f"the timestamp {shown(text)} has {'a' if zoned else 'no'} zone, and those before have "
                f"{'none' if zoned else 'one'}: without the zone of each, their order is unknown"
            )
        try:
            return instant(found)
        except ValueError:
            raise ValueError(f"the timestamp {shown(text)} is before 1900 or after 2199") from None

    def _parsed(self, text: str) -> datetime:
        if self.format in ("unix", "unix-ms"):
            return datetime.fromtimestamp(float(text) / (1000 if self.format == "unix-ms" else 1), UTC)
        if self.format is not None:
            return datetime.strptime(text, self.format)  # a format without a zone has none: they are taken as UTC
        raise ValueError("another format")

    def _reason(self, text: str) -> str:
        if self.format is not None:
            return f"the timestamp {shown(text)} does not have the format {self.format}"
        if _SLASHES.match(text):
            return (
                f"the timestamp {shown(text)} may mean several days: say which is the day, such as "
                "--timestamp-format '%d/%m/%Y %H:%M:%S'"
            )
        if _DATE.match(text):
            return f"the timestamp {shown(text)} is no date and time that there is, or not written as in ISO 8601"
        return f"the timestamp {shown(text)} is not ISO 8601: give its --timestamp-format, such as '%d.%m.%Y' or unix"


def shown(text: str) -> str:
    """Return a text of the file, short enough for a sentence."""
    return repr(text if len(text) <= 40 else text[:39] + "…")
