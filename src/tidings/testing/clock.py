"""A clock that tests move: `time.time`, `time.monotonic` and with them the timers of asyncio's event loop."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from typing import Any

TURNS = 1000
"""Turns of the loop after which `settle` stops waiting, since a task that polls with `sleep(0)` never comes to rest."""

real_time: Callable[[], float] = time.time
real_time_ns: Callable[[], int] = time.time_ns
real_monotonic: Callable[[], float] = time.monotonic
real_monotonic_ns: Callable[[], int] = time.monotonic_ns


class Clock:
    """The process's clock. Real time goes on, and `advance` adds to it.

    The clock moves `time.time`, `time.monotonic`, their `_ns` forms and the timers of asyncio's own event loop:
    `sleep`, time-outs, `call_later`. The clock does not move `datetime.now`, `time.sleep`, the waiting of other
    threads, uvloop, and functions that other modules imported from `time` before.
    """

    def __init__(self) -> None:
        self._wall = 0.0
        self._ahead = 0.0
        self._installed = False

    async def advance(self, seconds: float) -> None:
        """Let `seconds` pass at once. Timers that fall due meanwhile fire in their order, each at its own time.

        When this returns, every task that could run has run; `advance(0)` does only that. The work of other threads is
        not waited for. Raises RuntimeError on an event loop whose time cannot be moved.
        """
        await self.advance_until(seconds, lambda: False)

    async def advance_until(self, seconds: float, reached: Callable[[], object]) -> None:
        """Advance as `advance` does, and stop as soon as `reached()` holds."""
        loop: Any = asyncio.get_running_loop()
        if not self.moves(loop):
            raise RuntimeError(f"tidings_clock moves asyncio's own event loop, not {type(loop).__module__}'s.")
        if seconds < 0:
            raise ValueError("Time does not go back.")
        self.install()
        end = time.monotonic() + seconds
        await settle()
        while not reached() and (left := end - time.monotonic()) > 0:
            # This is the loop's own heap of timers: no public function tells when the next timer is due.
            due = loop._scheduled[0].when() - time.monotonic() if loop._scheduled else left
            self._move(min(max(due, 0.0), left))
            await settle()

    @staticmethod
    def moves(loop: asyncio.AbstractEventLoop) -> bool:
        """Return True if the loop's timers follow this clock."""
        return isinstance(loop, asyncio.BaseEventLoop)

    def install(self) -> None:
        """Replace the real clocks for the rest of the process. Idempotent.

        A monotonic clock must not go back, and loops that outlive a test have timers that were set by this clock.
        """
        if not self._installed:
            self._installed = True
            for name, moved in self._functions().items():
                setattr(time, name, moved)
        # Replace what `from time import monotonic` gave to our modules. Modules are imported late, so look each time.
        moving = {real_time: time.time, real_monotonic: time.monotonic}
        for name, module in sys.modules.copy().items():  # a list of them is not made at once: other threads import
            if name.partition(".")[0] == "tidings":
                for key in ("time", "monotonic"):
                    found = vars(module).get(key)
                    if found is real_time or found is real_monotonic:
                        setattr(module, key, moving[found])

    def reset(self) -> None:
        """Set `time.time` right again. `time.monotonic` stays ahead."""
        self._wall = 0.0

    def _move(self, seconds: float) -> None:
        self._wall += seconds
        self._ahead += seconds

    def _functions(self) -> dict[str, Callable[[], float]]:
        return {
            "time": lambda: real_time() + self._wall,
            "time_ns": lambda: real_time_ns() + int(self._wall * 1e9),
            "monotonic": lambda: real_monotonic() + self._ahead,
            "monotonic_ns": lambda: real_monotonic_ns() + int(self._ahead * 1e9),
        }


CLOCK = Clock()
"""The clock of this process."""


async def settle() -> None:
    """Let other tasks run until none of them could run at once."""
    loop: Any = asyncio.get_running_loop()
    for _ in range(TURNS):
        await asyncio.sleep(0)
        if Clock.moves(loop) and not loop._ready:
            return
