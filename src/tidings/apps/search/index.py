"""The index of texts: a temporary SQLite file of this process, which is lost with the process.

The index is made from the logs of rooms, conversations and runs. Each search first brings it up to their tails.
"""

from __future__ import annotations

import asyncio
import sqlite3
import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple, TypeVar

import msgspec

from tidings.apps.file import File
from tidings.apps.scripts import CUT, begins, cut
from tidings.delivery.hub import Hub
from tidings.errors import NotFound, Unavailable
from tidings.events import ORIGIN, Event, Offset

from . import conversation_texts, room_texts
from .query import Query
from .texts import Change, Said, Taken

HITS = 20
"""Hits a page."""

AROUND = 120, 280
"""Characters shown before the first match, and from it on."""

BESIDE = 120
"""Characters shown of the text before a hit, and of the text after it."""

LAST = (1 << 63) - 1
"""No hit has a greater id."""

ROOMS, CONVERSATIONS = "rooms.", "conversations."

_OPEN, _SHUT = "\x02", "\x03"
_SCHEMA = """
CREATE VIRTUAL TABLE said USING fts5(
    text, topic UNINDEXED, n UNINDEXED, by UNINDEXED, time UNINDEXED, assistant UNINDEXED, run UNINDEXED,
    files UNINDEXED, tokenize = "unicode61 remove_diacritics 2", prefix = '2 3');
CREATE TABLE place(id INTEGER PRIMARY KEY, topic TEXT, n INTEGER, UNIQUE(topic, n));
"""
_BESIDE = """
SELECT by, assistant, substr(text, 1, ?) FROM said
WHERE rowid = (SELECT id FROM place WHERE topic = ? AND n {0} ? ORDER BY n {1} LIMIT 1)
"""
_HAS = {
    "file": "files <> '[]'",
    "image": 'files LIKE \'%"type":"image/%\'',
    "link": "(text LIKE '%https://_%' OR text LIKE '%http://_%')",
}

T = TypeVar("T")


class Beside(NamedTuple):
    """The beginning of the text before a hit, or after it, and its author."""

    by: str
    assistant: str | None
    text: str


class Found(NamedTuple):
    """A text that matches. `marks`: where in `text`, as pairs of positions. `id` orders by time. See `texts.Said`."""

    id: int
    topic: str
    n: int
    by: str
    time: float
    assistant: str | None
    run: str | None
    files: list[File]
    text: str
    marks: list[tuple[int, int]]
    previous: Beside | None
    following: Beside | None


class Search:
    """The index of a hub. All that it does to its file happens in one thread of its own."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self._at: dict[str, Offset] = {}
        self._waiting: dict[str, dict[str, int]] = {}
        self._owned: dict[str, set[str]] = {}
        self._turn = asyncio.Lock()
        self._thread: ThreadPoolExecutor | None = None
        self._file: sqlite3.Connection | None = None

    async def find(self, query: Query, topics: Mapping[str, Offset], before: int | None = None) -> list[Found]:
        """Return the newest hits in these topics, each with the tail that it is searched up to, that come before
        another hit. Raises Unavailable."""
        async with self._turn:
            for topic, tail in topics.items():
                if self._at.get(topic, ORIGIN) != tail:
                    await self._catch_up(topic, tail)
                if topic in self._waiting:
                    await self._take_answers(topic)
            return await self._run(lambda file: find(file, query, before, topics))

    async def keep_only(self, owner: str, topics: Collection[str]) -> None:
        """Remove the conversations that an owner had at an earlier search and has no more."""
        async with self._turn:
            for topic in self._owned.get(owner, set()).difference(topics):
                self._waiting.pop(topic, None)
                if self._at.pop(topic, None) is not None:
                    await self._run(partial(forget, topic=topic))
            self._owned[owner] = {*topics}

    async def close(self) -> None:
        """Close the file, after the searches under way."""
        async with self._turn:
            if self._thread is not None:
                # In its thread: a search that was cancelled may still be about to open the file there.
                await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
                self._thread.shutdown(wait=False)
                self._thread = None
                self._at.clear()
                self._waiting.clear()
                self._owned.clear()

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    async def _catch_up(self, topic: str, tail: Offset) -> None:
        at = self._at.get(topic, ORIGIN)
        if at.epoch != tail.epoch and at != ORIGIN:
            await self._run(lambda file: forget(file, topic))
            self._waiting.pop(topic, None)
            at = ORIGIN
        changes_of = room_texts.changes_of if topic.startswith(ROOMS) else conversation_texts.changes_of
        while at.epoch != tail.epoch or at.n < tail.n:
            try:
                page = await self.hub.read(topic, "earliest" if at == ORIGIN else at)
            except NotFound:
                return
            if page.lost in ("recreated", "deleted") or not page.events:
                return
            events = page.events

            def work(file: sqlite3.Connection, events: Sequence[Event] = events) -> list[Change]:
                changes = [change for event in events for change in changes_of(event)]
                take(file, topic, changes)
                return changes

            for change in await self._run(work):
                if isinstance(change, Said) and change.run:
                    self._waiting.setdefault(topic, {})[change.run] = change.n
            at = self._at[topic] = page.next

    async def _take_answers(self, topic: str) -> None:
        """Add the answers of a conversation's runs that have ended since the last search."""
        waiting = self._waiting[topic]
        for run, n in list(waiting.items()):
            answer = await conversation_texts.answer_of(self.hub, topic, run, n)
            if answer == "running":
                continue
            del waiting[run]
            if isinstance(answer, Said):
                await self._run(partial(take, topic=topic, changes=[answer]))
        if not waiting:
            del self._waiting[topic]

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


