"""PURE: event logs as tables of text (CSV), with any usual separator."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterable, Iterator, Sequence

from .records import EVENT_BYTES, OWN, Found, Options, Wrong, record
from .times import Times

SEPARATORS = ",;\t|"

CASES = ("case:concept:name", "case", "case_id", "caseid", "case id", "case_concept_name", "trace_id")
ACTIVITIES = ("concept:name", "activity", "activity_name", "activity name", "event", "concept_name", "task")
TIMESTAMPS = (
    "time:timestamp",
    "timestamp",
    "complete_timestamp",
    "complete timestamp",
    "time",
    "time_timestamp",
    "date",
)
LIFECYCLES = ("lifecycle:transition", "lifecycle")
RESOURCES = ("org:resource", "resource")
"""Names of columns, in any capitals. The first that the table has is taken."""


def events(chunks: Iterable[bytes], options: Options, times: Times) -> Iterator[Found]:
    """Yield the events of a table, in the order of the file. Raises Wrong for what is no table."""
    lines = _Lines(chunks, options.encoding)
    header = next(lines, "")
    separator = max(SEPARATORS, key=header.count)
    if not header.count(separator):
        raise Wrong(1, "the file is not a table: its first line has no column names, separated by commas or semicolons")
    rows = csv.reader(lines.after(header), delimiter=separator, strict=True)
    try:
        columns = _Columns(next(rows), options)
        line = lines.number + 1
        for row in rows:
            if row and (len(row) > 1 or row[0].strip()):
                yield from columns.event(line, row, times)
            line = lines.number + 1
    except csv.Error as error:
        raise Wrong(lines.number, f"the table cannot be read: {error}") from None


class _Columns:
    """The columns of a table that have a meaning, by their places."""

    def __init__(self, header: Sequence[str], options: Options) -> None:
        self._header = header
        self._case = self._place(header, "case", options.case, CASES)
        self._activity = self._place(header, "activity", options.activity, ACTIVITIES)
        self._timestamp = self._place(header, "timestamp", options.timestamp, TIMESTAMPS)
        self._lifecycle = _first(header, LIFECYCLES)
        self._wanted = options.lifecycle.lower() if options.lifecycle else None
        if self._wanted is not None and self._lifecycle is None:
            raise Wrong(1, "the table has no column lifecycle:transition or lifecycle, for --lifecycle")
        self._names: list[tuple[int, str]] = []
        resource = _first(header, RESOURCES)
        for place, name in enumerate(header):
            if place in (self._lifecycle, resource):
                self._names.append((place, "lifecycle" if place == self._lifecycle else "resource"))
            elif place not in (self._case, self._activity, self._timestamp) and name.strip():
                self._names.append((place, f"event:{name}" if name in OWN else name))

    def _place(self, header: Sequence[str], what: str, chosen: str | None, usual: Sequence[str]) -> int:
        names = ", ".join(repr(name) for name in header[:30])
        if chosen is not None:
            if header.count(chosen) != 1:
                how = "has no column" if chosen not in header else "has more than one column"
                raise Wrong(1, f"the table {how} {chosen!r}; its columns are {names}")
            return header.index(chosen)
        place = _first(header, usual)
        if place is None:
            raise Wrong(1, f"no column of the table is the {what}: name it by --{what}; its columns are {names}")
        return place

    def event(self, line: int, row: Sequence[str], times: Times) -> Iterator[Found]:
        """Yield the event of a row, unless it has another lifecycle."""
        if len(row) != len(self._header):
            yield Wrong(
                line,
                f"the row has {len(row)} fields, and the table {len(self._header)} columns: "
                "a field that holds the separator must be in quotes",
            )
            return
        if self._wanted is not None and self._lifecycle is not None and row[self._lifecycle].lower() != self._wanted:
            return
        try:
            at = times.read(row[self._timestamp])
        except ValueError as error:
            yield Wrong(line, str(error))
            return
        fields = {name: row[place] for place, name in self._names if row[place]}
        yield record(line, row[self._case], row[self._activity], at, fields)


def _first(header: Sequence[str], usual: Sequence[str]) -> int | None:
    lowered = [name.strip().lower() for name in header]
    return next((lowered.index(name) for name in usual if name in lowered), None)


class _Lines(Iterator[str]):
    """The lines of a text, with their ends. Only a line feed ends a line. `number`: lines so far."""

    def __init__(self, chunks: Iterable[bytes], encoding: str | None) -> None:
        self.number = 0
        self._chunks = iter(chunks)
        self._encoding = encoding
        self._decoder: codecs.IncrementalDecoder | None = None
        self._ready: list[str] = []
        self._rest = ""

    def after(self, header: str) -> Iterator[str]:
        """Iterate over the lines, the first of which was read before."""
        self.number = 0
        yield self._counted(header)
        yield from self

    def __next__(self) -> str:
        while not self._ready:
            chunk = next(self._chunks, None)
            text = self._rest + self._decoded(chunk or b"", last=chunk is None)
            if chunk is None:
                self._rest = ""
                if not text:
                    raise StopIteration
                self._ready = [text]
                break
            *lines, self._rest = text.split("\n")
            self._ready = [line + "\n" for line in reversed(lines)]
            if len(self._rest) > EVENT_BYTES:
                raise Wrong(self.number + len(lines) + 1, f"the line has over {EVENT_BYTES:,} characters")
        return self._counted(self._ready.pop())

    def _counted(self, line: str) -> str:
        self.number += 1
        if "\0" in line:
            raise Wrong(self.number, "the file is no text: it holds a NUL; give its --encoding if it is UTF-16")
        return line

    def _decoded(self, chunk: bytes, *, last: bool) -> str:
        try:
            if self._decoder is None:
                marked = chunk.startswith((b"\xff\xfe", b"\xfe\xff"))
                self._decoder = codecs.getincrementaldecoder(self._encoding or ("utf-16" if marked else "utf-8-sig"))()
            return self._decoder.decode(chunk, last)
        except LookupError:
            raise Wrong(0, f"there is no encoding {self._encoding!r}") from None
        except (UnicodeDecodeError, UnicodeError) as error:
            at = getattr(error, "start", 0)
            line = self.number + self._rest.count("\n") + chunk[:at].count(b"\n") + 1
            raise Wrong(
                line, f"the text is not {self._encoding or 'UTF-8'}: give its --encoding, such as latin-1"
            ) from None
