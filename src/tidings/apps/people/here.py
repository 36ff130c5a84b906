"""PURE: the people who are here, folded from the beats of all server processes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import msgspec

GONE = 12.0
"""Seconds without a beat after which a process counts as gone, with its people: two beats in a row may be lost."""


class Beat(msgspec.Struct, frozen=True, omit_defaults=True):
    """A sign of life of a process. `version` counts the changes of its people so far, this beat's included.

    `changed`: the connections of each name whose number changed, 0 for a person who left; empty if nothing changed.
    """

    process: str
    version: int
    changed: dict[str, int] = {}


class Process(msgspec.Struct, frozen=True):
    """All people of a process at one version: the connections of each name."""

    process: str
    version: int
    here: Mapping[str, int]


class Here:
    """The people of all processes. A person may be connected to several processes, and to each more than once."""

    def __init__(self) -> None:
        self._processes: dict[str, Process] = {}
        self._heard: dict[str, float] = {}

    def hear(self, beat: Beat, now: float) -> bool:
        """Take a beat. Return False if a change before it was missed: the process must then tell all its people.

        A process that was never heard of begins at version 0, with nobody.
        """
        self._forget(now)
        known = self._processes.get(beat.process)
        before = known or Process(beat.process, 0, {})
        if beat.version != before.version + bool(beat.changed):
            if known is not None:
                self._heard[beat.process] = now
            return False
        here = {name: count for name, count in {**before.here, **beat.changed}.items() if count > 0}
        self.replace(Process(beat.process, beat.version, here), now)
        return True

    def replace(self, process: Process, now: float) -> None:
        """Take all people of a process."""
        self._processes[process.process], self._heard[process.process] = process, now

    def processes(self, now: float) -> list[Process]:
        """Return the processes that are not gone."""
        self._forget(now)
        return list(self._processes.values())

    def people(self, now: float) -> dict[str, int]:
        """Return the connections of each person, in the order of the names."""
        counts: Counter[str] = Counter()
        for process in self.processes(now):
            counts.update(process.here)
        return dict(sorted(counts.items()))

    def elsewhere(self, process: str, name: str, now: float) -> int:
        """Return the connections of a person to all processes but one."""
        return sum(other.here.get(name, 0) for other in self.processes(now) if other.process != process)

    def _forget(self, now: float) -> None:
        for name in [name for name, at in self._heard.items() if now - at >= GONE]:
            del self._processes[name], self._heard[name]
