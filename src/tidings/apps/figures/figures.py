"""PURE: figures by the topics that they belong to, and how many were refused, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from tidings.errors import InvalidRequest, TidingsError
from tidings.events import shown
from tidings.log.names import MAX_APPEND, MAX_EVENTS, text_of, valid_topic, weigh

PREFIX = "figures."
"""The beginning of the topics: the name of the metric follows."""

TYPE = "figure"

MOST = 10_000
"""Figures that are taken at once, which is also the most events of one append."""

TOPICS = 1_000
"""Metrics that are taken at once."""

Value = str | float | bool

Figure = tuple[str, Mapping[str, float], Mapping[str, Value]]
"""A figure: the name of its metric, its numbers and its labels."""


class Figures:
    """Figures that came together. `topics`: the events, `(type, data)`, of each topic, in the order in which they came.

    `refused` counts what is not taken, such as NaN; `reason` says what is wrong with the first of it, and `error` is
    its error. `most`: figures that are taken at once. `check` returns the name of a topic, or raises TidingsError for a
    topic that takes no figures.
    """

    def __init__(self, most: int = MOST, check: Callable[[str], str] = valid_topic) -> None:
        self.topics: dict[str, list[tuple[str, str]]] = {}
        self.refused: int = 0
        self.reason: str = ""
        self.error: TidingsError | None = None
        self._most = most
        self._check = check
        self._count = 0
        self._bytes = 0
        self._points = 0
        self._of: dict[str, set[int]] = {}

    def add(self, name: str, numbers: Mapping[str, float], labels: Mapping[str, Value]) -> None:
        """Take a figure of the metric `name`, an event `{…numbers, "labels"}`, or refuse it.

        Raises InvalidRequest for more figures, metrics or bytes than are taken at once.
        """
        self.add_point([(name, numbers, labels)])

    def add_point(self, figures: Iterable[Figure]) -> None:
        """Take all the figures of one point, or refuse the point. Raises as `add` does, and what `figures` raises."""
        self._points += 1
        events = []
        for name, numbers, labels in figures:
            self._count += 1
            if self._count > self._most:
                raise InvalidRequest(f"At most {self._most:,} figures are taken at once.")
            try:
                topic = self._check(PREFIX + name)
                data = text_of({**numbers, **({"labels": labels} if labels else {})})
                self._bytes += weigh(data)
            except TidingsError as error:
                self.refuse(name, error)
                return
            if self._bytes > MAX_APPEND:
                raise InvalidRequest(f"At most {MAX_APPEND:,} bytes of figures are taken at once.")
            events.append((topic, data))
        for topic, data in events:
            if topic not in self.topics and len(self.topics) >= TOPICS:
                raise InvalidRequest(f"At most {TOPICS:,} metrics are taken at once.")
            kept = self.topics.setdefault(topic, [])
            if len(kept) >= MAX_EVENTS:
                raise InvalidRequest(f"At most {MAX_EVENTS:,} figures of one metric are taken at once.")
            kept.append((TYPE, data))
            self._of.setdefault(topic, set()).add(self._points)

    def refuse(self, name: str, error: TidingsError) -> None:
        """Count a point that is not taken."""
        self.refused += 1
        self.error = self.error or error
        self.reason = self.reason or f"{shown(name)}: {error}"

    def refuse_topics(self, errors: Mapping[str, TidingsError]) -> None:
        """Count the points of topics that did not take them, each once."""
        for topic, error in errors.items():
            self.refuse(topic.removeprefix(PREFIX), error)
        self.refused += len(set[int]().union(*(self._of[topic] for topic in errors))) - len(errors)
