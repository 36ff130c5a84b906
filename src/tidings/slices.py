"""Long work on the event loop's thread, done in slices."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from time import monotonic
from typing import TypeVar

T = TypeVar("T")

SLICE = 0.002
"""Seconds of work after which other tasks have their turn. The delivery of an event takes about ten turns of the loop,
so that it is ten slices late beside such work."""


async def in_slices(items: Iterable[T]) -> AsyncGenerator[T, None]:
    """Yield the items, and let other tasks run each time that the work on them has taken 2 ms."""
    until = monotonic() + SLICE
    for item in items:
        yield item
        if monotonic() > until:
            await asyncio.sleep(0)
            until = monotonic() + SLICE
