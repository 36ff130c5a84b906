"""Limits over all processes of a store: each tells the others what people use up, in transient events.

A person can get more than a limit only within the half second until the other processes hear of it.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from time import monotonic

import msgspec

from tidings.access.limits import Amount, Limits
from tidings.delivery.hub import Hub
from tidings.errors import TidingsError
from tidings.log.names import fitting

log: logging.Logger = logging.getLogger("tidings.limits")

TOPIC = "limits"
"""The topic of these events, which only processes follow."""
EVERY = 5.0
"""Seconds between two events of a process that holds places for runs, even if nothing changes."""
LOOK = 0.5
"""Seconds between two looks at the counts. The changes between two looks are one event."""
GONE = 12.0
"""Seconds without an event after which a process counts as gone, with the places that it holds."""
FRAME = 64
"""Bytes of an amount, or of a person's places, beside the name."""


class Used(msgspec.Struct, frozen=True):
    """An event: what was used up in the process since its last event, and the places for runs that people hold."""

    process: str
    spent: list[tuple[Amount, float]]
    held: dict[str, int]


_used = msgspec.json.Decoder(Used).decode


class SharedLimits:
    """Publishes the counts of this process's limits, and adds the counts of the other processes."""

    def __init__(self, hub: Hub, limits: Limits) -> None:
        self.hub = hub
        self.limits = limits
        self.process: str = secrets.token_hex(4)
        self._held: dict[str, int] = {}
        self._told = 0.0
        self._heard: dict[str, float] = {}

    def open(self) -> None:
        """Begin to publish and to follow the counts. Call this method once the hub is open."""
        self.hub.delivery.listen(TOPIC, self._hear)
        self.hub.delivery.background(self._tell())

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(LOOK)
            self._forget()
            limits = self.limits
            told = fitting(limits.spent, lambda amount: amount.name, FRAME)
            spent = [(amount, limits.spent.pop(amount)) for amount in told]
            held = limits.held()
            if spent or held != self._held or (held and monotonic() - self._told >= EVERY):
                self._held, self._told = held, monotonic()
                used = Used(self.process, spent, {name: held[name] for name in fitting(sorted(held), str, FRAME)})
                try:
                    await self.hub.publish(TOPIC, msgspec.to_builtins(used), TOPIC, transient=True)
                except TidingsError as error:
                    log.warning("The counts of limits could not be published to the other processes: %s", error)

    def _hear(self, type: str, data: str) -> None:
        """Take an event of another process. A listener must not raise."""
        try:
            used = _used(data)
        except msgspec.DecodeError:
            return
        if used.process != self.process:
            self._heard[used.process] = monotonic()
            self.limits.hold_elsewhere(used.process, used.held)
            for amount, count in used.spent:
                self.limits.spend_elsewhere(amount, count)

    def _forget(self) -> None:
        for process in [process for process, at in self._heard.items() if monotonic() - at >= GONE]:
            del self._heard[process]
            self.limits.hold_elsewhere(process, {})
