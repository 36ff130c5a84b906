"""The guard of the topics below `process.`: what is published there can be mined."""

from __future__ import annotations

import asyncio
from typing import Any

from tidings.access.guards import Admitted, Guard, Items
from tidings.access.subject import Subject
from tidings.errors import Conflict, Forbidden, InvalidRequest
from tidings.events import ORIGIN
from tidings.log.rules import NEW, Appended

from .facts import ImportPart, Row, read, read_part
from .fold import Import
from .service import OWN, Processes, is_process

NOTHING = Import(0, False, 0, "")
"""The state of the import of a file of which the topic holds no event."""

SLICE = 1_000
"""Events that are checked in one turn of the event loop: 2 ms."""


class ProcessesGuard(Guard):
    """`process.NAME` takes events of cases, and the parts of imports. Whoever the token lets read and publish there may
    do so. Only the server publishes to the topics below `process.NAME`."""

    reads_json = True

    def __init__(self, processes: Processes) -> None:
        self._processes = processes

    async def admit(self, subject: Subject, topic: str, items: Items, *, transient: bool) -> Admitted:
        if not is_process(topic):
            raise Forbidden(f"The events of a process go to process.NAME; nobody publishes to {topic}.", topic=topic)
        if topic == OWN:
            raise Forbidden(f"{OWN} holds this server's own runs; nobody else publishes to it.", topic=topic)
        if transient:
            raise InvalidRequest("An event of a case is stored: publish it without `transient`.")
        parts: list[ImportPart] = []
        rows: list[Row] = []
        for number, (type, data) in enumerate(items, 1):
            if number % SLICE == 0:
                await asyncio.sleep(0)
            try:
                if type == ImportPart.type:
                    parts.append(read_part(data))
                else:
                    rows.append(read(data))
            except InvalidRequest as refusal:
                if len(items) > 1:
                    refusal.members["event"] = number
                raise
        # The fold takes the rows once they are stored, so that no event is read twice in this process.
        expected = await self._expected(topic, items, parts) if parts else None
        return Admitted(items, expected=expected, note=(rows, parts))

    async def _expected(self, topic: str, items: Items, parts: list[ImportPart]) -> Any:
        """Check the part of an import against what the log holds of the file, and return the offset of that check."""
        part = parts[0]
        if len(parts) > 1 or items[-1][0] != ImportPart.type or part.to - part.first != len(items) - 1:
            raise InvalidRequest("A part of an import is published with its events, after them, in one commit.")
        projection = await self._processes.projections.get(topic)
        before = projection.state.imports.get(part.file, NOTHING)
        members = {"events": before.events, "done": before.done, "options": before.options}
        if before != NOTHING and before.options != part.options:
            raise Conflict("The topic holds this file, read with other options.", **members)
        if before.done or part.first != before.events:
            raise Conflict("The topic holds this part of the file already, or not yet the part before it.", **members)
        return NEW if projection.offset == ORIGIN else projection.offset

    async def published(self, subject: Subject, topic: str, items: Items, done: Appended, note: Any = None) -> None:
        if note is not None:
            rows, parts = note
            self._processes.stored(topic, rows, parts, done)
        await self._processes.follow(topic)

    async def manage(self, subject: Subject, topic: str) -> None:
        if not is_process(topic):
            raise Forbidden(f"Only the server itself changes the topic {topic}.", topic=topic)

    async def announce(self, subject: Subject, topic: str) -> None:
        raise Forbidden("A run is announced in a room or in a conversation, not in a process.", topic=topic)
