"""The figures of one process: counts since its start, and what is so at the moment.

`GET /metrics` and the topic `metrics.server` show the same figures.
"""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import NamedTuple

from tidings.api import Hub
from tidings.delivery.delivery import Counts
from tidings.errors import TidingsError
from tidings.log.timings import Timings

TICK = 0.1
"""Seconds between two looks at the loop's lag. A look takes 3 µs."""

WEIGHED = 10.0
"""Seconds between two looks at the size of the store. PostgreSQL reads the sizes of its files for it."""


class Reading(NamedTuple):
    """The figures at one moment. Counts and timings are those since the start of the process.

    `counts`: what was delivered, and is being delivered. `appends`: the times from publishing to the answer;
    `commits`: those that the store took for changes. `lag`: how late the loop was, each TICK. `store`: the bytes of the
    store, None while they are not known. `runs`: the runs that this process makes; `ended`: those that have ended, by
    outcome. `first_token` and `tokens`: see RunFigures. `draining`: the process ends its streams.
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


class Figures:
    """The figures of the process of a hub. `open` begins to measure what nobody counts: the loop's lag, the store."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._lag = Timings()
        self._none = Timings()
        self._store: int | None = None

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
            await asyncio.sleep(WEIGHED)
