"""The server's own figures in the topic `metrics.server`: an event a second for each process."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Sequence
from time import monotonic, process_time, time
from typing import Any, NamedTuple

import msgspec

from tidings.delivery.hub import Hub
from tidings.errors import TidingsError
from tidings.events import Retention
from tidings.http.figures import Figures, Reading
from tidings.log.timings import Timings, quantile
from tidings.runs.figures import OUTCOMES

log: logging.Logger = logging.getLogger("tidings.metrics")

TOPIC = "metrics.server"

TYPE = "metrics"

EVERY = 1.0
"""Seconds between two events of a process."""

LOOK = 10.0
"""Seconds between two looks for the topic, in a process that does not publish figures yet."""

KEPT = Retention(max_age=26 * 3600.0, max_bytes=128 << 20)
"""The retention of the topic, unless somebody has configured it: a day at one event of 700 bytes a second is 60 MB."""


class OwnMetrics:
    """Publishes the figures of this process each second, from the first time that somebody reads the topic on.

    Without a reader the server writes no figures, so that an idle disk stays idle. Once the topic exists, each process
    of the store publishes, also after a restart. `worker`: the number of this process among the server's workers, or 0.
    """

    def __init__(self, hub: Hub, figures: Figures, worker: int) -> None:
        self._hub = hub
        self._figures = figures
        self._who: dict[str, Any] = {"worker": worker, "process": secrets.token_hex(3)}
        self._asked = asyncio.Event()

    def open(self) -> None:
        """Begin to publish as soon as the topic has a reader or exists. The work ends with the hub."""
        self._hub.delivery.background(self._run())

    def ask(self) -> None:
        """Note that the topic has a reader."""
        self._asked.set()

    async def _run(self) -> None:
        while not await self._is_wanted():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._asked.wait(), LOOK)
        before = Moment.now(self._figures.read())
        while True:
            await asyncio.sleep(EVERY - time() % EVERY)
            after = Moment.now(self._figures.read())
            if after.at - before.at < EVERY / 2:  # the clock was set back: one event a second, no more
                continue
            await self._publish({**self._who, **figures_between(before, after)})
            before = after

    async def _is_wanted(self) -> bool:
        if self._asked.is_set():
            return True
        try:
            return await self._hub.log.describe(TOPIC) is not None
        except TidingsError:
            return False

    async def _publish(self, figures: dict[str, Any]) -> None:
        try:
            await self._hub.log.append(TOPIC, [(TYPE, msgspec.json.encode(figures).decode())], default=KEPT)
        except TidingsError as error:
            # A second that cannot be stored is a gap in the charts, which shows that something was wrong.
            log.debug("The figures of a second were not stored: %s", error)


class Moment(NamedTuple):
    """A reading, with its time and the CPU time of the process at that time."""

    at: float
    cpu: float
    reading: Reading
    counted: tuple[Sequence[int], ...]

    @classmethod
    def now(cls, reading: Reading) -> Moment:
        """Return a moment for the present reading. The counts of its timings are copied, since they go on counting."""
        return cls(monotonic(), process_time(), reading, tuple(tuple(t.counts) for t in _timings(reading)))


def _timings(reading: Reading) -> tuple[Timings, ...]:
    return reading.appends, reading.commits, reading.lag, reading.first_token


def figures_between(before: Moment, after: Moment) -> dict[str, float]:
    """Return the figures of the time between two moments.

    Rates are per second, times in seconds, sizes in bytes, and `cpu` in cores. An unknown time is left out, such as the
    time of publishing in a second without an event.
    """
    seconds = after.at - before.at
    was, now = before.reading, after.reading
    made, committed, late, first = (
        timings.since(counts) for timings, counts in zip(_timings(now), before.counted, strict=True)
    )
    counts = now.counts
    figures: dict[str, float | None] = {
        "streams": counts.streams,
        "behind": counts.behind,
        "topics": counts.topics,
        "published": (counts.published - was.counts.published) / seconds,
        "delivered": (counts.delivered - was.counts.delivered) / seconds,
        "writes": (counts.writes - was.counts.writes) / seconds,
        "publish_p50": quantile(made, 0.5),
        "publish_p99": quantile(made, 0.99),
        "commits": sum(committed) / seconds,
        "commit_p50": quantile(committed, 0.5),
        "commit_p99": quantile(committed, 0.99),
        "lag_p50": quantile(late, 0.5),
        "lag_max": quantile(late, 1.0),
        "store_bytes": now.store,
        "runs": now.runs,
        **{f"runs_{name}": now.ended.get(name, 0) - was.ended.get(name, 0) for name in OUTCOMES},
        "first_token_p50": quantile(first, 0.5),
        "first_token_p99": quantile(first, 0.99),
        "tokens": (now.tokens - was.tokens) / seconds,
        "memory": now.memory,
        "window_bytes": counts.window_bytes,
        "write_bytes": counts.write_bytes,
        "cpu": (after.cpu - before.cpu) / seconds,
    }
    return {name: round(value, 6) for name, value in figures.items() if value is not None}
