"""Search in rooms: an index of this process's own, made from the rooms' logs, whichever store keeps them.

A search first reads the rooms up to their tails, so that it finds everything that any process had stored when it began.
The index is a temporary file of SQLite's without a name, and ends with the process.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
import zlib
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple, TypeVar

from tidings.delivery.hub import Hub
from tidings.errors import InvalidRequest, NotFound, Unavailable
from tidings.events import ORIGIN, Event, Offset

from . import facts
from .facts import AnswerPosted, MessageDeleted, MessageEdited, MessagePosted
from .rooms import PREFIX
from .scripts import CUT, cut, is_unspaced

HITS = 20
"""Hits a page."""

WORDS = 16
"""Words that one search may name."""

AROUND = 120, 280
"""Characters shown before the first match, and from it on."""

LAST = (1 << 63) - 1
"""No hit has a greater id."""

_OPEN, _SHUT = "\x02", "\x03"
_TERM = re.compile(r'"([^"]*)"?|([^\s"]+)')
_SCHEMA = """
CREATE VIRTUAL TABLE said USING fts5(
    text, room UNINDEXED, n UNINDEXED, by UNINDEXED, time UNINDEXED, assistant UNINDEXED, files UNINDEXED,
    tokenize = "unicode61 remove_diacritics 2", prefix = '2 3');
CREATE TABLE place(id INTEGER PRIMARY KEY, room TEXT, n INTEGER, UNIQUE(room, n));
"""
_FIND = """
SELECT rowid, room, n, by, time, assistant, highlight(said, 0, ?, ?) FROM said
WHERE said MATCH ? AND rowid < ? AND room IN (SELECT value FROM json_each(?)) ORDER BY rowid DESC LIMIT ?
"""

T = TypeVar("T")


class Found(NamedTuple):
    """A message or an answer that matches. `marks`: where in `text`, as pairs of positions. `id`: the order in time."""

    id: int
    room: str
    n: int
    by: str
    time: float
    assistant: str | None
    text: str
    marks: list[tuple[int, int]]


class Search:
    """The index of a hub's rooms. Only one thread, its own, uses its file."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self._at: dict[str, Offset] = {}
        self._turn = asyncio.Lock()
        self._thread: ThreadPoolExecutor | None = None
        self._file: sqlite3.Connection | None = None

    async def find(self, text: str, rooms: dict[str, Offset], before: int | None = None) -> list[Found]:
        """Return the newest hits in these rooms, a page and one more, that come before the hit with the id `before`.

        `rooms`: the tail up to which each room is searched, by its id. Raises InvalidRequest for a text without a word;
        Unavailable.
        """
        match = query(text)
        async with self._turn:
            for room, tail in rooms.items():
                if self._at.get(room, ORIGIN) != tail:
                    await self._catch_up(room, tail)
            return await self._run(lambda file: find(file, match, before, rooms))

    async def close(self) -> None:
        """Close the file, after the searches under way."""
        async with self._turn:
            if self._thread is not None:
                # In its thread: a search that was cancelled may still be about to open the file there.
                await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
                self._thread.shutdown(wait=False)
                self._thread = None
                self._at.clear()

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    async def _catch_up(self, room: str, tail: Offset) -> None:
        at = self._at.get(room, ORIGIN)
        if at.epoch != tail.epoch and at != ORIGIN:
            await self._run(lambda file: forget(file, room))
            at = ORIGIN
        while at.epoch != tail.epoch or at.n < tail.n:
            try:
                page = await self.hub.read(PREFIX + room, "earliest" if at == ORIGIN else at)
            except NotFound:
                return
            if page.lost in ("recreated", "deleted") or not page.events:
                return
            await self._run(partial(take, room=room, events=page.events))
            at = self._at[room] = page.next

    async def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        _ = self.hub.log  # raises Unavailable while the hub is closed
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, "tidings-search")

        def called() -> T:
            try:
                if self._file is None:
                    self._file = opened()
                with self._file:
                    return work(self._file)
            except sqlite3.OperationalError as error:
                # The folder of temporary files is full or read-only. What was added is undone, and is added again.
                raise Unavailable(f"The index of the search, a temporary file, cannot be used: {error}.") from None

        return await asyncio.get_running_loop().run_in_executor(self._thread, called)


def query(text: str) -> str:
    """Translate a search into the language of FTS5: words match beginnings of words, and quoted texts match exactly.
    A word of a script without spaces matches anywhere: its characters are searched for in a row.

    Raises InvalidRequest.
    """
    terms = []
    for quoted, word in _TERM.findall(text):
        term = (quoted or word).replace("\0", " ")
        if any(character.isalnum() for character in term):
            terms.append(f'"{cut(term)}"' + ("" if quoted or is_unspaced(term[-1]) else "*"))
    if not terms:
        raise InvalidRequest("Name a word to search for.")
    if len(terms) > WORDS:
        raise InvalidRequest(f"Search for at most {WORDS} words.")
    return " ".join(terms)


