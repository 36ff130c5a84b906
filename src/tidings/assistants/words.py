"""The words of a question: those that carry its meaning, how they are spelt, and others that mean the same. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection

LONG = 6
"""The least number of letters of a word whose spelling is corrected. Shorter words are often near to another one."""

SENTENCES = 5
"""The most sentences of a text that are tried as questions, the first ones."""

_WORD = re.compile(r"[^\W_]+(?:[._][^\W_]+)*")
"""A word, or a name made of words, such as `TIDINGS_HOST` and `run.failed`, which is searched as a whole."""

_LOG_IN = re.compile(r"\blog (?=(?:in|out|on|off)\b)")
"""The beginning of "log in", which the pages call "sign in", so that it is not taken for a log."""

_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")

_STOP_WORDS = (
    "a about after all already am an and any anymore are as at be been before being between but by can could did "
    "difference different do does doesn doing don done explain for from get give go had has have hello hey hi how i "
    "if in instead into is isn it its just know let like list make may me mean meaning means might more most much "
    "must my need no not of on one or our please possible same should show so some such support supported supports "
    "tell than thank thanks that the their them then there these they thing this those to too two up us use used uses "
    "using want was we were what whats when where which while who why will with without work works would you your "
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
    {"publish", "send", "sent", "emit"},
    {"subscribe", "follow", "listen"},
    {"client", "reader"},
    {"delete", "remove"},
    {"install", "installation"},
    {"license", "licence"},
    {"sse", "stream"},
    {"people", "person", "somebody", "someone", "anybody", "user", "colleague", "coworker", "teammate"},
    {"room", "channel"},
    {"conversation", "chat"},
    {"assistant", "bot", "ai"},
    {"create", "new"},
    {"again", "another"},
    {"share", "upload", "attach"},
    {"file", "document", "picture", "photo", "image", "attachment"},
    {"size", "big", "large", "maximum"},
    {"kept", "keep", "retention", "stored"},
    {"search", "find"},
    {"phone", "mobile", "smartphone"},
    {"react", "reaction", "emoji"},
    {"notification", "alert"},
    {"watch", "monitor"},
    {"security", "secure", "safe"},
    {"store", "database"},
    {"postgresql", "postgres"},
    {"javascript", "js"},
    {"docs", "documentation"},
    {"write", "written", "wrote"},
)
"""Words that mean the same in these pages, which a search by words cannot know."""

_EXPANDED = {word: sorted(group) for group in _SAME for word in group} | {"proxy": ["caddy", "nginx", "proxy"]}


def words_of(text: str) -> list[str]:
    """Return all words of a text, in lower case."""
    return _WORD.findall(_LOG_IN.sub("sign ", text.lower()))


def terms(question: str) -> list[str]:
    """Return the words of a question that carry its meaning, once each.

    The product's name counts only when it is alone. A question like "What can you do?" is about the
    assistant.
    """
    all_words = words_of(question)
    words = list(dict.fromkeys(word for word in all_words if word not in _STOP and len(word) > 1))
    if not words and "you" in all_words and not {"what", "who"}.isdisjoint(all_words):
        return ["assistant"]
    return [word for word in words if word != "tidings"] or words


def alternatives(word: str) -> list[str]:
    """Return the word, or the words that mean the same."""
    return _EXPANDED.get(word) or _EXPANDED.get(word.removesuffix("s")) or [word]


def corrected(word: str, vocabulary: Collection[str]) -> str:
    """Return the word as the vocabulary spells it, or "" if that is a word without meaning.

    A word that it has stays as it is, and so does a word that it has not, unless a single word differs by one letter.
    """
    if len(word) < LONG or word in vocabulary or word in _EXPANDED:
        return word
    near = {known for known in (*vocabulary, *_EXPANDED) if known[0] == word[0] and _differ_by_a_letter(word, known)}
    if len(near) != 1:
        return word
    (known,) = near
    return "" if known in _STOP else known


def questions(text: str) -> list[str]:
    """Return the texts to search for: the whole, and those of its sentences that are questions, or else the first."""
    found = [sentence for sentence in _SENTENCE.split(text) if sentence.strip()]
    asked = [sentence for sentence in found if sentence.rstrip().endswith("?")]
    return [text, *(asked or found[:1])[:SENTENCES]] if len(found) > 1 else [text]


def _differ_by_a_letter(a: str, b: str) -> bool:
    """Check if one letter was left out, added, changed or swapped with the next."""
    if abs(len(a) - len(b)) > 1:
        return False
    at = next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    x, y = a[at:], b[at:]
    return x[1:] == y or x == y[1:] or x[1:] == y[1:] or (x[:2] == y[1::-1] and x[2:] == y[2:])
