"""Presence: this process publishes the people of its streams to the topic `presence`, and hears of other processes'."""

from __future__ import annotations

import asyncio
import logging
import secrets
from time import monotonic

import msgspec

from tidings.access.guards import Admitted, Guard, Items
from tidings.access.subject import Subject
from tidings.delivery.hub import Hub
from tidings.errors import Forbidden, TidingsError
from tidings.http.response import Slots

from .here import Here

log: logging.Logger = logging.getLogger("tidings.people")

TOPIC = "presence"
EVERY = 5.0
"""Seconds between two beats of a process where somebody is."""
LOOK = 0.5
"""Seconds between two looks at who is here: a change is told after that long at most, many changes together."""
MOST = 5_000
"""People that one process tells of: a beat goes to everybody, and an event holds 1 MB."""


class Beat(msgspec.Struct, frozen=True):
    """A transient event of the topic: `here` has the connections of each name."""

    process: str
    here: dict[str, int]


_decode = msgspec.json.Decoder(Beat).decode


class Presence:
    """The people of one hub, whose streams take their places in `slots` by name. `open` it once the hub is open.

    A beat is transient: nothing is stored, and a process that dies is forgotten after `here.GONE` seconds.
    """

    def __init__(self, hub: Hub, slots: Slots) -> None:
        self.hub = hub
        self.slots = slots
        self.process: str = secrets.token_hex(4)
        self._here = Here()
        self._told: dict[str, int] = {}
        self._at = 0.0

    def open(self) -> None:
        """Begin to tell and to hear."""
        self.hub.delivery.listen(TOPIC, self._hear)
        self.hub.delivery.background(self._tell())

    async def close(self) -> None:
        """Say that nobody is here any more."""
        if self._told:
            await self._beat({})

    def people(self) -> dict[str, int]:
        """Connections by name, on all processes, in the order of the names. Other processes' are as of their beats."""
        self._here.hear(self.process, self._mine(), monotonic())
        return self._here.people(monotonic())

    def _mine(self) -> dict[str, int]:
        owners = self.slots.owners
        names = sorted(filter(None, owners))[:MOST]
        return {name: owners[name] for name in names}

    async def _tell(self) -> None:
        while True:
            mine = self._mine()
            if mine != self._told or (mine and monotonic() - self._at >= EVERY):
                await self._beat(mine)
            await asyncio.sleep(LOOK)

    async def _beat(self, mine: dict[str, int]) -> None:
        try:
            await self.hub.publish(TOPIC, msgspec.to_builtins(Beat(self.process, mine)), TOPIC, transient=True)
        except TidingsError as error:
            log.warning("who is here could not be told: %s", error)
        else:
            self._told, self._at = mine, monotonic()

    def _hear(self, type: str, data: str) -> None:
        try:
            beat = _decode(data)
        except msgspec.DecodeError:
            return
        if type == TOPIC and beat.process != self.process:
            self._here.hear(beat.process, beat.here, monotonic())


class PresenceGuard(Guard):
    """The guard of `presence`: all whose token covers the topic may follow it, and only the server publishes."""

    async def admit(self, subject: Subject, topic: str, items: Items, *, transient: bool) -> Admitted:
        raise _servers_own()

    async def manage(self, subject: Subject, topic: str) -> None:
        raise _servers_own()

    async def announce(self, subject: Subject, topic: str) -> None:
        raise _servers_own()


def _servers_own() -> Forbidden:
    return Forbidden("Who is here is told by the server alone: open a stream, and you are.")
