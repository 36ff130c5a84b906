"""The server with a stopwatch: it measures how long each turn of its event loop computes.

`python -m tests.attack.turns serve …` serves as `python -m tidings serve …` does, on asyncio's own loop. At a SIGUSR1
it prints the longest turn since the last one. Turns are measured in CPU time of the loop's thread, so that a busy
machine makes them no longer.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from types import FrameType
from typing import Any

import uvicorn

from tidings.cli import main


class TimedLoop(asyncio.SelectorEventLoop):
    """An event loop that keeps the longest of its turns, in seconds."""

    longest: float = 0.0

    def _run_once(self) -> None:
        began = time.thread_time()
        super()._run_once()  # type: ignore[misc]
        took = time.thread_time() - began
        TimedLoop.longest = max(TimedLoop.longest, took)


def say(_number: int, _frame: FrameType | None) -> None:
    """Print the longest turn, and begin anew."""
    os.write(sys.stdout.fileno(), b"longest turn: %.1f ms\n" % (TimedLoop.longest * 1000))
    TimedLoop.longest = 0.0


def timed_loop(_config: Any) -> type[TimedLoop]:
    return TimedLoop


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, say)
    uvicorn.Config.get_loop_factory = timed_loop  # type: ignore[method-assign, assignment]
    main()
