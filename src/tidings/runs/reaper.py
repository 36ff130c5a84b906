"""The reaper of runs: ends, as interrupted, each run whose process has died."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Container

from tidings.delivery.hub import Hub
from tidings.errors import Conflict, TidingsError, TooLarge
from tidings.events import Offset
from tidings.log.names import EARLIEST, After
from tidings.wire.run_events import from_event, to_item

from .ending import ending
from .figures import RunFigures
from .progress import Progress
from .run import is_id, topic_of

log: logging.Logger = logging.getLogger("tidings.runs")


class Reaper:
    """Ends the runs whose leases have lapsed: their producers have not renewed them, so their process is gone.

    Every process has a reaper, and a run still ends once, since each append expects the exact end of the log.
    `alive`: the ids of the runs that this process makes. `on_end`: called with the id of each run that has ended; while
    it fails, the lease is kept and the next look tries again. `figures` counts these runs.
    """

    def __init__(
        self, hub: Hub, alive: Container[str], on_end: Callable[[str], Awaitable[None]], figures: RunFigures
    ) -> None:
        self._figures = figures
        self._hub = hub
        self._alive = alive
        self._on_end = on_end

    async def reap(self) -> None:
        """Look once for lapsed leases, and end their runs."""
        for topic in await self._hub.leases.lapsed():
            id = topic.removeprefix("runs.")
            if is_id(id) and topic == topic_of(id) and id not in self._alive:
                try:
                    await self._end(id, topic)
                except Exception as error:
                    # The other runs are ended all the same.
                    log.warning("%s is not ended yet: %s", topic, error, exc_info=not isinstance(error, TidingsError))

    async def _end(self, id: str, topic: str) -> None:
        """End a run whose producer is gone. If the producer still lives, the end that it appends first counts."""
        head = await self._hub.log.describe(topic)
        if head is not None and not head.closed:
            progress, tail = await self._read(id, topic)
            events = ending(progress, cut="interrupted")
            end = [to_item(event) for event in events]
            try:
                try:
                    await self._hub.log.append(topic, end, expected=tail, close=True)
                except TooLarge:
                    # The run must end, and its terminal event alone is small.
                    await self._hub.log.append(topic, end[-1:], expected=tail, close=True)
            except Conflict:
                return
            self._figures.end(events[-1])
            log.warning("%s is ended as interrupted: its producer is gone", topic)
        if head is not None:
            await self._on_end(id)
        # Only if it is still lapsed: a start that was cut off before its log began leaves a lease, which another start
        # with the same key may have renewed meanwhile.
        await self._hub.leases.release(topic, lapsed=True)

    async def _read(self, id: str, topic: str) -> tuple[Progress, Offset]:
        """Read the progress of a run from its log. Return it with the end of the log."""
        progress = Progress(id)
        after: After = EARLIEST
        while True:
            page = await self._hub.read(topic, after)
            for event in page.events:
                if (run_event := from_event(event)) is not None:
                    progress.apply(run_event)
            if page.up_to_date:
                return progress, page.tail
            after = page.next
