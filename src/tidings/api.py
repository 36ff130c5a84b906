"""The hub as applications have it: topics, and the runs that are built on them."""

from __future__ import annotations

from functools import cached_property
from typing import Self

from tidings.delivery import hub as base
from tidings.runs.runs import Runs


class Hub(base.Hub):
    """Durable topics over one store, and the runs that are built on them, for one event loop at a time.

    Use it as an async context manager, or give an app `lifespan=hub.lifespan`. A hub that was closed can be opened
    again, also in another loop.

    `store` is a URL (`sqlite:///tidings.db`, `postgresql://host/database`, `memory:`) or a Store. Several processes may
    open the same database; readers in each of them have what another publishes within 20 ms.
    `keep_alive`: seconds of silence before a comment is written to a stream. `retry`: the range, in seconds, of the
    reconnection time that a stream tells its client; random within it, so that a thousand clients do not come back in
    the same instant. `drain_window`: seconds over which `drain` closes the open streams. `stream_life`: seconds after
    which a stream is closed at the latest, so that its client connects again, perhaps to another process; None: never.
    `retention`: the retention of topics that are created without one of their own.

    `window_bytes`: memory for the recent events of all topics; beyond it, those of the topics that were longest silent
    are read from the store again. `write_bytes`: memory that slow readers may keep; beyond it, the reader that has been
    slow for the longest is disconnected and resumes.
    """

    @cached_property
    def runs(self) -> Runs:
        """AI generations, whose events are topics that end."""
        return Runs(self)

    async def open(self) -> Self:
        """Open the store and begin to follow it.

        Raises Unavailable or InvalidRequest if the store cannot be opened, RuntimeError if the hub is open already.
        """
        await super().open()
        # Every process that opens the store ends the runs of processes that died, even if it starts none itself.
        self.runs.open()
        return self

    async def _close(self) -> None:
        if self.state != "closed":
            self.delivery.draining = True
            await self.runs.close()
        await super()._close()

    def drain(self, *, hurry: bool = False) -> None:
        """Close the open streams in random order over the drain window; their clients resume in another process.

        Runs get their grace to finish. Idempotent, and safe to call from the loop's signal callbacks. Each stream is
        closed without the end of its body, so that no client takes it for the end of its topics. `hurry`: close all of
        them now, also those that a drain under way has left, and end the runs.
        """
        if self.state == "open" or hurry:
            self.runs.drain(hurry=hurry)
        super().drain(hurry=hurry)
