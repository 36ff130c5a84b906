"""Export the events of a process as XES, grouped by case, in memory that does not grow with the log."""

from __future__ import annotations

import re
import sqlite3
from typing import TYPE_CHECKING, Any, BinaryIO
from xml.sax.saxutils import quoteattr

import msgspec

from tidings.apps.processes.facts import ImportPart, iso, read
from tidings.errors import InvalidRequest, NotFound

from .progress import progress_bar

if TYPE_CHECKING:
    from tidings.client import Client

PAGE = 1_000

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1849-2016" xes.features="nested-attributes" xmlns="http://www.xes-standard.org/">
\t<extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
\t<extension name="Time" prefix="time" uri="http://www.xes-standard.org/time.xesext"/>
\t<extension name="Lifecycle" prefix="lifecycle" uri="http://www.xes-standard.org/lifecycle.xesext"/>
\t<extension name="Organizational" prefix="org" uri="http://www.xes-standard.org/org.xesext"/>
\t<classifier name="Activity" keys="concept:name"/>
"""

_NAMES = {"lifecycle": "lifecycle:transition", "resource": "org:resource"}
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_value = msgspec.json.Decoder(dict[str, Any]).decode
_SCHEMA = "CREATE TABLE event(first INTEGER, at INTEGER, n INTEGER, data TEXT)"
_CASES = "CREATE TABLE cases(name TEXT PRIMARY KEY, first INTEGER) WITHOUT ROWID"


def export(client: Client, topic: str, stream: BinaryIO) -> int:
    """Write the events of the topic up to its tail as of now, and return how many. Raises NotFound, TidingsError."""
    table = sqlite3.connect("")  # a temporary file, which sorts what memory does not hold
    try:
        table.execute(_SCHEMA)
        table.execute(_CASES)
        _collect(client, topic, table)
        return _write(table, stream)
    finally:
        table.close()


def _collect(client: Client, topic: str, table: sqlite3.Connection) -> None:
    page = client.read(topic, "earliest", PAGE)
    tail, n = page.tail, 0
    with progress_bar("reading") as show:
        while True:
            rows = []
            for event in page.events:
                n += 1
                if event.redacted or event.type == ImportPart.type or (event.offset and event.offset.n > tail.n):
                    continue
                try:
                    case, _, at = read(event.data)
                except InvalidRequest:
                    continue
                table.execute("INSERT OR IGNORE INTO cases VALUES(?, ?)", (case, n))
                rows.append((case, at, n, event.data))
            table.executemany("INSERT INTO event SELECT first, ?2, ?3, ?4 FROM cases WHERE name = ?1", rows)
            if page.up_to_date or page.next.n >= tail.n:
                return
            show(page.next.n / tail.n)
            page = client.read(topic, page.next, PAGE)
            if page.tail.epoch != tail.epoch:
                raise NotFound(f"The topic {topic} was deleted meanwhile.")


def _write(table: sqlite3.Connection, stream: BinaryIO) -> int:
    last, count = None, 0
    stream.write(HEAD.encode())
    for first, at, data in table.execute("SELECT first, at, data FROM event ORDER BY first, at, n"):
        fields = _value(data)
        if first != last:
            stream.write((b"\t</trace>\n" if last is not None else b"") + b"\t<trace>\n")
            stream.write(f"\t\t{_attribute('string', 'concept:name', fields['case'])}\n".encode())
            last = first
        stream.write(_event(fields, at).encode())
        count += 1
    stream.write((b"\t</trace>\n" if last is not None else b"") + b"</log>\n")
    return count


def _event(fields: dict[str, Any], at: int) -> str:
    lines = [_attribute("string", "concept:name", fields["activity"]), _attribute("date", "time:timestamp", iso(at))]
    for name, value in fields.items():
        key = _NAMES.get(name, name.removeprefix("event:"))
        if name in ("case", "activity", "timestamp") or value is None:
            continue
        if isinstance(value, bool):
            lines.append(_attribute("boolean", key, "true" if value else "false"))
        elif isinstance(value, int | float):
            lines.append(_attribute("int" if isinstance(value, int) else "float", key, str(value)))
        else:
            lines.append(_attribute("string", key, value if isinstance(value, str) else _json(value)))
    inside = "".join(f"\t\t\t{line}\n" for line in lines)
    return f"\t\t<event>\n{inside}\t\t</event>\n"


def _attribute(tag: str, key: str, value: str) -> str:
    """Write an attribute. Characters that XML cannot hold become U+FFFD."""
    # Without the entities a parser would read line ends and tabs within a value as spaces.
    entities = {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}
    key, value = (quoteattr(_NO_XML.sub("\ufffd", text), entities) for text in (key, value))
    return f"<{tag} key={key} value={value}/>"


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
