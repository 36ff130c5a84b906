"""PURE: who is here, by what each server process says of its own streams. What a process says holds for a while."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

GONE = 12.0
"""Seconds after which a process that says nothing is gone, and with it who was there: two of its beats may be lost."""


class Said(NamedTuple):
    """The last beat of a process: connections by name, and the second of this process's clock at which it came."""

    here: Mapping[str, int]
    at: float


class Here:
    """All processes together. The same person may be on several, and on one of them more than once."""

    def __init__(self) -> None:
        self._said: dict[str, Said] = {}

    def hear(self, process: str, here: Mapping[str, int], now: float) -> None:
        """Replace the last beat of a process by this one."""
        self._said = {name: said for name, said in self._said.items() if now - said.at < GONE and name != process}
        if here:
            self._said[process] = Said(here, now)

    def people(self, now: float) -> dict[str, int]:
        """Connections by name, in the order of the names."""
        counts: Counter[str] = Counter()
        for said in self._said.values():
            if now - said.at < GONE:
                counts.update(said.here)
        return dict(sorted(counts.items()))
