"""Long work that gives way to other tasks: in slices on the event loop's thread, or in another thread."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from time import monotonic
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

SLICE = 0.002
"""Seconds of work after which other tasks have their turn. The delivery of an event takes about ten turns of the loop,
so that it is ten slices late beside such work."""

LARGE = 64 * 1024
"""Bytes of a text whose reading or writing, which may take 8 µs for each KB, is no work for the event loop's thread."""


async def beside(size: int, work: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
    """Return what `work` on `size` bytes returns. If these are more than LARGE, a thread works on them.

    The thread takes no less time of the interpreter, but the event loop gets turns in between.
    """
    return await asyncio.to_thread(work, *args, **options) if size > LARGE else work(*args, **options)


async def in_slices(items: Iterable[T]) -> AsyncGenerator[T, None]:
    """Yield the items, and let other tasks run each time that the work on them has taken 2 ms."""
    until = monotonic() + SLICE
    for item in items:
        yield item
        if monotonic() > until:
            await asyncio.sleep(0)
            until = monotonic() + SLICE
