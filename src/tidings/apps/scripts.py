"""PURE: words in texts and names, also in scripts without spaces between words, or with particles joined to them."""

from __future__ import annotations

import re

UNSPACED = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f\u1780-\u17ff"  # Myanmar, Khmer
    "\u1100-\u11ff\uac00-\ud7af"  # Hangul
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f"  # kana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
)
"""The ranges of their characters, for a character class of a regular expression."""

_CHARACTER = re.compile(f"[{UNSPACED}]")

CUT = "\x04"
"""The mark that `cut` puts around characters. Texts of people hold no control characters."""


def is_unspaced(character: str) -> bool:
    """Tell whether a character belongs to such a script. False for an empty text."""
    return _CHARACTER.match(character) is not None


def cut(text: str) -> str:
    """Cut the text around each character of such a script, so that a search for words finds them one by one."""
    return _CHARACTER.sub(rf"{CUT}\g<0>{CUT}", text)


def begins(name: str, letters: str) -> bool:
    """Tell whether a word of the name begins with the letters, in any case."""
    return f" {letters.strip().casefold()}" in f" {name.casefold()}"
