"""Subjects: the sender of a request, and the topics that it may read and publish to. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from tidings.errors import InvalidRequest

_SEGMENT = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")


class Patterns:
    """Topic patterns: a topic's name, or the beginning of one up to a dot and `*`, or `*` alone.

    `rooms.*` covers `rooms.lobby` and `rooms.a.b`, but neither `rooms` nor `roomsandmore`.
    """

    __slots__ = ("_names", "_prefixes", "texts")

    def __init__(self, texts: Iterable[str]) -> None:
        """Check the patterns. Raises InvalidRequest for a text that is not a pattern."""
        self.texts: tuple[str, ...] = tuple(texts)
        for text in self.texts:
            if not _is_pattern(text):
                raise InvalidRequest(
                    f"{text!r} is no topic pattern: it is a topic, or the beginning of topics such as rooms.*"
                )
        self._names = frozenset(text for text in self.texts if not text.endswith("*"))
        self._prefixes = tuple(text[:-1] for text in self.texts if text.endswith("*"))

    def cover(self, topic: str) -> bool:
        """Return True if one of the patterns covers `topic`."""
        return topic in self._names or topic.startswith(self._prefixes)

    def within(self, prefix: str) -> list[str]:
        """Return patterns that cover the same topics as these, of those that begin with `prefix`.

        They are in the order of their topics, and no topic is covered by two of them.
        """
        starts = {max(prefix, start, key=len) for start in self._prefixes if _agree(prefix, start)}
        starts = {start for start in starts if not any(start != s and start.startswith(s) for s in starts)}
        names = {name for name in self._names if name.startswith(prefix) and not name.startswith(tuple(starts))}
        return [*sorted({*names, *(f"{start}*" for start in starts)}, key=lambda text: text.removesuffix("*"))]


def _agree(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def _is_pattern(text: object) -> bool:
    if not isinstance(text, str) or len(text) > 200:
        return False
    *before, last = text.split(".")
    return all(part and _SEGMENT.issuperset(part) for part in before) and (
        last == "*" or (last != "" and _SEGMENT.issuperset(last))
    )


NO_TOPICS = Patterns([])
"""The patterns that cover no topic."""

PERSON: Literal["person"] = "person"
"""The value of `Subject.limits` for a person, whom the limits of the server hold for."""


@dataclass(frozen=True, slots=True)
class Subject:
    """The sender of a request. `name` is None on a server without a key, for a sender who has not chosen a name.

    After `expires` (Unix seconds) the subject is not allowed anything, and a stream that was opened for it ends.
    `limits`: PERSON, limits of its own by their names, or None for a program without limits. `redact`: the topics of
    which the subject may remove the content of an event. `session`: the hash of the token, None without a token.
    `admin`: the subject administers the server, and may change what all people share, such as alerts.
    """

    name: str | None
    publish: Patterns
    subscribe: Patterns
    expires: float | None = None
    limits: Mapping[str, int] | Literal["person"] | None = field(default=None, hash=False)
    redact: Patterns = NO_TOPICS
    session: bytes | None = None
    admin: bool = False

    @property
    def authenticated(self) -> bool:
        """True if a token proves the name. On a server without a key everybody chooses a name."""
        return self.session is not None

    def may_publish(self, topic: str) -> bool:
        """Return True if the subject may append to the topic, configure it and delete it."""
        return self.publish.cover(topic)

    def may_redact(self, topic: str) -> bool:
        """Return True if the subject may remove the content of an event of the topic for good."""
        return self.redact.cover(topic)

    def may_subscribe(self, topic: str) -> bool:
        """Return True if the subject may read the topic, past and future."""
        return self.subscribe.cover(topic)

    def as_person(self) -> Subject:
        """Return the subject with the limits of people, unless it has limits of its own."""
        return self if self.limits is not None else replace(self, limits=PERSON)


ANYONE = Subject(None, Patterns(["*"]), Patterns(["*"]), redact=Patterns(["*"]), admin=True)
"""A sender without a name, on a server without a key: such a server answers its own machine only."""


def named(name: str) -> Subject:
    """Return a guest: a sender who has chosen a name on a server without a key."""
    return replace(ANYONE, name=name, limits=PERSON)
