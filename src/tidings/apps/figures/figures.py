"""PURE: figures by the topics that they belong to, and how many were refused, and why."""

from __future__ import annotations

from collections.abc import Mapping

from tidings.errors import InvalidRequest
from tidings.events import shown
from tidings.log.names import text_of, valid_data, valid_topic

PREFIX = "figures."
"""The beginning of the topics: the name of the metric follows."""

TYPE = "figure"

MOST = 10_000
"""Figures that are taken at once, which is also the most events of one append."""

TOPICS = 1_000
"""Metrics that are taken at once."""

Value = str | float | bool


class Figures:
    """Figures that came together. `topics`: the events, `(type, data)`, of each topic, in the order in which they came.

    `refused` counts those that are no figures, such as NaN; `reason` says what is wrong with the first one.
    """

    def __init__(self) -> None:
        self.topics: dict[str, list[tuple[str, str]]] = {}
        self.refused: int = 0
        self.reason: str = ""
        self._count = 0

    def add(self, name: str, numbers: Mapping[str, float], labels: Mapping[str, Value]) -> None:
        """Take a figure of the metric `name`, an event `{…numbers, "labels"}`, or refuse it.

        Raises InvalidRequest for more figures or metrics than are taken at once.
        """
        self._count += 1
        if self._count > MOST:
            raise InvalidRequest(f"At most {MOST:,} figures are taken at once.")
        try:
            topic = valid_topic(PREFIX + name)
            data = valid_data(text_of({**numbers, **({"labels": labels} if labels else {})}))
        except InvalidRequest as error:
            self.refuse(name, str(error))
            return
        if topic not in self.topics and len(self.topics) >= TOPICS:
            raise InvalidRequest(f"At most {TOPICS:,} metrics are taken at once.")
        self.topics.setdefault(topic, []).append((TYPE, data))

    def refuse(self, name: str, reason: str) -> None:
        """Count a figure that is not taken."""
        self.refused += 1
        self.reason = self.reason or f"{shown(name)}: {reason}"
