"""OCEL 2.0 as JSON. The objects of one type are the cases, and an event counts for each of them."""

from __future__ import annotations

import codecs
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from typing import Any

import msgspec

from .records import EVENT_BYTES, OWN, Found, Options, Wrong, record
from .times import Times

MARKS = re.compile(r'["\\{}\[\]]')

TYPES = 1_000
"""Types of objects that a log may have."""


class _Attribute(msgspec.Struct):
    name: str
    value: Any = None


class _Relation(msgspec.Struct, rename="camel"):
    object_id: str


class _Event(msgspec.Struct):
    type: str
    time: str
    attributes: list[_Attribute] = []
    relationships: list[_Relation] = []


class _Object(msgspec.Struct):
    id: str
    type: str


_event = msgspec.json.Decoder(_Event).decode
_object = msgspec.json.Decoder(_Object).decode


def events(chunks: Callable[[], Iterable[bytes]], options: Options, times: Times) -> Iterator[Found]:
    """Yield the events of a log, in the order of the file, which is read twice. Raises Wrong for what is no OCEL.

    An event of several objects is yielded for each of them. The names of the objects are kept in a temporary file.
    """
    with closing(sqlite3.connect("", check_same_thread=False)) as file:
        cases = _Objects(file, chunks(), options.object_type)
        for key, line, text in elements(chunks()):
            if key != "events":
                continue
            try:
                event = _event(text)
            except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
                yield Wrong(line, f"the event cannot be read: {str(error)[:200]}")
                continue
            named = {f"event:{of.name}" if of.name in OWN else of.name: of.value for of in event.attributes}
            resource = named.pop("event:resource", named.pop("org:resource", None))
            if isinstance(resource, str):
                named["resource"] = resource
            try:
                at = times.read(event.time)
            except ValueError as error:
                yield Wrong(line, str(error))
                continue
            for case in dict.fromkeys(of.object_id for of in event.relationships):
                if cases.has(case):
                    yield record(line, case, event.type, at, named)


class _Objects:
    """The objects of one type, in a temporary file: there may be more than memory holds."""

    def __init__(self, file: sqlite3.Connection, chunks: Iterable[bytes], type: str | None) -> None:
        self._file = file
        self._file.execute("CREATE TABLE object(id TEXT, type TEXT, PRIMARY KEY(id, type)) WITHOUT ROWID")
        types: set[str] = set()
        keys: set[str] = set()
        for key, line, text in elements(chunks):
            keys.add(key)
            if key != "objects":
                continue
            try:
                found = _object(text)
            except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
                raise Wrong(line, f"the object cannot be read: {str(error)[:200]}") from None
            types.add(found.type)
            if len(types) > TYPES:
                raise Wrong(line, f"the log has over {TYPES:,} types of objects")
            if type is None or found.type == type:
                self._file.execute("INSERT OR IGNORE INTO object VALUES(?, ?)", (found.id, found.type))
        if "events" not in keys and "objects" not in keys:
            raise Wrong(0, "the JSON is not OCEL 2.0, which has `events` and `objects`")
        listed = ", ".join(repr(name) for name in sorted(types)[:30])
        if type is not None and type not in types:
            raise Wrong(0, f"the log has no objects of the type {type!r}; it has {listed}")
        if type is None and len(types) > 1:
            raise Wrong(
                0,
                f"name the type of the objects that are the cases by --object-type: {listed}; an event of several "
                "of them counts for each",
            )

    def has(self, id: str) -> bool:
        """Tell whether an object is a case."""
        return self._file.execute("SELECT 1 FROM object WHERE id = ?", (id,)).fetchone() is not None


def elements(chunks: Iterable[bytes]) -> Iterator[tuple[str, int, str]]:
    """Yield the objects in the arrays of the outermost object: the array's key, the line, the text.

    Raises Wrong for a text that does not end where it should, and for an element without an end.
    """
    scanner = _Scanner()
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    for chunk in chunks:
        try:
            text = decoder.decode(chunk)
        except UnicodeDecodeError:
            raise Wrong(scanner.line, "the text is not UTF-8") from None
        yield from scanner.feed(text)
    scanner.finish()


class _Scanner:
    """Finds the elements without reading the whole. `kept`: the text since the element or the string has begun."""

    def __init__(self) -> None:
        self.line = 1
        self._open: list[str] = []
        self._kept = ""
        self._from: int | None = None
        self._is_text = self._is_escaped = False
        self._began = 1
        self._key = ""
        self._over = False

    def feed(self, chunk: str) -> Iterator[tuple[str, int, str]]:
        text = self._kept + chunk
        start = 0 if self._from is not None else None
        at = seen = len(self._kept)
        if self._is_escaped and chunk:
            self._is_escaped = False
            at += 1
        while (match := MARKS.search(text, at)) is not None:
            place, mark = match.start(), match[0]
            at = place + 1
            self.line += text.count("\n", seen, place)
            seen = place
            if self._is_text:
                if mark == "\\":
                    at += 1
                    self._is_escaped = at > len(text)
                elif mark == '"':
                    self._is_text = False
                    if len(self._open) == 1 and start is not None:
                        self._key, start = text[start + 1 : place], None
            elif mark == '"':
                self._is_text = True
                if len(self._open) == 1:
                    start = place
            elif mark in "{[":
                if self._over or (not self._open and mark == "["):
                    raise Wrong(self.line, "the JSON is not OCEL 2.0, which is one object")
                self._open.append(mark)
                if self._open == ["{", "[", "{"]:
                    start, self._began = place, self.line
                if len(self._open) > 128:
                    raise Wrong(self.line, "the JSON is nested over 128 levels deep")
            elif mark in "}]":
                if not self._open or (self._open.pop() == "{") != (mark == "}"):
                    raise Wrong(self.line, f"the JSON is broken at {mark!r}")
                if self._open == ["{", "["] and mark == "}" and start is not None:
                    yield self._key, self._began, text[start:at]
                    start = None
                self._over = not self._open
        self.line += text.count("\n", seen)
        self._kept = "" if start is None else text[start:]
        self._from = start
        if len(self._kept) > EVENT_BYTES:
            raise Wrong(self._began, f"an element has over {EVENT_BYTES:,} characters")

    def finish(self) -> None:
        if not self._over:
            raise Wrong(self.line, "the JSON is cut off")
