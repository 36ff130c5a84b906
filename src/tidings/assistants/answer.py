"""Answers made of quotes: the choice of passages, their order, their length and their marks. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .corpus import Passage
from .search import Hit

NOTHING = "I could not find this in the Tidings docs"

WORDS = 170
"""The length of an answer in words: about as much as people read at a glance."""
SOURCES = 4
LONG_TABLE = 100
"""The number of words of a table, bars included, above which only the rows that were asked for are quoted."""

_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z`*\"])")


@dataclass(frozen=True, slots=True)
class Quote:
    """A quote of a passage, word for word, and the number of its mark.

    The mark stands behind prose. Behind a table or code, which it would break, it has a line of its own.
    """

    number: int
    text: str
    passage: Passage

    @property
    def mark(self) -> str:
        apart = self.text.endswith(("```", "~~~", "|"))
        return f"{chr(10) * 2 if apart else ' '}[{self.number}]"


def compose(hits: Sequence[Hit]) -> list[Quote]:
    """Choose the quotes that answer, the most direct quote first. Returns [] when there are no hits.

    All are from the best section: another section rarely answers the same question. If the question names the section's
    heading, its first paragraph comes first, since a page answers a heading there. Otherwise the paragraph with most of
    the question's words comes first. The rest of the section follows in the order of the page.
    """
    best = [hit for hit in hits if hit.passage.section == hits[0].passage.section]
    chosen: list[Quote] = []
    left = WORDS
    for hit in _best_first(best):
        text = _shortened(hit, left)
        if text and len(chosen) < SOURCES:
            chosen.append(Quote(len(chosen) + 1, text, hit.passage))
            left -= len(text.split())
    return chosen


def _best_first(section: list[Hit]) -> Iterator[Hit]:
    if not section:
        return
    opening = 0 if _asked(section[0]) else max(range(len(section)), key=lambda at: (section[at].score, -at))
    quoted = True
    for hit in section[opening:]:
        # Code is searched for names only: it belongs to the passage above it.
        quoted = quoted if hit.passage.kind == "code" else hit is section[opening] or _asked(hit) or hit.score > 0
        if quoted:
            yield hit


def _asked(hit: Hit) -> bool:
    """Check if the question names the heading of the section."""
    return hit.headed >= 0.5


def _shortened(hit: Hit, words: int) -> str:
    """Return the passage, or as much of it as fits into `words`: the first sentences of prose, the rows of a table that
    were asked for. Returns "" if that is nothing."""
    passage = hit.passage
    count = len(passage.text.split())
    if passage.kind == "table" and count > min(words, LONG_TABLE):
        return _rows(passage.text, () if _asked(hit) else hit.words, words)
    if count <= words:
        return passage.text
    return _fitting(_SENTENCE.split(passage.text), words, " ") if passage.kind == "prose" else ""


def _rows(table: str, sought: Sequence[str], words: int) -> str:
    """Return the head of a table with the rows that hold most of the sought words, or with all rows if none holds any.

    The text above the table belongs to its head.
    """
    rows = table.rpartition("\n\n")[2].split("\n")[2:]
    head = table.removesuffix("\n".join(rows))
    stems = [word[: max(4, len(word) - 2)] for word in sought]
    counts = [sum(stem in row.lower() for stem in stems) for row in rows]
    best = [row for row, count in zip(rows, counts, strict=True) if count == max(counts)]
    fitting = _fitting(best, words - len(head.split()), "\n")
    return head + fitting if fitting else ""


def _fitting(parts: Sequence[str], words: int, between: str) -> str:
    """Return as many of the first parts as fit into `words`."""
    kept: list[str] = []
    for part in parts:
        words -= len(part.split())
        if words < 0:
            break
        kept.append(part)
    return between.join(kept)
