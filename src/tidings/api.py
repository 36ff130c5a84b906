"""The hub as applications have it: topics, and the runs that are built on them."""

from __future__ import annotations

from functools import cached_property
from typing import Self

from tidings.delivery import hub
from tidings.runs.runs import Runs


class Hub(hub.Hub):
    """The hub of an application: topics over one store, for one event loop, and the runs that are built on them."""

    @cached_property
    def runs(self) -> Runs:
        """AI generations whose events are topics that end."""
        return Runs(self)

    async def open(self) -> Self:
        """Open the store and begin to follow it. Raises Unavailable or InvalidRequest when the store cannot be
        opened."""
        await super().open()
        # Every process that opens the store ends the runs of processes that died, even if it starts none itself.
        self.runs.open()
        return self
