"""Full-text search over passages, which also decides that nothing answers. SQLite FTS5, in memory."""

from __future__ import annotations

import math
import re
import sqlite3
import threading
import weakref
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from .corpus import Passage

ENOUGH = 0.66
"""The share of a question's weight (rare words weigh most) that a section must cover to answer the question.

Questions about something else that share a word with the pages stay below it, such as "the capital of the United
States", which shares `state`."""

RARE = 3
"""A single word is a question by itself only if at most this many passages contain it: `Ollama` can, `time` cannot."""

_WORD = re.compile(r"[^\W_]+(?:[._][^\W_]+)*")
"""A word, or a name made of words, such as `TIDINGS_HOST` and `run.failed`, which is searched as a whole."""

_CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)

_STOP_WORDS = (
    "a about after all am an and any are as at be been before being between but by can could did difference "
    "different do does doing done explain for from get give had has have hello hey hi how i if in into is it its "
    "just know let like list make may me mean meaning means might more most much must my need no not of on one or "
    "our please possible same should show so some such support supported supports tell than thank thanks that the "
    "their them then there these they thing this those to too two up us use used uses using want was we were what "
    "whats when where which while who why will with without work works would you your "
)
_STOP = frozenset(_STOP_WORDS.split())

_SAME = (
    {"resume", "reconnect", "continue"},
    {"deploy", "restart", "redeploy", "deployment"},
    {"crash", "die", "dies", "kill", "killed", "dead", "crashes"},
    {"lose", "lost", "loses", "loss"},
    {"promise", "guarantee"},
    {"stop", "cancel", "abort"},
    {"server", "process", "worker"},
    {"llm", "model"},
    {"auth", "authentication", "token", "authorise", "authorize"},
    {"config", "configure", "configuration", "setting"},
    {"cli", "command"},
    {"publish", "send", "emit"},
    {"subscribe", "follow", "listen"},
    {"client", "reader"},
    {"delete", "remove"},
    {"install", "installation"},
    {"license", "licence"},
    {"sse", "stream"},
)
"""Words that mean the same in these pages, which a search by words cannot know."""

_EXPANDED = {word: sorted(group) for group in _SAME for word in group} | {"proxy": ["caddy", "nginx", "proxy"]}


def terms(question: str) -> list[str]:
    """Return the words of a question that carry its meaning, once each.

    The product's name counts only when it is alone.
    """
    words = dict.fromkeys(word for word in _WORD.findall(question.lower()) if word not in _STOP and len(word) > 1)
    return [word for word in words if word != "tidings"] or list(words)


@dataclass(slots=True)
class Hit:
    """A passage that matches. `score` and `headed`: the shares (0 to 1) of the question's weight that the words of the
    passage and of its heading cover. `section`: the rank of its section, equal for all hits of it, higher is better."""

    passage: Passage
    score: float = 0.0
    headed: float = 0.0
    section: float = 0.0


@dataclass(slots=True)
class _Section:
    rows: list[int] = field(default_factory=list)
    terms: set[int] = field(default_factory=set)
    headed: float = 0.0
    titled: float = 0.0

    def rank(self, covered: float, best: float, heading: str, question: str) -> float:
        """The rank of the section, higher is better. A heading with the question's words counts most, more so if it has
        no others, and most of all if it is the question word for word."""
        exact = self.headed * len(self.terms) / max(len(terms(heading)), len(self.terms))
        same = _WORD.findall(heading.lower()) == _WORD.findall(question.lower())
        return covered + self.headed + 0.5 * best + 0.1 * self.titled + 0.5 * exact + same


