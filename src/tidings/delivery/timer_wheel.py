"""One timing wheel for all connections: keep-alives, token expiry and stalled readers, without a timer each."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import Protocol

TICK = 0.1
SLOTS = 1024


class Timed(Protocol):
    """What a wheel visits."""

    def visit(self, now: float) -> float | None:
        """Do what is due. The time of the next visit, in `monotonic` seconds; None: never again."""


class TimerWheel:
    """Visits each filed object about when it asked to be: late by up to a tick, early by a turn of the wheel.

    Lazy: writing an event does not move anything here. An object sits in one slot and answers, when visited, that
    it is due later. 10,000 connections cost 1.5 % of a core (docs/design.md, Delivery).
    """

    def __init__(self) -> None:
        self._slots: list[set[Timed]] = [set() for _ in range(SLOTS)]
        self._at = int(monotonic() / TICK)
        self._count = 0
        self._timer: asyncio.TimerHandle | None = None

    def file(self, item: Timed, when: float) -> None:
        if self._timer is None:
            self._at = int(monotonic() / TICK)
            self._timer = asyncio.get_running_loop().call_later(TICK, self._sweep)
        # At most one turn ahead: a later time is visited at the end of the turn and asked again.
        slot = min(max(int(when / TICK), self._at + 1), self._at + SLOTS - 1)
        self._slots[slot % SLOTS].add(item)
        self._count += 1

    def _sweep(self) -> None:
        now = monotonic()
        self._timer = asyncio.get_running_loop().call_later(TICK, self._sweep)
        until = int(now / TICK)
        while self._at < until:
            self._at += 1
            slot = self._slots[self._at % SLOTS]
            if not slot:
                continue
            items = list(slot)
            slot.clear()
            self._count -= len(items)
            for item in items:
                again = item.visit(now)
                if again is not None:
                    self.file(item, again)
        if not self._count:
            self.stop()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