def opened() -> sqlite3.Connection:
    """Return an empty index, in a temporary file."""
    file = sqlite3.connect("", check_same_thread=False)
    file.create_function("begins", 2, begins, deterministic=True)
    file.executescript(_SCHEMA)
    return file


def take(file: sqlite3.Connection, topic: str, changes: Collection[Change]) -> None:
    """Change the index by what some events of a topic say."""
    for change in changes:
        if isinstance(change, Said):
            _add(file, topic, change)
            continue
        where = topic, change.n
        if isinstance(change, Taken):
            file.execute("DELETE FROM said WHERE rowid = (SELECT id FROM place WHERE topic = ? AND n = ?)", where)
            file.execute("DELETE FROM place WHERE topic = ? AND n = ?", where)
        else:
            said = change.said
            file.execute(
                "UPDATE said SET text = ?, files = ?, by = ? "
                "WHERE rowid = (SELECT id FROM place WHERE topic = ? AND n = ?) AND by IN ('', ?)",
                (_indexed(said.words), _written(said.files), said.by, *where, said.by),
            )


def forget(file: sqlite3.Connection, topic: str) -> None:
    """Remove the topic from the index."""
    file.execute("DELETE FROM said WHERE rowid IN (SELECT id FROM place WHERE topic = ?)", (topic,))
    file.execute("DELETE FROM place WHERE topic = ?", (topic,))


def find(file: sqlite3.Connection, query: Query, before: int | None, topics: Collection[str]) -> list[Found]:
    """Return the hits of a page and one more, if there are as many."""
    shown, where = "text", ["rowid < ?"]
    given: list[str | float] = [LAST if before is None else min(before, LAST)]
    conditions = {
        "topic IN (SELECT value FROM json_each(?))": msgspec.json.encode([*topics]).decode(),
        "said MATCH ?": query.match,
        "begins(CASE by WHEN '' THEN coalesce(assistant, '') ELSE by END, ?)": query.author,
        "time < ?": query.before,
    }
    for condition, value in conditions.items():
        if value is not None:
            where.append(condition)
            given.append(value)
    where += [_HAS[kind] for kind in sorted(query.has)]
    if query.match is None:
        where.append("text <> ''")
    else:
        shown, given = "highlight(said, 0, ?, ?)", [_OPEN, _SHUT, *given]
    sql = (
        f"SELECT rowid, topic, n, by, time, assistant, run, files, {shown} FROM said "
        f"WHERE {' AND '.join(where)} ORDER BY rowid DESC LIMIT {HITS + 1}"
    )
    return [_found(file, row) for row in file.execute(sql, given).fetchall()]


def _found(file: sqlite3.Connection, row: tuple[int, str, int, str, float, str | None, str | None, str, str]) -> Found:
    id, topic, n, by, time, assistant, run, files, text = row
    shown, marks = excerpt(text.replace(CUT, ""))
    beside = [
        file.execute(_BESIDE.format(*order), (2 * BESIDE, topic, n)).fetchone()
        for order in (("<", "DESC"), (">", "ASC"))
    ]
    previous, following = (
        Beside(row[0], row[1], row[2].replace(CUT, "")[:BESIDE]) if row is not None and row[2] else None
        for row in beside
    )
    attached = msgspec.json.decode(files, type=list[File])
    return Found(id, topic, n, by, time, assistant, run, attached, shown, marks, previous, following)


def excerpt(highlighted: str) -> tuple[str, list[tuple[int, int]]]:
    """The text around its first match, and where the matches are in it: UTF-16 units, as JavaScript counts."""
    first = max(highlighted.find(_OPEN), 0)
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


def _written(files: Collection[File]) -> str:
    return msgspec.json.encode([*files]).decode()


def _add(file: sqlite3.Connection, topic: str, said: Said) -> None:
    """By microseconds first, so that the order of the index is that of time, and nothing has to be sorted. A commit's
    events have one time: each comes after the one before it in its topic.
    """
    before = "SELECT id FROM place WHERE topic = ? AND n < ? ORDER BY n DESC LIMIT 1"
    last = file.execute(before, (topic, said.n)).fetchone()
    id = max(int(said.time * 1e6) << 11 | (zlib.crc32(topic.encode()) & 0x7FF), last[0] + 1 if last else 0)
    # Not asked of `said`: FTS5 writes out what it holds before it answers, which costs ten times the insert.
    while file.execute("SELECT 1 FROM place WHERE id = ?", (id,)).fetchone():
        id += 1 << 11
    values = id, _indexed(said.words), topic, said.n, said.by, said.time, said.assistant, said.run, _written(said.files)
    file.execute(
        "INSERT INTO said(rowid, text, topic, n, by, time, assistant, run, files) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
        values,
    )
    file.execute("INSERT INTO place VALUES(?, ?, ?)", (id, topic, said.n))