class Index:
    """An index of passages, searched from any thread, one call at a time.

    `load` is called once, at the first search.
    """

    def __init__(self, load: Callable[[], Sequence[Passage]]) -> None:
        self._load = load
        self._lock = threading.Lock()
        self._passages: Sequence[Passage] = ()
        self._db: sqlite3.Connection | None = None

    def build(self) -> sqlite3.Connection:
        """Read the pages and index them. Idempotent.

        Blocks for 30 ms, so call it in a thread before the first search.
        """
        with self._lock:
            return self._opened()

    def search(self, question: str) -> list[Hit]:
        """Return the passages of the sections that answer, the best section first, or []."""
        with self._lock:
            words = terms(question)
            found = self._matches(self._opened(), words)
        return _ranked(self._passages, found, question, vague=_is_vague(words, found))

    def _opened(self) -> sqlite3.Connection:
        if self._db is None:
            self._passages = self._load()
            db = sqlite3.connect(":memory:", check_same_thread=False)
            columns = "title, heading, text, code"
            db.execute(f"CREATE VIRTUAL TABLE passages USING fts5({columns}, tokenize = 'porter unicode61')")
            rows = [
                (number, p.title, p.heading, _CODE.sub("", p.text), " ".join(_CODE.findall(p.text)))
                for number, p in enumerate(self._passages)
            ]
            db.executemany(f"INSERT INTO passages (rowid, {columns}) VALUES (?, ?, ?, ?, ?)", rows)
            weakref.finalize(self, db.close)
            self._db = db
        return self._db

    def _matches(self, db: sqlite3.Connection, words: list[str]) -> list[dict[str, set[int]]]:
        """Find the rows of each word, by column. Words are quoted, so that a question is never an FTS expression.

        Code blocks are examples, so that only the names in them are searched.
        """
        query = "SELECT rowid FROM passages WHERE passages MATCH ?"

        def rows(column: str, word: str) -> set[int]:
            return {row for (row,) in db.execute(query, (f"{{{column}}} : ({_alternatives(word)})",))}

        return [
            {
                "title": rows("title", word),
                "heading": rows("heading", word),
                "text": rows("text" if word.isalnum() else "text code", word),
            }
            for word in words
        ]


def _is_vague(words: list[str], found: list[dict[str, set[int]]]) -> bool:
    """Return True if the question is a single common word."""
    return len(words) == 1 and words[0].isalnum() and len(found[0]["text"]) > RARE


def _alternatives(word: str) -> str:
    return " OR ".join(f'"{same}"' for same in _EXPANDED.get(word, [word]))


def _ranked(passages: Sequence[Passage], found: list[dict[str, set[int]]], question: str, *, vague: bool) -> list[Hit]:
    """Return the hits of the sections that cover enough.

    `vague`: the only word is common and must be in the heading.
    """
    weights = [_rarity(len(columns["text"] | columns["heading"]), len(passages)) for columns in found]
    total = sum(weights)
    if not total:
        return []
    sections: dict[tuple[str, str], _Section] = defaultdict(_Section)
    hits = [Hit(passage) for passage in passages]
    for row, passage in enumerate(passages):
        sections[passage.section].rows.append(row)
    for word, (columns, weight) in enumerate(zip(found, weights, strict=True)):
        share = weight / total
        for row in columns["text"]:
            hits[row].score += share
        for section in sections.values():
            first = section.rows[0]
            headed, titled = float(first in columns["heading"]), float(first in columns["title"])
            section.headed += share * headed
            section.titled += share * titled
            if headed or titled or any(row in columns["text"] for row in section.rows):
                section.terms.add(word)
    ranked: list[tuple[float, float, list[int]]] = []
    for section in sections.values():
        covered = sum(weights[word] for word in section.terms) / total
        best = max(hits[row].score for row in section.rows)
        if covered < ENOUGH or (vague and not section.headed):
            continue
        heading = passages[section.rows[0]].heading
        ranked.append((section.rank(covered, best, heading, question), section.headed, section.rows))
    ranked.sort(key=lambda entry: -entry[0])
    for score, headed, rows in ranked:
        for row in rows:
            hits[row].section, hits[row].headed = score, headed
    return [hits[row] for _, _, rows in ranked for row in rows]


def _rarity(rows: int, of: int) -> float:
    """Return the weight of a word that `rows` of `of` passages have. A word that no passage has weighs most."""
    return math.log((of + 1) / (rows + 0.5))
