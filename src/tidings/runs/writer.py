"""The writer of one run: appends its events in order, from a bounded buffer, so that the model does not wait for the
disk."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from tidings.delivery.hub import Hub
from tidings.errors import Closed, Conflict, OutcomeUnknown, TidingsError, Unavailable
from tidings.events import Event, Offset
from tidings.wire.run_events import RunEvent, merged, to_item

log: logging.Logger = logging.getLogger("tidings.runs")

BUFFER = 1 << 20
"""Bytes that may wait for the store before the model has to wait."""

PATIENCE = 60.0
"""Seconds for which a store that is unavailable is asked again: a database may take as long to fail over. Then another
process must end the run."""
PAUSE = 0.25


class Refused(Exception):
    """The log takes no further events from this producer."""


class Writer:
    """Appends events while the producer goes on.

    Events that come during a commit go into the next one, where the deltas of a block are merged. So a slow disk costs
    events, not time. The writer appends to one life of the log only and never after the end. `started`: the end of the
    log so far. `on_refused` is called when the log takes no more from this producer, because it is closed or of another
    life, or cannot be written.
    """

    def __init__(self, hub: Hub, topic: str, started: Offset, on_refused: Callable[[], None]) -> None:
        self._hub = hub
        self._topic = topic
        self._epoch = started.epoch
        self._stored = started  # the last event that this writer knows to be stored
        self._on_refused = on_refused
        self._waiting: list[RunEvent] = []
        self._bytes = 0
        self._work = asyncio.Event()
        self._room = asyncio.Event()
        self.ending: bool = False
        self.ended: bool = False
        """True once the end is in the log."""
        self.refused: bool = False
        self._task = hub.delivery.background(self._write())

    async def put(self, event: RunEvent) -> None:
        """Take an event; wait only while the buffer is full. If cancelled, the event is not taken. Raises Refused."""
        while self._bytes > BUFFER and not self.refused and not self.ending:
            self._room.clear()
            await self._room.wait()
        if self.refused or self.ending:
            raise Refused
        self._take(event)

    async def end(self, events: list[RunEvent]) -> None:
        """Append all that waits and these events in the log's last commit. Returns once it is stored or refused."""
        if not self.refused:
            for event in events:
                self._take(event)
            self.ending = True
            self._work.set()
        self._room.set()
        await asyncio.shield(self._task)

    def _take(self, event: RunEvent) -> None:
        self._bytes += len(to_item(event)[1])
        self._waiting.append(event)
        self._work.set()

    def refuse(self) -> None:
        """Take nothing more and write nothing more."""
        if not self.refused and not self.ended:
            self.refused = True
            self._work.set()
            self._room.set()
            self._on_refused()

    async def _write(self) -> None:
        try:
            while not self.ended:
                await self._work.wait()
                self._work.clear()
                if self.refused:
                    return
                events, self._waiting, self._bytes = self._waiting, [], 0
                ending = self.ending
                self._room.set()
                if events:
                    await self._append([to_item(event) for event in merged(events)], close=ending)
                self.ended = ending
        except Conflict as error:
            log.info("%s is written by this process no longer: %s", self._topic, error)
        except TidingsError as error:
            log.error(
                "%s cannot be written; the process that finds its lease lapsed will end it: %s", self._topic, error
            )
        finally:
            if not self.ended:
                self.refuse()

    async def _append(self, items: list[tuple[str, str]], *, close: bool) -> None:
        """Append, once, as soon as the store can be written."""
        clock = asyncio.get_running_loop().time
        end = clock() + PATIENCE
        expected: str | Offset | None = self._epoch
        while True:
            try:
                # None: nobody knows whether they are stored.
                expected = expected or await self._end_without(items)
                if expected is not None:
                    appended = await self._hub.log.append(self._topic, items, expected=expected, close=close)
                    self._stored = appended.last
                return
            except Unavailable as error:
                if clock() > end or self.refused:
                    raise
                if isinstance(error, OutcomeUnknown):
                    expected = None
                log.warning("%s waits for the store: %s", self._topic, error)
            except Conflict as error:
                # At an exact end: a command came in between, or the events themselves.
                if isinstance(error, Closed) or not isinstance(expected, Offset) or clock() > end:
                    raise
                expected = None
            await asyncio.sleep(PAUSE)

    async def _end_without(self, items: list[tuple[str, str]]) -> Offset | None:
        """Return the end of the log, or None if the log holds the items of an append whose outcome was unknown.

        An append that expects this very end cannot store them twice: of this append and the lost one, should that one
        still arrive, the store takes one. Raises Conflict if the log is in another life.
        """
        after, later = self._stored, list[Event]()
        while True:
            page = await self._hub.log.read(self._topic, after)
            if page.lost:
                raise Conflict(f"The topic {self._topic} has lost events of this run.")
            later += page.events
            if page.up_to_date:
                break
            after = page.next
        found = [(event.type, event.data) for event in later]
        for end in range(len(items), len(found) + 1):
            if found[end - len(items) : end] == items:
                self._stored = later[end - 1].offset or self._stored
                return None
        return page.tail
