"""Projections: the state of a topic, folded from its log and its last snapshot, and kept level in this process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from time import monotonic
from typing import Generic, TypeVar

import msgspec

from tidings.delivery.hub import Hub
from tidings.delivery.live_topic import LiveTopic
from tidings.errors import InvalidRequest, NotFound, TidingsError
from tidings.events import ORIGIN, Event, Offset, redacted_event
from tidings.log.head import Head
from tidings.log.names import MAX_EVENTS

from .derivations import derived_from
from .snapshots import Snapshot, read, write

log: logging.Logger = logging.getLogger("tidings.apps.projection")

EVERY = 500
"""Events after which a snapshot is written. A state is read from a snapshot and about as many events at most."""

REDACTED = 16
"""Redactions after which a snapshot is written. A head names the last 32; older ones take a read of all events."""

KEPT = 1024
"""States that a process keeps: those used last."""

SOON = 0.1
"""Seconds until a snapshot that is due is written."""

QUIET, BUSY = 0.3, 3.0
"""Seconds without a further event until the snapshot of a large state is written, and the most seconds of waiting for
them. Each overwrites the one before it, and the store takes no other write meanwhile, for up to 0.3 s."""

S = TypeVar("S")


class Projection(Generic[S]):
    """A topic's state, and the offset of the last event in it: ORIGIN while there is no such topic.

    `redactions`: how many of the log's redactions the state holds at least; `saved_redactions`: how many of them its
    snapshot holds. `level`: the state follows its topic. It then holds every event that a reader in this process was
    given.
    """

    __slots__ = (
        "gap",
        "level",
        "lock",
        "looks",
        "offset",
        "pins",
        "redactions",
        "saved",
        "saved_redactions",
        "saving",
        "state",
        "stop",
        "task",
        "topic",
        "unsaved",
    )

    def __init__(self, topic: str, state: S) -> None:
        self.topic: str = topic
        self.state: S = state
        self.offset: Offset = ORIGIN
        self.level: bool = False
        self.gap: bool = False
        self.looks: int = 0
        self.saved: int = 0
        self.redactions: int = 0
        self.saved_redactions: int = 0
        self.saving: bool = False
        self.unsaved: bool = False
        self.pins: int = 0
        self.lock: asyncio.Lock = asyncio.Lock()
        self.task: asyncio.Task[None] | None = None
        self.stop: Callable[[], None] | None = None

    def holds(self, tail: Offset) -> bool:
        """Tell whether the state is at least as new as `tail`."""
        return self.offset.epoch == tail.epoch and self.offset.n >= tail.n


def ignore(projection: Projection[S], events: Sequence[Event]) -> None:
    """Do nothing about a change."""


class Projections(Generic[S]):
    """The states of topics of one kind.

    `new` makes the state before the first event, and `apply` changes it by the next event, or by the announcement of a
    redaction: an event that is redacted and has no offset. A redaction may be announced twice. `version` is the
    fold's: change it with the fold, and snapshots of other versions are not read. `keep`: how many states are kept.
    `changed(projection, events)` is called after every change, before any reader in this process is given the events.
    `lasting`: types of events that must not be lost to the state when the log is trimmed. A snapshot is written after
    each of them; other events matter no longer than the log keeps them.
    If `changed` gets no events, either the topic ended (`offset` is ORIGIN) or events were skipped, and the state is
    old until it is level again.
    A large state has its own form of a snapshot: `freeze` copies the state and returns the function that writes the
    copy as text, in a thread; `thaw` reads the text in a thread, and raises ValueError for another form. `growth`:
    the next snapshot follows after this part of the events before it, but not before EVERY events. `at_once`: events
    of one commit that change a state in one turn of the event loop; a larger commit is read in pages like others.
    `is_derived`: the snapshot is deleted when the topic is. See Derivations.
    """

    def __init__(
        self,
        hub: Hub,
        new: Callable[[], S],
        apply: Callable[[S, Event], None],
        *,
        version: int,
        keep: int = KEPT,
        changed: Callable[[Projection[S], Sequence[Event]], None] = ignore,
        lasting: Collection[str] = (),
        freeze: Callable[[S], Callable[[], str]] | None = None,
        thaw: Callable[[str], S] | None = None,
        growth: float = 0.0,
        at_once: int = MAX_EVENTS,
        is_derived: bool = False,
    ) -> None:
        self.hub = hub
        self._new, self._apply, self._version, self._keep, self._changed = new, apply, version, keep, changed
        self._lasting = frozenset(lasting)
        self._at_once, self._is_derived = at_once, is_derived
        self._freeze, self._thaw, self._growth = freeze, thaw or msgspec.json.Decoder(type(new())).decode, growth
        self._kept: dict[str, Projection[S]] = {}

    async def get(self, topic: str, *, fresh: bool = True, tail: Offset = ORIGIN) -> Projection[S]:
        """The topic's state. `fresh`: as new as the log at the time of this call, whichever process wrote to it, or as
        `tail` where one is given. Otherwise a state that follows its topic is taken as it is. Raises Unavailable."""
        projection = self._kept.pop(topic, None) or Projection(topic, self._new())
        self._kept[topic] = projection  # the last in order: the first is the state that was not used for longest
        self._forget()
        if fresh or not projection.level:
            await self._advance(projection, tail)
        return projection

    def kept(self, topic: str) -> Projection[S] | None:
        """The topic's state as this process knows it; None if the process does not keep it."""
        return self._kept.get(topic)

    async def at(self, topic: str, tail: Offset) -> Projection[S]:
        """The topic's state, at least as new as `tail`: the store is asked only for what is missing."""
        projection = self._kept.get(topic)
        if projection is not None and projection.holds(tail):
            return projection
        return await self.get(topic, tail=tail)

    async def following(self, topic: str) -> Projection[S]:
        """The topic's state, which follows its topic from now on while it is kept. Raises Unavailable."""
        projection = await self.get(topic, fresh=False)
        self.follow(projection)
        if projection.task is not None and not projection.task.done():
            await asyncio.shield(projection.task)
        return projection

    def follow(self, projection: Projection[S]) -> None:
        """Begin to keep a state level with what this process knows of its topic. Idempotent."""
        if projection.task is None and projection.offset != ORIGIN and self.hub.state != "closed":
            projection.task = self.hub.delivery.background(self._attach(projection))

    def pin(self, projection: Projection[S]) -> Callable[[], None]:
        """Keep a state, and keep it level, until the function that this returns is called."""
        projection.pins += 1
        self._kept.setdefault(projection.topic, projection)
        self.follow(projection)

        def release() -> None:
            projection.pins -= 1

        return release

    def _forget(self) -> None:
        if len(self._kept) > self._keep:
            for topic, projection in list(self._kept.items())[: len(self._kept) - self._keep]:
                if not projection.pins:
                    del self._kept[topic]
                    if projection.task is not None:
                        projection.task.cancel()
                    self._detach(projection)

    # Two things move a state: a look at the store, and the events that this process hears of. Both may be under way.

    async def _advance(self, projection: Projection[S], tail: Offset = ORIGIN) -> None:
        """Bring the state to `tail`, or to the log's tail as of now."""
        looks = projection.looks
        async with projection.lock:
            # Of several waiting callers only the first reads the store. Its result serves the others, since that read
            # began after their calls.
            if tail == ORIGIN and projection.looks > looks:
                return
            while tail == ORIGIN or not projection.holds(tail):
                projection.looks += 1
                if await self._look(projection):
                    return

    async def _look(self, projection: Projection[S]) -> bool:
        """Bring the state nearer to its log; True once it holds the tail that was seen at the beginning."""
        topic = projection.topic
        head = await self.hub.log.describe(topic)
        if head is None:
            self._restart(projection)
            if not projection.pins and self._kept.get(topic) is projection:
                del self._kept[topic]
            return True
        if projection.offset.epoch != head.epoch:
            self._restart(projection)
            await self._begin(projection, head)
        while not projection.holds(Offset(head.epoch, head.tail)):
            try:
                page = await self.hub.read(topic, "earliest" if projection.offset == ORIGIN else projection.offset)
            except NotFound:
                return False
            if page.lost not in (None, "trimmed") or page.next.epoch != head.epoch:
                return False
            self._take(projection, page.events, page.next)
            await asyncio.sleep(0)  # a page of 1,000 events takes up to 20 ms: others have their turn
        if projection.redactions < head.redactions:
            named = await self.hub.log.redacted(topic, head, projection.redactions)
            if projection.offset.epoch == head.epoch:
                at = [redacted_event(topic, Offset(head.epoch, n), type, 0.0) for n, type in named]
                self._redact(projection, [msgspec.structs.replace(event, offset=None) for event in at])
                projection.redactions = max(projection.redactions, head.redactions)
        self._save_now_and_then(projection)
        return True

    async def _attach(self, projection: Projection[S]) -> None:
        """Take the topic's events as this process hears of them."""
        if projection.stop is None:
            try:
                position = await self.hub.delivery.follow(projection.topic, "tail")
            except TidingsError as error:
                log.info("%s is not followed: %s", projection.topic, error)
                projection.task = None
                return
            stop = self.hub.delivery.observe(projection.topic, partial(self._heard, projection, position.live))

            def detach() -> None:
                stop()
                self.hub.delivery.unfollow(position)

            projection.stop = detach
        try:
            projection.gap = True
            while projection.gap:
                projection.gap = False
                await self._advance(projection)
            projection.level = projection.offset != ORIGIN
        except TidingsError as error:
            log.info("%s is followed no more: %s", projection.topic, error)
        if not projection.level:
            self._detach(projection)

    def _detach(self, projection: Projection[S]) -> None:
        projection.level, projection.task = False, None
        if projection.stop is not None:
            projection.stop()
            projection.stop = None

    def _heard(self, projection: Projection[S], live: LiveTopic, events: Sequence[Event], tail: Offset) -> None:
        """Take events before this process's readers are given them. An observer must not raise."""
        try:
            first = events[0].offset if events else None
            if events and first is None:
                if projection.offset.epoch == tail.epoch:
                    self._redact(projection, events)
                    # A state that is not level yet may have missed some, and takes all from the head.
                    projection.redactions = live.redactions if projection.level else projection.redactions
                    self._save_now_and_then(projection)
                return
            if projection.offset.epoch != tail.epoch:
                self._restart(projection)
            elif projection.holds(tail):
                return
            elif first is not None and first.n <= projection.offset.n + 1 and len(events) <= self._at_once:
                self._take(projection, events, tail)
                self._save_now_and_then(projection)
                return
        except Exception:
            log.exception("the state of %s could not be changed", projection.topic)
        projection.gap = True
        if projection.level:
            projection.level = False
            projection.task = self.hub.delivery.background(self._attach(projection))
            self._changed(projection, ())

    def step(self, projection: Projection[S], to: Offset, change: Callable[[S], object]) -> None:
        """Change a state by events that this process has stored after `projection.offset`, and knows already."""
        change(projection.state)
        projection.offset = to
        self._save_now_and_then(projection)

    def _take(self, projection: Projection[S], events: Iterable[Event], to: Offset) -> None:
        """Change the state by those of the events that it does not hold yet."""
        at = projection.offset.n if projection.offset.epoch == to.epoch else 0
        new = [event for event in events if event.offset is not None and event.offset.n > at]
        for event in new:
            self._apply(projection.state, event)
            projection.unsaved = projection.unsaved or event.type in self._lasting
        projection.offset = max(Offset(to.epoch, at), to)
        if new:
            self._changed(projection, new)

    def _redact(self, projection: Projection[S], events: Sequence[Event]) -> None:
        """Change the state by announcements of redactions."""
        for event in events:
            self._apply(projection.state, event)
            projection.unsaved = projection.unsaved or event.type in self._lasting
        self._changed(projection, events)

    def _restart(self, projection: Projection[S]) -> None:
        if projection.offset != ORIGIN:
            projection.state, projection.offset, projection.saved = self._new(), ORIGIN, 0
            projection.redactions = projection.saved_redactions = 0
            projection.unsaved = False
            self._changed(projection, ())

    # Snapshots. They spare reading a log whole, and nothing is lost without one.

    async def _begin(self, projection: Projection[S], head: Head) -> None:
        """Begin at the topic's snapshot, if it is of this version and its offset is valid in this life of the log."""
        # A state that begins at the first event reads each redacted event as what it is.
        projection.redactions = projection.saved_redactions = head.redactions
        if head.tail - head.start < EVERY and not head.start:
            return
        try:
            snapshot, text = await read(self.hub, projection.topic)
            if snapshot.version != self._version:
                return
            offset = Offset.parse(snapshot.offset)
            state = self._thaw(text) if self._freeze is None else await asyncio.to_thread(self._thaw, text)
        except (NotFound, InvalidRequest, ValueError):
            return
        n = head.locate(offset)
        if n is not None and n <= head.tail and projection.offset == ORIGIN:
            projection.state, projection.offset, projection.saved = state, Offset(head.epoch, n), n
            projection.redactions = projection.saved_redactions = min(snapshot.redactions, head.redactions)

    def _save_now_and_then(self, projection: Projection[S]) -> None:
        pace = max(EVERY, int(projection.saved * self._growth))
        due = projection.unsaved or projection.offset.n - projection.saved >= pace
        due = due or projection.redactions - projection.saved_redactions >= REDACTED
        if due and not projection.saving and self.hub.state != "closed":
            projection.saving = True
            self.hub.delivery.background(self._save(projection))

    async def _save(self, projection: Projection[S]) -> None:
        """Write a snapshot a moment later, so that one snapshot covers a hundred members who are added at once."""
        await asyncio.sleep(SOON)
        at, until = -1, monotonic() + BUSY
        while self._freeze and not projection.unsaved and at != projection.offset.n and monotonic() < until:
            at = projection.offset.n
            await asyncio.sleep(QUIET)
        if projection.saving:
            await self._write(projection)

    async def close(self) -> None:
        """Write the snapshots that are due, before the hub is closed. Without them nothing is lost but time."""
        await asyncio.gather(*[self._write(projection) for projection in self._kept.values() if projection.saving])

    async def _write(self, projection: Projection[S]) -> None:
        topic = projection.topic
        projection.saving = False
        if projection.offset == ORIGIN:
            return
        projection.saved, projection.unsaved = projection.offset.n, False
        projection.saved_redactions = projection.redactions
        about = Snapshot(self._version, str(projection.offset), 0, projection.redactions)
        if self._freeze is None:
            text = msgspec.json.encode(projection.state).decode()
        else:
            text = await asyncio.to_thread(self._freeze(projection.state))
        try:
            label = derived_from(topic, projection.offset.epoch) if self._is_derived else None
            await write(self.hub, topic, about, text, label)
        except TidingsError as error:
            log.warning("no snapshot of %s was written: %s", topic, error)
