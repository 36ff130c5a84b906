"""Full-text search over passages, which also decides that nothing answers. SQLite FTS5, in memory."""

from __future__ import annotations

import math
import re
import sqlite3
import threading
import weakref
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .corpus import Passage
from .words import alternatives, corrected, questions, terms, words_of

ENOUGH = 1.3
"""The least rank of a section that answers a question. A heading that has half of the question's weight reaches it.

Questions about something else that share a word with the pages stay below it, such as "How do I run a marathon?"."""

SPECIFIC = 9.0
"""The weight of a question of rare words, two or more. A passage that has them all answers it, whatever its heading."""

HEAVIEST = 5.0
"""The weight of a word of few passages or none. Otherwise a word such as "quickly" outweighs the rest."""

RARE = 3
"""A single word is a question by itself if at most this many passages contain it, such as `Ollama`. Any other single
word must be half of a heading."""

MOST = 40
"""The words of a question that are searched for, the first ones. A search takes 0.5 ms for each."""

_CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


@dataclass(slots=True)
class Hit:
    """A passage that matches. `score` and `headed`: the shares (0 to 1) of the question's weight that the words of the
    passage and of its heading cover. `section`: the rank of its section, equal for all hits of it, higher is better.
    `words`: the words that were searched for, with those that mean the same."""

    passage: Passage
    score: float = 0.0
    headed: float = 0.0
    section: float = 0.0
    words: tuple[str, ...] = ()


@dataclass(slots=True)
class _Section:
    """The rows of a section's passages, the words of its heading, and the number of those that carry its meaning."""

    rows: list[int]
    heading: set[str]
    terms: int

    def alike(self, asked: set[str], headed: set[int], share: float) -> float:
        """The bonus of a heading that asks the same. `headed`: the question's words in it; `share`: their weight."""
        exact = share * min(len(headed) / max(self.terms, 1), 1.0)
        return 0.5 * exact + 0.3 * len(self.heading & asked) / len(self.heading | asked)


class Index:
    """An index of passages, searched from any thread, one call at a time.

    `load` is called once, at the first search.
    """

    def __init__(self, load: Callable[[], Sequence[Passage]]) -> None:
        self._load = load
        self._lock = threading.Lock()
        self._passages: Sequence[Passage] = ()
        self._sections: list[_Section] = []
        self._vocabulary: frozenset[str] = frozenset()
        self._db: sqlite3.Connection | None = None

    def build(self) -> sqlite3.Connection:
        """Read the pages and index them. Idempotent.

        Blocks for 100 ms, so call it in a thread before the first search.
        """
        with self._lock:
            return self._opened()

    def search(self, question: str) -> list[Hit]:
        """Return the passages of the sections that answer, the best section first, or [].

        The last paragraph of a text is searched first, because people ask at the end. Of its sentences that one counts
        which has the best answer.
        """
        last = question.strip().rpartition("\n\n")[2]
        with self._lock:
            for text in dict.fromkeys((last, question)):
                answers = [self._answers(one) for one in questions(text)]
                if best := max(answers, key=lambda hits: hits[0].section if hits else 0.0):
                    return best
        return []

    def _answers(self, text: str) -> list[Hit]:
        db = self._opened()
        words = list(dict.fromkeys(filter(None, (corrected(word, self._vocabulary) for word in terms(text)[:MOST]))))
        return self._ranked(words, self._matches(db, words), text)

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
            self._sections = _sections(self._passages)
            texts = (f"{passage.heading} {passage.text}" for passage in self._passages)
            self._vocabulary = frozenset(word for text in texts for word in words_of(text))
            self._db = db
        return self._db

    def _matches(self, db: sqlite3.Connection, words: list[str]) -> list[dict[str, set[int]]]:
        """Find the rows of each word, by column. Words are quoted, so that a question is never an FTS expression.

        Code blocks are examples, so that only the names in them are searched.
        """
        query = "SELECT rowid FROM passages WHERE passages MATCH ?"

        def rows(column: str, word: str) -> set[int]:
            any_of = " OR ".join(f'"{same}"' for same in alternatives(word))
            return {row for (row,) in db.execute(query, (f"{{{column}}} : ({any_of})",))}

        return [
            {
                "title": rows("title", word),
                "heading": rows("heading", word),
                "text": rows("text" if word.isalnum() else "text code", word),
            }
            for word in words
        ]

    def _is_name(self, word: str, rows: set[int]) -> bool:
        """Check if a word is a question by itself: a name such as `TIDINGS_HOST`, or a rare word of the pages."""
        return not word.isalnum() or (word in self._vocabulary and len(rows) <= RARE)

    def _ranked(self, words: list[str], found: list[dict[str, set[int]]], question: str) -> list[Hit]:
        """Return the hits of the sections that rank high enough, the best section first."""
        weights = [_rarity(len(columns["text"] | columns["heading"]), len(self._passages)) for columns in found]
        if not sum(weights):
            return []
        shares = [weight / sum(weights) for weight in weights]
        single = len(words) == 1
        specific = sum(weights) >= SPECIFIC if not single else self._is_name(words[0], found[0]["text"])
        asked = set(words_of(question))
        sought = tuple(same for word in words for same in alternatives(word))
        ranked: list[tuple[float, list[Hit]]] = []
        for section in self._sections:
            first = section.rows[0]
            headed = {n for n, columns in enumerate(found) if first in columns["heading"]}
            above = headed | {n for n, columns in enumerate(found) if first in columns["title"]}
            inside = [{n for n, columns in enumerate(found) if row in columns["text"]} for row in section.rows]
            best = max(sum(shares[n] for n in above | some) for some in inside)
            in_heading = sum(shares[n] for n in headed)
            rank = best + in_heading + section.alike(asked, headed, in_heading)
            whole = max(len(some) for some in inside) == len(words)
            named = rank >= ENOUGH and (not single or specific or 2 * len(headed) >= section.terms)
            if not (named or (whole and specific)):
                continue
            scores = (sum(shares[n] for n in some) for some in inside)
            own = zip(section.rows, scores, strict=True)
            ranked.append((rank, [Hit(self._passages[row], score, in_heading, rank, sought) for row, score in own]))
        ranked.sort(key=lambda entry: -entry[0])
        return [hit for _, hits in ranked for hit in hits]


def _sections(passages: Sequence[Passage]) -> list[_Section]:
    rows: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row, passage in enumerate(passages):
        rows[passage.section].append(row)
    return [_Section(own, set(words_of(heading)), len(terms(heading))) for (_, heading), own in rows.items()]


def _rarity(rows: int, of: int) -> float:
    """Return the weight of a word that `rows` of `of` passages have. A word that no passage has weighs most."""
    return min(math.log((of + 1) / (rows + 0.5)), HEAVIEST)
