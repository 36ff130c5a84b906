"""PURE: the people and the assistants that a message calls by `@`, where a reader takes it for a call."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import islice
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

from tidings.apps.scripts import is_unspaced

CALLS = 200
"""Occurrences of `@` in one message that are looked at. There may be 16,000, in a room of a thousand people."""

ADDRESS = 2_000
"""Characters before an `@` in which the beginning of its address is looked for."""

_SIGN = re.compile(r"@(?=\w)")
_WORD = re.compile(r"\w")
_QUOTES = re.compile(r"^( {0,3}>)[> \t]*", re.MULTILINE)
_BREAK = re.compile(r"[\s\0]")
_MARKED = re.compile(r"[`>\\\t]|~~~|   ")
"""A sign of code, of a quote or of an escape. A message without any need not be parsed, which takes 75 ms at most."""

# Rules that decide what is code and what is quoted. All others take time and change nothing: 16,000 brackets held the
# parser for 1.8 s. What nests deeper than 8 levels is left out, as 2,000 quote marks would be.
_RULES = ["code", "fence", "blockquote", "hr", "list", "heading", "escape", "backticks"]
_markdown = MarkdownIt("zero", {"maxNesting": 8}).enable(_RULES)
_markdown.disable(["text_join", "balance_pairs", "fragments_join"], ignoreInvalid=True)


EVERYONE = "room"
"""The name by which a message calls all members of its room."""


class Mentions(NamedTuple):
    """The names that a text calls: of members, in the order of the room, and of assistants. `everyone`: the text calls
    all members."""

    members: list[str]
    assistants: list[str]
    everyone: bool = False


def mentions(texts: Iterable[str], members: Sequence[str], assistants: Sequence[str]) -> dict[str, Mentions]:
    """The names that each text calls. A text of 16,000 characters takes up to 60 ms: call this in a thread."""
    people, answering, everyone = Callings(members), Callings(assistants), Callings([EVERYONE])
    found = {}
    for text in texts:
        open = spoken(text)
        found[text] = Mentions(people.named(open), answering.named(open), bool(everyone.named(open)))
    return found


def spoken(text: str) -> str:
    """The message without its code and its quotes, in which nobody is called. Empty where it holds no `@`."""
    if "@" not in text:
        return ""
    if not _MARKED.search(text):
        return text
    # A quote in a quote is quoted all the same, and each level would take as long as the message.
    return "\n".join(_spoken(_markdown.parse(_QUOTES.sub(r"\1 ", text))))


def _spoken(tokens: Sequence[Token]) -> Iterator[str]:
    quotes = 0
    for token in tokens:
        if token.type in ("blockquote_open", "blockquote_close"):
            quotes += token.nesting
        elif token.type == "inline" and not quotes:
            yield "".join("\0" if part.type == "code_inline" else part.content for part in token.children or ())


class Callings:
    """The names by which people are called. Made once for all messages of a batch: 3,000 names take 1.4 ms."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = names

    def named(self, text: str) -> list[str]:
        """The names that the text calls, in the order of all names.

        A call is `@Name`, or `@` and the first word of a name if no other name begins with it. Calls are whole words,
        in any case, and no part of an address. Where several names fit, the longest is meant.
        """
        folded = text.casefold()
        called = set()
        for sign in islice(_SIGN.finditer(folded), CALLS):
            if (name := self._called(folded, sign.end())) and not _joined(folded, sign.start()):
                called.add(name)
        return sorted(called, key=self._order.__getitem__)

    def _called(self, folded: str, at: int) -> str | None:
        for length in self._lengths:
            name = self._calls.get(folded[at : at + length])
            if name is not None and _ends(folded, at + length):
                return name
        return None

    @cached_property
    def _order(self) -> dict[str, int]:
        return {name: n for n, name in enumerate(self._names)}

    @cached_property
    def _calls(self) -> dict[str, str]:
        """The name behind each call, in lower case."""
        whole = {name.casefold(): name for name in self._order}
        firsts = Counter(call.split()[0] for call in whole if call.split())
        return {**{call.split()[0]: name for call, name in whole.items() if firsts[call.split()[0]] == 1}, **whole}

    @cached_property
    def _lengths(self) -> list[int]:
        return sorted({len(call) for call in self._calls}, reverse=True)


def _joined(text: str, at: int) -> bool:
    """Tell whether the `@` belongs to the word before it, as in an address of mail or of the web."""
    before = text[at - 1 : at]
    if _WORD.match(before) and not is_unspaced(before):
        return True
    word = _BREAK.split(text[max(0, at - ADDRESS) : at])[-1].lstrip("([{<'\"")
    host, slash, _ = word.partition("/")
    return "://" in word or word.startswith("www.") or bool(slash and "." in host.strip("."))


def _ends(text: str, at: int) -> bool:
    """Tell whether a name ends here: before no letter, or between two scripts, as in `@tomさん`."""
    after = text[at : at + 1]
    return not _WORD.match(after) or (is_unspaced(after) and not is_unspaced(text[at - 1]))
