"""A timing wheel for all streams: keep-alives, expiry and stalled readers, without a timer for each."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import Protocol

TICK = 0.1
"""Seconds between two sweeps."""

SLOTS = 1024


class Timed(Protocol):
    """An object that a wheel visits. `slot` is the wheel's: the slot that holds the object now."""

    slot: set[Timed] | None

    def visit(self, now: float) -> float | None:
        """Do what is due. Returns the time of the next visit, in `monotonic` seconds; None: no more visits."""


class TimerWheel:
    """Visits each filed object about when it asked to be: late by up to a tick, early by up to a turn of the wheel.

    Writing an event moves nothing here: an object stays in its slot and says, when visited, that it is due later.
    10,000 connections cost 1.5 % of a core (docs/design.md, Delivery).
    """

    def __init__(self) -> None:
        self._slots: list[set[Timed]] = [set() for _ in range(SLOTS)]
        self._at = int(monotonic() / TICK)
        self._count = 0
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return self._count

    def file(self, item: Timed, when: float) -> None:
        """Visit the item at `when`, in `monotonic` seconds. An item is filed once at a time."""
        if self._timer is None:
            self._at = int(monotonic() / TICK)
            self._timer = asyncio.get_running_loop().call_later(TICK, self._sweep)
        # At most one turn ahead: an item with a later time is visited at the end of the turn and filed again.
        at = min(max(int(when / TICK), self._at + 1), self._at + SLOTS - 1)
        item.slot = self._slots[at % SLOTS]
        item.slot.add(item)
        self._count += 1

    def remove(self, item: Timed) -> None:
        """Visit the item no more. An ended stream that stayed filed would stay in memory for a turn, 102 seconds."""
        if item.slot is not None:
            item.slot.discard(item)
            item.slot = None
            self._count -= 1

    def _sweep(self) -> None:
        now = monotonic()
        self._timer = asyncio.get_running_loop().call_later(TICK, self._sweep)
        until = int(now / TICK)
        while self._at < until:
            self._at += 1
            slot = self._slots[self._at % SLOTS]
            while slot:
                # One by one: a visit may remove other items of this slot.
                item = slot.pop()
                item.slot = None
                self._count -= 1
                again = item.visit(now)
                if again is not None:
                    self.file(item, again)
        if not self._count:
            self.stop()

    def stop(self) -> None:
        """Visit nothing until the next item is filed."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