def opened() -> sqlite3.Connection:
    """An empty index, in a temporary file."""
    file = sqlite3.connect("", check_same_thread=False)
    file.executescript(_SCHEMA)
    return file


def take(file: sqlite3.Connection, room: str, events: Sequence[Event]) -> None:
    """Add what some events say; what they edit and delete is found no more."""
    for event in events:
        if event.redacted and event.json()["type"] == MessagePosted.type:
            _add(file, room, event, "", "", "", None)  # the place of the edit that says all of it
        elif event.type in (MessagePosted.type, AnswerPosted.type, MessageEdited.type, MessageDeleted.type):
            try:
                fact = facts.read(event.type, event.data)
            except InvalidRequest:
                continue
            match fact:
                case MessagePosted():
                    _add(file, room, event, fact.text, fact.words.removeprefix(fact.text), fact.by, None)
                case AnswerPosted():
                    _add(file, room, event, fact.text, "", "", fact.assistant)
                case MessageEdited():
                    message = facts.restated(fact)
                    files = _indexed(message.words.removeprefix(message.text))
                    values = _indexed(fact.text) + files, files, fact.author, *_place(fact.message, room), fact.author
                    file.execute(
                        "UPDATE said SET text = ?, files = ?, by = ? "
                        "WHERE rowid = (SELECT id FROM place WHERE room = ? AND n = ?) AND by IN ('', ?)",
                        values,
                    )
                case MessageDeleted():
                    where = _place(fact.message, room)
                    file.execute(
                        "DELETE FROM said WHERE rowid = (SELECT id FROM place WHERE room = ? AND n = ?)", where
                    )
                    file.execute("DELETE FROM place WHERE room = ? AND n = ?", where)


def forget(file: sqlite3.Connection, room: str) -> None:
    """Remove the room from the index."""
    file.execute("DELETE FROM said WHERE rowid IN (SELECT id FROM place WHERE room = ?)", (room,))
    file.execute("DELETE FROM place WHERE room = ?", (room,))


def find(file: sqlite3.Connection, match: str, before: int | None, rooms: Collection[str]) -> list[Found]:
    """Return the hits of a page and one more, if there are as many."""
    names = "[" + ",".join(f'"{room}"' for room in rooms) + "]"
    values = _OPEN, _SHUT, match, LAST if before is None else min(before, LAST), names, HITS + 1
    found = []
    for id, room, n, by, time, assistant, text in file.execute(_FIND, values):
        shown, marks = excerpt(text.replace(CUT, ""))
        found.append(Found(id, room, n, by, time, assistant, shown, marks))
    return found


def excerpt(highlighted: str) -> tuple[str, list[tuple[int, int]]]:
    """The text around its first match, and where the matches are in it: UTF-16 units, as JavaScript counts."""
    first = highlighted.find(_OPEN)
    begin, end = max(0, first - AROUND[0]), first + AROUND[1]
    text, marks, start = ("…" if begin else ""), [], 0
    for character in highlighted[begin:end]:
        if character == _OPEN:
            start = _units(text)
        elif character == _SHUT:
            marks.append((start, _units(text)))
        else:
            text += character
    if highlighted[begin:end].count(_OPEN) > len(marks):
        marks.append((start, _units(text)))
    return text + ("…" if end < len(highlighted) else ""), marks


def _units(text: str) -> int:
    return len(text) + sum(character > "\uffff" for character in text)


def _indexed(text: str) -> str:
    """The text as it is searched: without the marks of highlights, and with those of `cut`."""
    return cut(text.replace(_OPEN, " ").replace(_SHUT, " ").replace(CUT, " "))


def _place(offset: str, room: str) -> tuple[str, int]:
    return room, int(offset.rpartition("-")[2])


def _add(
    file: sqlite3.Connection, room: str, event: Event, text: str, files: str, by: str, assistant: str | None
) -> None:
    """By microseconds first, so that the order of the index is that of time, and nothing has to be sorted. A commit's
    events have one time: each comes after the one before it in its room. `files`: their names, which no edit changes.
    """
    assert event.offset is not None
    n, time, files = event.offset.n, event.time, _indexed(files)
    last = file.execute("SELECT id FROM place WHERE room = ? ORDER BY n DESC LIMIT 1", (room,)).fetchone()
    id = max(int(time * 1e6) << 11 | (zlib.crc32(room.encode()) & 0x7FF), last[0] + 1 if last else 0)
    # Not asked of `said`: FTS5 writes out what it holds before it answers, which costs ten times the insert.
    while file.execute("SELECT 1 FROM place WHERE id = ?", (id,)).fetchone():
        id += 1 << 11
    values = id, _indexed(text) + files, room, n, by, time, assistant, files
    file.execute(
        "INSERT INTO said(rowid, text, room, n, by, time, assistant, files) VALUES(?, ?, ?, ?, ?, ?, ?, ?)", values
    )
    file.execute("INSERT INTO place VALUES(?, ?, ?)", (id, room, n))
