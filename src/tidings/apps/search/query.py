"""PURE: the parser of searches: words, quoted texts and conditions."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import NamedTuple

from tidings.apps.scripts import cut, is_unspaced
from tidings.errors import InvalidRequest

WORDS = 16
"""Words that one search may name."""

KINDS = ("file", "image", "link")
"""Values of `has:`."""

_TERM = re.compile(
    r'(from|in|before|has):(?!\S)|(?:(from|in|before|has):)?(?:"([^"]*)"?|([^\s"]+))',
    re.IGNORECASE,
)
_SIGNS = {"from": "@", "in": "#"}
"""Signs that people write before names."""

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Query(NamedTuple):
    """A search. `match`: words in the language of FTS5, None without any.

    `author`: the beginning of a word of the author's name, in any case. `place`: the beginning of a word of a room's
    name, a room's id, or `conversations`. `before`: Unix seconds. `has`: some of KINDS.
    """

    match: str | None
    author: str | None = None
    place: str | None = None
    before: float | None = None
    has: frozenset[str] = frozenset()


def parse(text: str, me: str | None = None) -> Query:
    """Read a search: words, texts in quotes, and the conditions `from:`, `in:`, `before:` and `has:`.

    Words match beginnings of words, and quoted texts match exactly. A word of a script without spaces matches anywhere:
    its characters are searched for in a row. `from:me` is the name `me`. Raises InvalidRequest.
    """
    terms: list[str] = []
    named: dict[str, str] = {}
    has: set[str] = set()
    for alone, operator, quoted, word in _TERM.findall(text):
        name, value = (operator or alone).lower(), (quoted or word).replace("\0", " ").strip()
        value = value.removeprefix(_SIGNS.get(name, ""))
        if not name:
            if any(character.isalnum() for character in value):
                terms.append(f'"{cut(value)}"' + ("" if quoted or is_unspaced(value[-1]) else "*"))
        elif not value:
            raise InvalidRequest(f'Write a value right after "{name}:", without a space.')
        elif name == "has":
            if value.lower() not in KINDS:
                raise InvalidRequest(f'Write {", ".join(KINDS[:-1])} or {KINDS[-1]} after "has:".')
            has.add(value.lower())
        elif name in named:
            raise InvalidRequest(f'Write "{name}:" once.')
        else:
            named[name] = value
    if not terms and not named and not has:
        raise InvalidRequest("Name a word to search for.")
    if len(terms) > WORDS:
        raise InvalidRequest(f"Search for at most {WORDS} words.")
    author = named.get("from")
    return Query(
        " ".join(terms) or None,
        me if author and author.casefold() == "me" and me else author,
        named.get("in"),
        _day(named["before"]) if "before" in named else None,
        frozenset(has),
    )


def _day(text: str) -> float:
    """Return the beginning of a day in UTC, in Unix seconds."""
    try:
        if _DAY.fullmatch(text):
            return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
    except ValueError:
        pass
    raise InvalidRequest('Write a day after "before:", such as before:2026-11-29.')
