"""Subjects: the sender of a request, and the topics that it may read and publish to. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from tidings.errors import InvalidRequest

_SEGMENT = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")


class Patterns:
    """Topic patterns: a topic's name, or the beginning of one up to a dot and `*`, or `*` alone.

    `rooms.*` covers `rooms.lobby` and `rooms.a.b`, but neither `rooms` nor `roomsandmore`.
    """

    __slots__ = ("_names", "_prefixes", "texts")

    def __init__(self, texts: Iterable[str]) -> None:
        """Raises InvalidRequest for a text that is no pattern."""
        self.texts = tuple(texts)
        for text in self.texts:
            if not _is_pattern(text):
                raise InvalidRequest(
                    f"{text!r} is no topic pattern: it is a topic, or the beginning of topics such as rooms.*"
                )
        self._names = frozenset(text for text in self.texts if not text.endswith("*"))
        self._prefixes = tuple(text[:-1] for text in self.texts if text.endswith("*"))

    def cover(self, topic: str) -> bool:
        """Whether one of them covers `topic`."""
        return topic in self._names or topic.startswith(self._prefixes)


def _is_pattern(text: object) -> bool:
    if not isinstance(text, str) or len(text) > 200:
        return False
    *before, last = text.split(".")
    return all(part and _SEGMENT.issuperset(part) for part in before) and (
        last == "*" or (last != "" and _SEGMENT.issuperset(last))
    )


@dataclass(frozen=True, slots=True)
class Subject:
    """Who is asking. `name` is None where nobody has to say. After `expires` (Unix seconds) it is no longer allowed
    anything, and a stream that was opened for it ends."""

    name: str | None
    publish: Patterns
    subscribe: Patterns
    expires: float | None = None

    def may_publish(self, topic: str) -> bool:
        """Whether it may append to the topic, configure it, or delete it."""
        return self.publish.cover(topic)

    def may_subscribe(self, topic: str) -> bool:
        """Whether it may read the topic, its past like its future."""
        return self.subscribe.cover(topic)


ANYONE = Subject(None, Patterns(["*"]), Patterns(["*"]))
"""Whoever reaches a server that has no key, until they choose a name."""


def named(name: str) -> Subject:
    """Whoever reaches a server that has no key and has chosen this name."""
    return replace(ANYONE, name=name)
