"""Answers made of quotes: the choice of passages, their order, their length and their marks. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from .corpus import Passage
from .search import Hit

NOTHING = "I could not find this in the Tidings docs"

WORDS = 170
"""The length of an answer in words: about as much as people read at a glance."""
SHORT = 60
"""The number of words up to which the best section's answer is too short to stand alone."""
SOURCES = 4
ELSEWHERE = 0.7
"""The share of the best section's score above which another section is quoted too."""

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

    The answer opens with the best section. If the question names the section's heading, its first paragraph comes
    first, since a page answers a heading there. Otherwise the paragraph with most of the question's words comes first.
    The rest of the section follows in the order of the page. If that is short, the best passage of each other section
    that ranks close is added.
    """
    if not hits:
        return []
    best = [hit for hit in hits if hit.passage.section == hits[0].passage.section]
    chosen = _chosen(_best_first(best), [], WORDS)
    used = sum(len(quote.text.split()) for quote in chosen)
    if used > SHORT:
        return chosen
    return _chosen(_elsewhere(hits[len(best) :], hits[0].section), chosen, WORDS - used)


def _chosen(hits: Iterable[Hit], chosen: list[Quote], left: int) -> list[Quote]:
    """Return `chosen` and as many more quotes as fit into `left` words."""
    for hit in hits:
        text = _shortened(hit.passage, left)
        if text and len(chosen) < SOURCES:
            chosen = [*chosen, Quote(len(chosen) + 1, text, hit.passage)]
            left -= len(text.split())
    return chosen


def _best_first(section: list[Hit]) -> Iterator[Hit]:
    asked = section[0].headed >= 0.5
    opening = 0 if asked else max(range(len(section)), key=lambda at: (section[at].score, -at))
    yield section[opening]
    yield from (hit for hit in section[opening + 1 :] if asked or hit.score > 0)


def _elsewhere(hits: Sequence[Hit], best: float) -> Iterator[Hit]:
    """Return the best passage of each section that ranks close to `best` and that has most of the question's words."""
    found: dict[tuple[str, str], Hit] = {}
    for hit in hits:
        known = found.setdefault(hit.passage.section, hit)
        if hit.score > known.score:
            found[hit.passage.section] = hit
    yield from (hit for hit in found.values() if hit.section >= ELSEWHERE * best and hit.score >= 0.5)


def _shortened(passage: Passage, words: int) -> str:
    """Return the passage, or as many of its first sentences as fit into `words`, or "" if it cannot be cut."""
    if len(passage.text.split()) <= words:
        return passage.text
    if passage.kind != "prose":
        return ""
    kept: list[str] = []
    for sentence in _SENTENCE.split(passage.text):
        words -= len(sentence.split())
        if words < 0:
            break
        kept.append(sentence)
    return " ".join(kept)
