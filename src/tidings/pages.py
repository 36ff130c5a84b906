"""Pages of history: read from the store once for all readers that want them, and encoded once per format."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence

from .events import Event, Offset, Page
from .lane import PAGE, Lane
from .stores.base import Log
from .wire.sse import Format

PAGES_KEPT = 64
ENCODED_KEPT = 128
ENCODED_BYTES = 16 << 20

Span = tuple[int, Sequence[Event]]
"""The offset number before the first event, and the events."""


class Pages:
    """A small memory of aligned pages. A thousand readers that come back together read each page once."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._spans: OrderedDict[tuple[str, str, int], Span] = OrderedDict()
        self._loads: dict[tuple[str, str, int], asyncio.Task[Page]] = {}
        self._encoded: OrderedDict[tuple[Format, str, str, int, int], bytes] = OrderedDict()
        self._size = 0

    def get(self, lane: Lane, after: int) -> Sequence[Event]:
        """The events after `after` to the end of its page, as far as they are here; empty: `load` first."""
        span = self._spans.get((lane.name, lane.epoch, after // PAGE))
        if span is None:
            return ()
        base, events = span
        return events[after - base :] if base <= after else ()

    async def load(self, lane: Lane, after: int) -> Page:
        """Read the page of `after` from the store. Callers that want the same page share one read.

        Raises Unavailable.
        """
        epoch, number = lane.epoch, after // PAGE
        key = (lane.name, epoch, number)
        task = self._loads.get(key)
        if task is None:
            begin = max(number * PAGE, lane.start)
            base, events = self._spans.get(key, (0, ()))
            if begin <= base <= base + len(events) <= after:
                begin = base + len(events)  # the store answers a page of large events in parts: read its next part
            task = asyncio.create_task(self._load(key, Offset(epoch, begin), (number + 1) * PAGE - begin))
            self._loads[key] = task
            task.add_done_callback(lambda _: self._loads.pop(key, None))
        return await asyncio.shield(task)

    async def _load(self, key: tuple[str, str, int], after: Offset, limit: int) -> Page:
        page = await self._log.read(key[0], after, limit)
        if page.events and page.next.epoch == key[1]:
            first = page.events[0].offset
            assert first is not None
            base, events = self._spans.get(key, (0, ()))
            if base + len(events) == first.n - 1:
                self._spans[key] = (base, [*events, *page.events])
            else:
                self._spans[key] = (first.n - 1, page.events)
            self._spans.move_to_end(key)
            if len(self._spans) > PAGES_KEPT:
                self._spans.popitem(last=False)
        return page

    def encode(self, form: Format, lane: Lane, a: int, events: Sequence[Event]) -> bytes:
        """The bytes of these events, which follow `a`, in this format; made once while they are in demand."""
        key = (form, lane.name, lane.epoch, a, len(events))
        body = self._encoded.get(key)
        if body is None:
            body = form.encode(lane.name, events)
            self._encoded[key] = body
            self._size += len(body)
            while len(self._encoded) > ENCODED_KEPT or (self._size > ENCODED_BYTES and len(self._encoded) > 1):
                self._size -= len(self._encoded.popitem(last=False)[1])
        else:
            self._encoded.move_to_end(key)
        return body
