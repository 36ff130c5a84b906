"""The maps of the cases that filters select, each computed anew from a copy of the process at one offset."""

from __future__ import annotations

import asyncio
from time import time

import msgspec

from tidings.apps.projection import Projection
from tidings.delivery.hub import Hub
from tidings.errors import TooManyRequests
from tidings.events import Offset

from .figures import ProcessFigures, WholeFigures, age, figures, labels
from .filters import ALL, Filter
from .fold import Process
from .selection import Columns, Fields, folded, selected

KEPT = 16
"""Filtered maps that one process of the server keeps."""

WAITING = 16
"""Requests that wait while a filtered map is computed: up to 2 s for 262,200 events. Further ones are refused."""

PAGE = 1_000
"""Events of the log that are looked at in one turn of the event loop: 1 ms."""

MOST_TOP = 1_000
"""Variants that a filtered map keeps."""


class FilteredMap(msgspec.Struct):
    """The map of selected cases. `of`: the offset and the number of events of the whole process; `chosen`: a byte for
    each case; `oldest`: for each activity, the time of the last event of the case that has been there for longest."""

    of: tuple[Offset, int]
    chosen: bytearray
    figures: ProcessFigures
    oldest: list[int | None]

    def at(self, now: float, top: int) -> ProcessFigures:
        """Return the figures with `top` variants, and with ages that count from `now`, in Unix seconds."""
        return msgspec.structs.replace(
            self.figures,
            now=now,
            activities=[
                msgspec.structs.replace(activity, oldest=age(since, now))
                for activity, since in zip(self.figures.activities, self.oldest, strict=True)
            ],
            top_variants=self.figures.top_variants[:top],
        )


class FilteredMaps:
    """The filtered maps of a hub's processes. One is computed at a time, so that of several who ask for the same map
    all but the first find it made."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._lock = asyncio.Lock()
        self._asking = 0
        self._kept: dict[tuple[str, Filter], FilteredMap] = {}

    async def figures(self, projection: Projection[Process], filter: Filter, top: int) -> ProcessFigures:
        """Return the figures of the selected cases. Raises InvalidRequest, TooManyRequests, NotFound, Unavailable."""
        return (await self._get(projection, filter)).at(time(), top)

    async def chosen(self, projection: Projection[Process], filter: Filter) -> bytearray | None:
        """Return a byte for each case, 1 for a selected one; None where the filter selects all. Raises as `figures`."""
        return None if filter == ALL else (await self._get(projection, filter)).chosen

    async def _get(self, projection: Projection[Process], filter: Filter) -> FilteredMap:
        if self._asking >= WAITING:
            raise TooManyRequests("Too many filtered maps are asked for at once.", retry_after=2)
        self._asking += 1
        try:
            async with self._lock:
                key = projection.topic, filter
                found = self._kept.pop(key, None)
                if found is None or found.of != (projection.offset, projection.state.events):
                    found = await self._make(projection, filter)
                self._kept[key] = found
                while len(self._kept) > KEPT:
                    del self._kept[next(iter(self._kept))]
                return found
        finally:
            self._asking -= 1

    async def _make(self, projection: Projection[Process], filter: Filter) -> FilteredMap:
        process, topic, offset = projection.state, projection.topic, projection.offset
        columns, whole = Columns(process, filter), WholeFigures(process.events, len(process.cases))
        fields = Fields(columns, filter.attributes)
        if filter.attributes:
            await self._look(topic, offset, fields)

        def make() -> FilteredMap:
            chosen = selected(columns, filter, fields)
            state, now = folded(columns, chosen), time()
            found = figures(state, topic, str(offset), now, MOST_TOP)
            found.whole = whole
            oldest = [state.oldest(number) for number, _ in enumerate(labels(state)) if state.total[number]]
            return FilteredMap((offset, whole.events), chosen, found, oldest)

        return await asyncio.to_thread(make)

    async def _look(self, topic: str, last: Offset, fields: Fields) -> None:
        """Look at the fields of all events of the log up to an offset."""
        at = last._replace(n=0)
        while at.n < last.n:
            page = await self._hub.read(topic, at, PAGE)
            if page.next.epoch != last.epoch or not page.events:
                return  # the topic was deleted meanwhile, or the rest of its events was trimmed
            fields.take(page.events)
            at = page.next
