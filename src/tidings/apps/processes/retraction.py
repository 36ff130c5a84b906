"""Retraction: published deviations lose what was redacted in the topic of their process."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from tidings.delivery.hub import Hub
from tidings.errors import InvalidRequest, NotFound
from tidings.events import ORIGIN, Event, Offset
from tidings.log.head import Head

from .conformance import first_after
from .figures import labels
from .fold import NONE, Process
from .service import PREFIX, Processes

PUBLISHED = "process.deviations"
"""The label of the topics `process.NAME.deviations`, by which every process of the server finds them."""

SUFFIX = ".deviations"


class _Told(msgspec.Struct):
    """The part of a deviation that may name a redacted event: its own, or one of the activity `source` before it."""

    offset: str
    source: str = msgspec.field(name="from")


_decode = msgspec.json.Decoder(_Told).decode


class Retraction:
    """Redacts the deviations that name a redacted event, in every process of the server.

    A look compares the deviations of each process that has redactions with its state, which has lost the redacted
    events. So a look finds what any process has left, and what one that had not heard of a redaction published after.
    """

    def __init__(self, hub: Hub, processes: Processes) -> None:
        self._hub = hub
        self._processes = processes
        self._seen: dict[str, tuple[Offset, int]] = {}

    async def look(self) -> None:
        """Redact what names events that were redacted since the last look. Raises Unavailable, OutcomeUnknown."""
        after = ""
        while heads := await self._hub.log.heads(PREFIX, after, labels=[PUBLISHED]):
            for topic, _ in heads:
                source = topic.removesuffix(SUFFIX)
                head = await self._hub.log.describe(source)
                if head is not None and head.redactions:
                    try:
                        await self._retract(topic, source, head)
                    except NotFound:  # one of the topics was deleted just now
                        self._seen.pop(topic, None)
            after = heads[-1][0]

    async def _retract(self, topic: str, source: str, head: Head) -> None:
        at, redactions = self._seen.get(topic, (ORIGIN, 0))
        after = at if redactions == head.redactions else None
        while True:
            page = await self._hub.log.read(topic, after)
            if page.events:
                process, _ = await self._processes.state(source.removeprefix(PREFIX))
                await self._hub.log.redact_all(topic, page.next.epoch, await _named(page.events, process, head))
            after = page.next
            if page.up_to_date:
                break
        self._seen[topic] = after, head.redactions


async def _named(deviations: Sequence[Event], process: Process, head: Head) -> list[int]:
    """Return the numbers of the deviations that name an event which the process has no more."""
    found: list[int] = []
    activities: dict[int, set[str]] = {}
    for event in deviations:
        try:
            told = _decode(event.data)
            n = head.locate(Offset.parse(told.offset))
        except (msgspec.DecodeError, InvalidRequest):
            continue
        if event.redacted or event.offset is None:
            continue
        if n is None or not _holds(process, head, n, told.source, activities):
            found.append(event.offset.n)
        await asyncio.sleep(0)
    return found


def _holds(process: Process, head: Head, n: int, source: str, activities: dict[int, set[str]]) -> bool:
    """Tell whether a process has the event `n`, and in its case one of the activity `source`, if that is not empty.

    An event that was trimmed and is in no state is taken to be there: it was there while it could be redacted.
    """
    at = first_after(process, n - 1)
    if at == len(process.offset_of) or process.offset_of[at] != n:
        return n <= head.start
    case = process.case_of[at]
    if case == NONE or not source:
        return case != NONE
    if case not in activities:
        names = labels(process)
        activities[case] = {names[process.activity_of[event]] for event in process.events_of(case)}
    return source in activities[case]
