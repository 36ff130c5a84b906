"""Presence: this process tells the topic `presence` about the people of its streams, and hears about other processes'.

The cost is that of the changes. A beat names the people whose connections changed, and its version shows a process that
it has missed a change. That process asks for all people in a topic that only processes read.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from time import monotonic
from typing import Any

import msgspec

from tidings.access.guards import Admitted, Guard, Items
from tidings.access.subject import Subject
from tidings.delivery.hub import Hub
from tidings.errors import Forbidden, TidingsError
from tidings.http.response import Slots
from tidings.log.names import fitting

from .here import Beat, Here, Process

log: logging.Logger = logging.getLogger("tidings.people")

TOPIC = "presence"
"""The topic of the beats, which people follow."""
PROCESSES = "presence.processes"
"""The topic in which processes ask each other for all people, and answer."""
ASKED, ALL = "people.asked", "people.all"
"""The types of its events."""
EVERY = 5.0
"""Seconds between two beats of a process whose people do not change."""
LOOK = 0.5
"""Seconds between two looks at the open streams. Changes in between are told together."""
FRAME = 16
"""Bytes of a person's connections beside the name."""
FEW = 400
"""People whose names certainly fit into an event."""


class Asked(msgspec.Struct, frozen=True):
    """A question of the process `by` for all people of the process `of`; of every process if `of` is empty."""

    by: str
    of: str


_beat = msgspec.json.Decoder(Beat).decode
_asked = msgspec.json.Decoder(Asked).decode
_all = msgspec.json.Decoder(Process).decode


class Presence:
    """The people of one hub, whose streams take their places in `slots` by name. Open it after the hub.

    All events are transient: nothing is stored, and a process that dies is forgotten after `here.GONE` seconds.
    """

    def __init__(self, hub: Hub, slots: Slots) -> None:
        self.hub = hub
        self.slots = slots
        self.process: str = secrets.token_hex(4)
        self._here = Here()
        self._told = Process(self.process, 0, {})
        self._at = 0.0
        self._asked = False
        self._missed: set[str] = {""}
        slots.owned_elsewhere = lambda name: self._here.elsewhere(self.process, name, monotonic())

    def open(self) -> None:
        """Begin to tell and to hear."""
        self.hub.delivery.listen(TOPIC, self._hear)
        self.hub.delivery.listen(PROCESSES, self._hear_process)
        self.hub.delivery.background(self._tell())

    async def close(self) -> None:
        """Tell that the people of this process have left."""
        await self._tell_changes({})

    def people(self) -> dict[str, int]:
        """Return the connections of each person on all processes, in the order of the names.

        Changes of the last LOOK seconds may be missing.
        """
        self._here.replace(self._told, monotonic())
        return self._here.people(monotonic())

    def processes(self) -> list[Process]:
        """Return the people of each process, with the versions from which the next beats go on."""
        self._here.replace(self._told, monotonic())
        return self._here.processes(monotonic())

    async def _tell(self) -> None:
        while True:
            owners = self.slots.owners
            mine = {name: count for name, count in owners.items() if name}
            if len(mine) > FEW:
                mine = {name: mine[name] for name in fitting(sorted(mine), str, FRAME)}
            await self._tell_changes(mine)
            if self._told.version and monotonic() - self._at >= EVERY:
                await self._beat(Beat(self.process, self._told.version))
            if self._asked:
                self._asked = False
                await self._publish(PROCESSES, ALL, self._told)
            while self._missed:
                await self._publish(PROCESSES, ASKED, Asked(self.process, self._missed.pop()))
            await asyncio.sleep(LOOK)

    async def _tell_changes(self, mine: dict[str, int]) -> None:
        before = self._told.here
        if mine == before:
            return
        names = sorted(before.keys() | mine.keys())
        changed = {name: mine.get(name, 0) for name in names if mine.get(name) != before.get(name)}
        self._told = Process(self.process, self._told.version + 1, mine)
        await self._beat(Beat(self.process, self._told.version, changed))

    async def _beat(self, beat: Beat) -> None:
        self._at = monotonic()
        await self._publish(TOPIC, TOPIC, beat)

    async def _publish(self, topic: str, type: str, event: Any) -> None:
        """Publish an event. If the event is lost, the next beat shows the other processes that they missed it."""
        try:
            await self.hub.publish(topic, msgspec.to_builtins(event), type, transient=True)
        except TidingsError as error:
            log.warning("The people of this process could not be published to the other processes: %s", error)

    def _hear(self, type: str, data: str) -> None:
        """Take a beat of another process. A listener must not raise."""
        try:
            beat = _beat(data)
        except msgspec.DecodeError:
            return
        if type == TOPIC and beat.process != self.process and not self._here.hear(beat, monotonic()):
            self._missed.add(beat.process)

    def _hear_process(self, type: str, data: str) -> None:
        """Take a question or an answer of another process. A listener must not raise."""
        try:
            if type == ASKED:
                asked = _asked(data)
                self._asked = self._asked or (asked.by != self.process and asked.of in ("", self.process))
            elif type == ALL and (answer := _all(data)).process != self.process:
                self._here.replace(answer, monotonic())
        except msgspec.DecodeError:
            return


class PresenceGuard(Guard):
    """The guard of `presence`: everybody whose token covers the topic may follow it, and only the server publishes."""

    async def read(self, subject: Subject, topic: str) -> None:
        if topic != TOPIC:
            raise Forbidden(f"Only the server itself uses the topic {topic}.", topic=topic)

    async def admit(self, subject: Subject, topic: str, items: Items, *, transient: bool) -> Admitted:
        raise _only_server()

    async def manage(self, subject: Subject, topic: str) -> None:
        raise _only_server()

    async def announce(self, subject: Subject, topic: str) -> None:
        raise _only_server()


def _only_server() -> Forbidden:
    return Forbidden("Only the server publishes presence. A person with an open stream is present.")
