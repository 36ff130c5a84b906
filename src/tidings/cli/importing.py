"""Import a file into the topic of a process: check it to its end, then publish its events once each."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import msgspec

from tidings.apps.processes.facts import ImportPart
from tidings.apps.processes.files.reading import LogFile
from tidings.apps.processes.files.records import Options, Wrong, data_of
from tidings.errors import Conflict, TidingsError, TooLarge
from tidings.events import MESSAGE

from .json_lines import REFUSED, WRONG, Failure
from .progress import progress_bar
from .spool import Spool

if TYPE_CHECKING:
    from tidings.client import Client

PART, PART_BYTES = 2_500, 4_000_000
"""Events, and bytes of them, that one request publishes: a server folds them in one turn of its event loop."""

REMEMBERED = 100_000
"""Cases whose last time is known, to count events with equal times."""

NAMED = 5
"""Wrong events that the messages of an import name."""

PAUSE = 5.0
"""Seconds that a replay waits at most. A gap of ten years would take a month at 100,000 times the speed."""

TICK = 0.05
"""Seconds between two requests of a replay."""

PATIENCE = 60.0
"""Seconds for which a part is published again while other events come between the check and the append."""


class Checked(NamedTuple):
    """A file that was read to its end. `notes`: sentences about what a reader of the map must know."""

    sha256: str
    options: str
    skipped: int
    notes: list[str]


def check(file: BinaryIO, options: Options, spool: Spool, *, skip: bool, by_time: bool) -> Checked:
    """Read a file to its end, and put its events into the spool. Raises Failure for one that cannot be mined whole.

    `skip`: leave out events that are wrong, and name the first of them.
    """
    if by_time:
        spool.sort()
    wrong: list[Wrong] = []
    skipped, ties, last = 0, 0, dict[str, int]()
    with progress_bar("checking") as show:
        log = LogFile(file, options, show)
        try:
            for found in log.events():
                try:
                    if isinstance(found, Wrong):
                        raise found
                    spool.add(data_of(found), found.at)
                except Wrong as error:
                    if not skip:
                        raise
                    skipped += 1
                    wrong += [error] if len(wrong) < NAMED else []
                    continue
                ties += last.get(found.case) == found.at
                if found.case in last or len(last) < REMEMBERED:
                    last[found.case] = found.at
        except Wrong as error:
            raise Failure(_sentence(error), WRONG) from None
    if not spool.events:
        raise Failure("The file has no event that fits the options. Nothing is stored.", WRONG)
    notes = [f"Left out: {error}." for error in wrong]
    if skipped > len(wrong):
        notes.append(f"{skipped:,} events are left out in all.")
    if log.times.zoned is False:
        notes.append("The times have no zone: they are taken as UTC.")
    if ties:
        notes.append(f"{ties:,} events have the same time as the one before in their case: they keep the file's order.")
    chosen = options.text() + ("by time" if by_time else "") + ("without wrong events" if skip else "")
    return Checked(log.sha256, chosen, skipped, notes)


def _sentence(error: Wrong) -> str:
    reason = str(error)
    hint = " Use --skip-invalid to leave such events out." if error.line and "event" in reason else ""
    return f"{reason[0].upper()}{reason[1:]}. Nothing is stored.{hint}"


def store(client: Client, topic: str, checked: Checked, spool: Spool) -> int:
    """Publish the events that the topic does not hold yet, and return how many it held before."""
    with progress_bar("storing") as show:
        sender = _Sender(client, topic, checked, spool.events)
        events = spool.read(0)
        while not sender.done:
            show(sender.at / spool.events)
            part: list[bytes] = []
            size = 0
            while len(part) < sender.most and size < PART_BYTES and (data := next(events, None)) is not None:
                part.append(data)
                size += len(data)
            if not sender.send(part):
                events = spool.read(sender.at)
    return sender.before


def replay(client: Client, topic: str, checked: Checked, spool: Spool, speed: float) -> tuple[int, int]:
    """Publish the events as time passes, `speed` times as fast as they happened.

    Returns how many the topic held before, and how many gaps were shortened to PAUSE seconds.
    """
    with progress_bar("replaying") as show:
        sender = _Sender(client, topic, checked, spool.events)
        shortened = 0
        events = _Ahead(spool.read_by_time(0))
        began, first = time.monotonic(), events.at
        while not sender.done:
            show(sender.at / spool.events)
            wait = began + (events.at - first) / 1e6 / speed - time.monotonic()
            if wait > PAUSE:
                began, wait, shortened = began - (wait - PAUSE), PAUSE, shortened + 1
            time.sleep(max(wait, TICK if sender.at else 0.0))
            part = events.until(first + (time.monotonic() - began) * speed * 1e6, sender.most)
            if not sender.send(part):
                events = _Ahead(spool.read_by_time(sender.at))
                began, first = time.monotonic(), events.at
    return sender.before, shortened


class _Ahead:
    """Events in the order of their time, of which the next is known. `at`: its time."""

    def __init__(self, events: Iterator[tuple[int, bytes]]) -> None:
        self._events = events
        self._next = next(events, None)

    @property
    def at(self) -> int:
        return self._next[0] if self._next is not None else 0

    def until(self, at: float, most: int) -> list[bytes]:
        """Return the next event, and those that follow it up to a time."""
        part: list[bytes] = []
        while self._next is not None and len(part) < most and (not part or self._next[0] <= at):
            part.append(self._next[1])
            self._next = next(self._events, None)
        return part


class _Sender:
    """Publishes parts of a file, each of which says how far the import came. `at`: the events that the topic holds.

    `before`: how many it held when the import began. `most`: how many events a part may have.
    """

    def __init__(self, client: Client, topic: str, checked: Checked, events: int) -> None:
        self.at, self.before, self.most, self.done = 0, 0, PART, False
        self._client, self._topic, self._checked, self._events = client, topic, checked, events
        self._since = time.monotonic()

    def send(self, part: list[bytes]) -> bool:
        """Publish a part; False: go on with the event number `at`. Raises Failure, TidingsError."""
        to = self.at + len(part)
        checked = self._checked
        about = ImportPart(checked.sha256, self.at, to, to == self._events, checked.skipped, checked.options)
        items: list[tuple[str, object]] = [(MESSAGE, msgspec.Raw(data)) for data in part]
        try:
            self._client.publish_many(self._topic, [*items, (ImportPart.type, about)])
        except TooLarge:
            if self.most == 1:
                raise
            self.most = max(min(self.most, len(part)) // 2, 1)
            return False
        except Conflict as conflict:
            self._go_on(conflict)
            return False
        self.at, self.done, self._since = to, about.done, time.monotonic()
        return True

    def _go_on(self, conflict: TidingsError) -> None:
        held = conflict.members
        if held.get("options", self._checked.options) != self._checked.options:
            raise Failure(
                "The topic holds this file, read with other options. Import it with the same options, or into another "
                "topic.",
                REFUSED,
            ) from None
        if held.get("events", self.at) > self.at:
            self.before += held["events"] - self.at
            self.at, self.done, self._since = held["events"], held["done"], time.monotonic()
        elif time.monotonic() - self._since > PATIENCE:
            raise conflict
        else:
            time.sleep(TICK)
