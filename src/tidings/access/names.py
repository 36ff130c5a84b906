"""PURE: what a person may be called, how the name is written in a topic, and the topics of people."""

from __future__ import annotations

from tidings.errors import InvalidRequest

LONGEST = 60
"""Characters of the longest name."""

LONGEST_SLUG = 160
"""Bytes of the longest slug. A topic has 200, and `snapshots.users.SLUG` and `users.SLUG.conversations` must be topics:
60 letters of ASCII fit, 26 accented or Cyrillic ones and 17 of Chinese."""

_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-")


def valid_name(name: str) -> str:
    """The name itself, if it is one: 1 to 60 characters, none of which is invisible, with no space around them.

    Direction marks and characters without a width are invisible, too: two names must not look the same for them.
    Raises InvalidRequest.
    """
    if not 0 < len(name) <= LONGEST:
        raise InvalidRequest(f"A name has 1 to {LONGEST} characters.")
    if not name.isprintable():
        raise InvalidRequest("A name has no line breaks or other invisible characters.")
    if name != name.strip():
        raise InvalidRequest("A name neither begins nor ends with a space.")
    if len(slug(name)) > LONGEST_SLUG:
        raise InvalidRequest("This name is too long for its letters, of which each takes several bytes: shorten it.")
    return name


def slug(name: str) -> str:
    """The segment of a topic that stands for the name: any byte but a letter, a digit or `-` is written `_xx`.

    No two names share one. Raises InvalidRequest for a name that is no text.
    """
    try:
        raw = name.encode()
    except UnicodeEncodeError:
        raise InvalidRequest("A name is text: it has no half characters.") from None
    return "".join(chr(byte) if byte in _PLAIN else f"_{byte:02x}" for byte in raw)


def topics_of(name: str) -> list[str]:
    """The patterns of the topics that a person reads and publishes to. Which of them, and what, the apps' guards
    restrict further: a room's members, a run's room, who owns a conversation."""
    own = f"users.{slug(name)}"
    return ["rooms.*", own, f"{own}.*", "conversations.*", "runs.*", "presence"]
