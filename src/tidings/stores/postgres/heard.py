"""The changes of which this process has heard, so that a look at the tables tells only of the others. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from tidings.events import ORIGIN, Offset


class Heard:
    """The last transactions heard of, by topic: of those that appended, and of those that did anything else."""

    def __init__(self) -> None:
        self._now: dict[str, tuple[int, int]] = {}
        self._before: dict[str, tuple[int, int]] = {}

    def add(self, tails: Mapping[str, Offset | None], transactions: Mapping[str, int]) -> None:
        """Note news: the tails of topics, and the transactions that they are of."""
        for topic, tail in tails.items():
            transaction = transactions.get(topic, 0)
            appended, altered = self._now.get(topic, (0, 0))
            if tail is None or tail == ORIGIN:
                altered = max(altered, transaction)
            self._now[topic] = max(appended, transaction), altered

    def turn(self) -> None:
        """Forget what was heard before the last turn: no look after this one finds it again."""
        self._before, self._now = self._now, {}

    def missed(self, topic: str, changed: int, altered: int) -> bool | None:
        """Tell whether a change of a topic is news: None if not, True if more than an append was missed."""
        known = [heard.get(topic, (0, 0)) for heard in (self._now, self._before)]
        if altered > max(each[1] for each in known):
            return True
        return False if changed > max(each[0] for each in known) else None
