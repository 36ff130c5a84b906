"""PURE: the rules for names of people, their spelling in topics, and the topics of people."""

from __future__ import annotations

import re

from tidings.errors import InvalidRequest

LONGEST = 60
"""Characters of the longest name."""

LONGEST_SLUG = 160
"""Bytes of the longest slug. A topic has at most 200 bytes, and `snapshots.users.SLUG` and `users.SLUG.conversations`
must be topics. 60 letters of ASCII fit, 26 accented or Cyrillic letters, and 17 of Chinese."""

_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-")


def valid_name(name: str) -> str:
    """Return the name, if it has 1 to 60 visible characters and no space around them. Raises InvalidRequest.

    Direction marks and characters without a width are invisible, too: two names must not differ by them alone.
    """
    if not 0 < len(name) <= LONGEST:
        raise InvalidRequest(f"A name has 1 to {LONGEST} characters.")
    if not name.isprintable():
        raise InvalidRequest("A name has no line breaks or other invisible characters.")
    if name != name.strip():
        raise InvalidRequest("A name neither begins nor ends with a space.")
    if len(slug(name)) > LONGEST_SLUG:
        raise InvalidRequest("This name is too long: each of its letters takes several bytes. Shorten it.")
    return name


def slug(name: str) -> str:
    """Return the segment of a topic that stands for the name: every byte but letters, digits and `-` becomes `_xx`.

    No two names share a slug. Raises InvalidRequest for a name with half a surrogate pair.
    """
    try:
        raw = name.encode()
    except UnicodeEncodeError:
        raise InvalidRequest("A name is text without half characters.") from None
    return "".join(chr(byte) if byte in _PLAIN else f"_{byte:02x}" for byte in raw)


def unslugged(text: str) -> str:
    """Return the name whose slug this is."""
    return re.sub(rb"_([0-9a-f]{2})", lambda found: bytes.fromhex(found[1].decode()), text.encode()).decode()


def topics_of(name: str) -> list[str]:
    """Return the patterns of the topics that a person reads and publishes to.

    The apps' guards restrict them further: to a room's members, a run's room, a conversation's owner, administrators.
    """
    own = f"users.{slug(name)}"
    shared = ["conversations.*", "runs.*", "process.*", "presence", "alerts.*", "silences", "webhooks.*"]
    shared += ["metrics.server", "dashboards.*"]
    return ["rooms.*", own, f"{own}.*", *shared]
