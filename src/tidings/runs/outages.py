"""Outages of the store as a reaper sees them: times in which the living could not renew their leases either."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import inf

from tidings.delivery.hub import Hub


class Outages:
    """Tells when a lapsed lease means that its holder is gone, and not that nobody could renew a lease.

    Holders renew every `beat` seconds a lease that lapses after `lease` seconds. So a lapsed lease is believed once
    looks every `beat` seconds have proved for `lease` seconds, without a gap, that the store can be written. A gap is a
    failure, and also a longer time between two looks than a renewal may take: the store was locked, or this process was
    frozen. `clock`: a test's clock in the place of the event loop's.
    """

    def __init__(self, hub: Hub, lease: float, beat: float, clock: Callable[[], float] | None = None) -> None:
        self._hub = hub
        self._lease = lease
        self._gap = lease - beat
        self._clock = clock or asyncio.get_running_loop().time
        self._since: float | None = None  # the first look after the last gap
        self._proved = -inf

    async def over(self) -> bool:
        """Look once, and return True if lapsed leases are believed. Raises Unavailable while the store is away."""
        try:
            # Without leases nobody writes, and a proof would keep the disk of an idle machine awake.
            if await self._hub.leases.lapsed(1, inf):
                await self._hub.delivery.probe()
        except BaseException:
            self._since = None
            raise
        now = self._clock()
        if self._since is None or now - self._proved > self._gap:
            self._since = now
        self._proved = now
        return now - self._since >= self._lease
