"""The progress of what takes long, in one line of the terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

WIDTH = 30
"""Characters of the bar."""


@contextmanager
def progress_bar(what: str = "") -> Iterator[Callable[[float], None]]:
    """Show the part that is done, from 0 to 1, in the terminal, and nowhere else. `what`: a word before the bar."""
    terminal, last = sys.stderr.isatty(), -1

    def show(part: float) -> None:
        nonlocal last
        percent = round(part * 100)
        if terminal and percent != last:
            last, full = percent, round(part * WIDTH)
            print(f"\r{what:9}[{'#' * full:{WIDTH}}] {part:4.0%}", end="", file=sys.stderr, flush=True)

    try:
        yield show
    finally:
        if terminal:
            print("\r" + " " * (WIDTH + 18) + "\r", end="", file=sys.stderr, flush=True)
