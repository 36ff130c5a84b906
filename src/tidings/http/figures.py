"""The figures of one process: counts since its start, and what is so at the moment.

`GET /metrics` and the topic `metrics.server` show the same figures.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from time import monotonic
from typing import NamedTuple

from tidings.api import Hub
from tidings.delivery.delivery import Counts
from tidings.errors import TidingsError
from tidings.log.timings import Timings

TICK = 0.5
"""Seconds between two looks at the loop's lag. Ten looks a second took 0.7 % of a busy core, for the waking alone."""

WEIGHED = 10.0
"""Seconds between two looks at the size of the store, for which PostgreSQL reads the sizes of its files, and at the
memory of the process."""


class Reading(NamedTuple):
    """The figures at one moment. Counts and timings are those since the start of the process.

    `counts`: what was delivered, and is being delivered. `appends`: the times from publishing to the answer;
    `commits`: those that the store took for changes. `lag`: how late the loop was, each TICK. `store`: the bytes of the
    store, None while they are not known. `runs`: the runs that this process makes; `ended`: those that have ended, by
    outcome. `first_token` and `tokens`: see RunFigures. `draining`: the process ends its streams. `memory`: the bytes
    that the process holds, None while they are not known.
    """

    counts: Counts
    appends: Timings
    commits: Timings
    lag: Timings
    store: int | None
    runs: int
    ended: dict[str, int]
    first_token: Timings
    tokens: int
    draining: bool
    memory: int | None


class Figures:
    """The figures of the process of a hub. `open` begins to measure what nobody counts: the loop's lag, the store."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._lag = Timings()
        self._none = Timings()
        self._store: int | None = None
        self._memory: int | None = None

    def open(self) -> None:
        """Begin to measure. The work ends with the hub."""
        self._hub.delivery.background(self._listen())
        self._hub.delivery.background(self._weigh())

    def read(self) -> Reading:
        """Return the figures as of now."""
        hub, runs = self._hub, self._hub.runs
        is_open = hub.state != "closed"
        return Reading(
            counts=hub.delivery.counts() if is_open else Counts(),
            appends=hub.log.appends if is_open else self._none,
            commits=hub.log.commits if is_open else self._none,
            lag=self._lag,
            store=self._store,
            runs=runs.under_way,
            ended=dict(runs.figures.ended),
            first_token=runs.figures.first_token,
            tokens=runs.figures.tokens,
            draining=hub.state == "draining",
            memory=self._memory,
        )

    async def _listen(self) -> None:
        while True:
            due = monotonic() + TICK
            await asyncio.sleep(TICK)
            self._lag.add(max(0.0, monotonic() - due))

    async def _weigh(self) -> None:
        while True:
            try:
                self._store = await self._hub.delivery.size()
            except TidingsError:
                self._store = None
            self._memory = await asyncio.to_thread(memory)
            await asyncio.sleep(WEIGHED)


def memory() -> int | None:
    """Return the bytes of memory that the process holds; None where the system does not say so. Reads a file."""
    if not sys.platform.startswith("linux"):
        return None
    import resource

    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * resource.getpagesize()
