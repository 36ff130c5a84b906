"""The cache of history pages: each is read from the store once and encoded once per format for all its readers."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

from tidings.events import Event, Offset, Page
from tidings.log.journal import Journal
from tidings.wire.sse import Format

from .live_topic import PAGE, PAGE_BYTES, LiveTopic, fit

KEPT_BYTES = 32 << 20
ENCODED_KEPT = 1024
ENCODED_BYTES = 16 << 20

Key = tuple[str, str, int, int]
"""A topic, the epoch of its log, its redactions, and the offset number before the first event.

A page that was read before a redaction is not found after it.
"""


class Span(NamedTuple):
    """Events that were read together, and the bytes of their data."""

    events: Sequence[Event]
    size: int


class PageCache:
    """A small cache of aligned pages. A thousand readers that come back together read each page once."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._spans: OrderedDict[Key, Span] = OrderedDict()
        self._spans_size = 0
        self._loads: dict[Key, asyncio.Task[Page]] = {}
        self._encoded: OrderedDict[tuple[Format, str, str, int, int, int], bytes] = OrderedDict()
        self._size = 0

    def get(self, live: LiveTopic, after: int) -> Sequence[Event]:
        """The cached events after `after`, to the end of its page or PAGE_BYTES; empty: `load` the page first."""
        base, span = self._find(live, after)
        i = after - base
        if span is None or i >= len(span.events):
            return ()
        end = len(span.events)
        return span.events[i : fit(span.events, i, end) if span.size > PAGE_BYTES else end]

    async def load(self, live: LiveTopic, after: int) -> Page:
        """Read the page of `after` from the store. Callers that want the same page share one read.

        A page is read from its beginning, so that it can be shared. Only where its events are so large that the store
        returns some of them at a time, the rest is read from `after`. Raises Unavailable.
        """
        base, span = self._find(live, after)
        begin = base if span is None else after
        key = (live.name, live.epoch, live.redactions, begin)
        task = self._loads.get(key)
        if task is None:
            task = asyncio.create_task(self._load(key, (after // PAGE + 1) * PAGE - begin))
            self._loads[key] = task
            task.add_done_callback(lambda _: self._loads.pop(key, None))
        return await asyncio.shield(task)

    def _find(self, live: LiveTopic, after: int) -> tuple[int, Span | None]:
        """The offset number and the span of events that begin at `after`, else at the beginning of its page."""
        life = live.name, live.epoch, live.redactions
        if span := self._spans.get((*life, after)):
            return after, span
        base = max(after // PAGE * PAGE, live.start)
        return base, self._spans.get((*life, base))

    async def _load(self, key: Key, limit: int) -> Page:
        name, epoch, redactions, begin = key
        page = await self._journal.read(name, Offset(epoch, begin), limit)
        if page.events and page.next.epoch == epoch:
            self._keep((name, epoch, redactions, page.next.n - len(page.events)), page.events)
        return page

    def _keep(self, key: Key, events: Sequence[Event]) -> None:
        spans, size = self._spans, sum([len(event.data) for event in events])
        if before := spans.pop(key, None):
            self._spans_size -= before.size
        spans[key] = Span(events, size)
        self._spans_size += size
        while self._spans_size > KEPT_BYTES and len(spans) > 1:
            self._spans_size -= spans.popitem(last=False)[1].size

    def encode(self, form: Format, live: LiveTopic, a: int, events: Sequence[Event]) -> bytes:
        """The bytes of these events, which follow `a`, in this format. They are encoded once while they are cached."""
        key = (form, live.name, live.epoch, live.redactions, a, len(events))
        body = self._encoded.get(key)
        if body is None:
            body = form.encode(live.name, events)
            self._encoded[key] = body
            self._size += len(body)
            while len(self._encoded) > ENCODED_KEPT or (self._size > ENCODED_BYTES and len(self._encoded) > 1):
                self._size -= len(self._encoded.popitem(last=False)[1])
        else:
            self._encoded.move_to_end(key)
        return body
