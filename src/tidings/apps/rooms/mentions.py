"""PURE: who is named in a message by `@`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from itertools import islice

CALLS = 200
"""How many `@` of a message are looked at: it may be 16,000 of them, in a room of a thousand."""


def mentioned(text: str, names: Iterable[str]) -> list[str]:
    """Those of `names` that the text names, in the order of `names`: by `@Name`, or by the first word of a name if no
    other name has it. Whole words, in any case; where several names fit, the longest is meant."""
    if "@" not in text:
        return []
    names = list(names)
    called = _callings(names)
    lengths = sorted({len(call) for call in called}, reverse=True)
    folded = text.casefold()
    found = set()
    for sign in islice(re.finditer(r"(?<!\w)@(?=\w)", folded), CALLS):
        at = sign.end()
        for length in lengths:
            name = called.get(folded[at : at + length])
            if name is not None and not folded[at + length : at + length + 1].replace("_", "a").isalnum():
                found.add(name)
                break
    return [name for name in names if name in found]


def _callings(names: Iterable[str]) -> dict[str, str]:
    """What somebody is called by, and who that is."""
    whole = {name.casefold(): name for name in names}
    firsts = Counter(call.split()[0] for call in whole if call.split())
    return {**{call.split()[0]: name for call, name in whole.items() if firsts[call.split()[0]] == 1}, **whole}
