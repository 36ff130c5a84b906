"""The live topics of one process: opened from the store, kept level with it, forgotten when they have no readers."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import msgspec

from tidings.errors import Unavailable
from tidings.events import ORIGIN, Event, Offset
from tidings.log.head import Head
from tidings.log.journal import Journal
from tidings.log.names import EARLIEST, TAIL, Start, valid_topic
from tidings.log.port import Cast

from .flusher import Flusher
from .live_topic import WINDOW_BYTES, WINDOW_EVENTS, LiveTopic
from .memory import WindowMemory
from .page_cache import PageCache
from .position import Position

log: logging.Logger = logging.getLogger("tidings.topics")

IDLE_KEPT = 1024
"""Topics without readers whose recent events stay in memory for readers that come back."""

RETRY = 1.0
"""Seconds until a store that did not answer is asked again."""


class Topics:
    """Every topic that this process follows. Commits made here, and news of those made elsewhere, move them on."""

    def __init__(
        self,
        journal: Journal,
        background: Callable[[Coroutine[Any, Any, Any]], asyncio.Task[Any]],
        memory: WindowMemory,
    ) -> None:
        self.memory = memory
        self.pages: PageCache = PageCache(journal)
        self.flusher: Flusher = Flusher()
        self.closed: bool = False
        self.listeners: dict[str, Callable[[str, str], None]] = {}
        """Callbacks `(type, data)` for a topic's transient events in this process."""
        self._journal = journal
        self._background = background
        self._live: OrderedDict[str, LiveTopic] = OrderedDict()
        journal.on_commit = self._committed
        journal.on_delete = self._deleted

    def __len__(self) -> int:
        return len(self._live)

    async def follow(self, topic: str, start: Start) -> Position:
        """A position in the topic, whose recent events stay in memory until `unfollow`.

        Raises InvalidRequest, Unavailable.
        """
        live = self._live.get(topic)
        if live is None:
            # Put into the dictionary first and loaded then: a commit meanwhile marks it stale and it is loaded again.
            live = self._live[topic] = LiveTopic(valid_topic(topic), self.memory)
            live.opening = self.flusher.loop.create_future()
            self._background(self._open_live(live, live.opening))
            self._forget_idle()
        live.readers += 1
        try:
            if live.opening is not None:
                await asyncio.shield(live.opening)
            return await self._position(live, start)
        except BaseException:
            live.readers -= 1
            raise

    def unfollow(self, position: Position) -> None:
        """Give back a position that `follow` gave."""
        position.live.readers -= 1

    def observe(self, topic: str, observer: Callable[[Sequence[Event], Offset], None]) -> Callable[[], None]:
        """See `Delivery.observe`."""
        live = self._live[topic]
        live.observers.append(observer)
        observer((), Offset(live.epoch, live.head))
        return lambda: live.observers.remove(observer)

    def close(self) -> None:
        """Wake every waiting iterator, which then sees that the hub is closed."""
        self.closed = True
        for live in self._live.values():
            live.wake()

    async def _open_live(self, live: LiveTopic, opened: asyncio.Future[None]) -> None:
        try:
            live.begin(await self._journal.describe(live.name))
        except Exception as error:
            self._live.pop(live.name, None)
            opened.set_exception(error)
            opened.exception()
        except asyncio.CancelledError:
            opened.set_exception(Unavailable("This process is going away."))
            opened.exception()
            raise
        else:
            opened.set_result(None)
        finally:
            live.opening = None
        self._compare(live)
        if live.stale:
            # Do not reload before opening: with a busy publisher the topic is stale again after every reload and would
            # never open.
            self._reload_soon(live)

    def _forget_idle(self) -> None:
        if len(self._live) > IDLE_KEPT and not len(self._live) % 64:
            idle = [name for name, live in self._live.items() if not live.readers and live.opening is None]
            for name in idle[: max(len(idle) - IDLE_KEPT, 0)]:
                self._live.pop(name).begin(None)

    def _keep_to_budget(self) -> None:
        """Drop recent events of the topics that were longest without any, down to 7/8 of what they may take.

        Events that level readers have yet to be written stay. Other readers have dropped events read from the store.
        """
        for live in self._live.values():
            if self.memory.size <= self.memory.limit * 7 // 8:
                return
            live.shrink(0, 0)

    async def _position(self, live: LiveTopic, start: Start) -> Position:
        """A position in the topic.

        An offset beyond the head is compared with the store before it is taken to be of another life: the notice of its
        commit may not have reached this process yet.
        """
        if start == TAIL:
            return Position(live, live.tail)
        if start == EARLIEST:
            return Position(live, Offset(live.epoch, live.start))
        if isinstance(start, int):
            return Position(live, Offset(live.epoch, max(live.start, live.visible + start)))
        at = live.locate(start)
        if at.epoch != live.epoch or at.n > live.head:
            await self.reload(live)
            at = live.locate(start)
        position = Position(live, at)
        position.ahead = at.epoch == live.epoch and at.n > live.head
        return position

    async def load(self, position: Position) -> None:
        """Read the page that a position needs from the store. Raises Unavailable."""
        live = position.live
        page = await self.pages.load(live, position.n)
        if page.lost == "trimmed" and page.next.epoch == live.epoch:
            live.start = max(live.start, page.earliest.n - 1)
        elif page.lost is not None:
            await self.reload(live)
        elif not page.events:
            raise Unavailable("The store did not return events that it has announced.")

    # Moving on: commits of this process, and news of other processes' commits.

    def _committed(self, topic: str, head: Head, base: Offset, events: Sequence[Event]) -> None:
        live = self._live.get(topic)
        if live is None:
            return
        if live.opening is not None:
            live.stale = True
            return
        if live.epoch == ORIGIN.epoch:
            live.begin(head, base.n)
            self._born(live)
        missed = head.redactions - live.redactions
        # The life began in another process, or is over again: the store has the answer.
        if head.epoch != live.epoch or not live.append(base.n, events) or missed > len(head.redacted):
            self._reload_soon(live)
            return
        if missed > 0:
            live.redact(head.redacted[-missed:], head.redactions)
        self._moved(live, head)
        if events:
            self._live.move_to_end(topic)

    def _moved(self, live: LiveTopic, head: Head) -> None:
        live.start = max(live.start, head.start)
        live.closed = live.closed or (head.closed and live.head >= head.tail)
        if live.readers:
            self.flusher.arm(live)
        elif not live.state:
            live.visible, live.said = live.head, len(live.redacted)
            live.trim()
        if self.memory.size > self.memory.limit:
            self._keep_to_budget()

    def _deleted(self, topic: str) -> None:
        live = self._live.get(topic)
        if live is None:
            return
        if live.opening is not None:
            live.stale = True
        elif live.epoch != ORIGIN.epoch:
            live.begin(None)
            self._restart(live)

    def _born(self, live: LiveTopic) -> None:
        """The topic now exists. Readers that waited at its origin have missed nothing, so they stay level.

        A task for each of 1,000 readers would hold the loop for 60 to 80 ms.
        """
        if live.visible or live.start:
            self._restart(live)
            return
        for cursor in live.level.values():
            cursor.epoch = live.epoch

    def _restart(self, live: LiveTopic) -> None:
        """Another life of the log has begun: every reader catches up with it from its own position."""
        for reader in list(live.level):
            reader.kick()
        live.wake()

    def _reload_soon(self, live: LiveTopic) -> None:
        live.stale = True
        if live.reloading is None and live.opening is None:
            live.reloading = self._background(self._reload(live))

    async def reload(self, live: LiveTopic) -> None:
        """Bring the topic level with the store as it is now. Raises Unavailable."""
        looked = self.flusher.loop.create_future()
        live.wanted.append(looked)
        self._reload_soon(live)
        await looked

    async def _reload(self, live: LiveTopic) -> None:
        wanted: list[asyncio.Future[None]] = []
        failure = Unavailable("This process is going away.")
        try:
            while live.stale:
                # A caller waits for one look that began after its call and for no more: beside another process that
                # publishes without a pause, the topic may stay stale.
                live.stale = False
                wanted, live.wanted = live.wanted, []
                await self._look(live)
                self._compare(live)
                _resolve(wanted, None)
        except Unavailable as error:
            failure = error
            log.warning("%s is not level with its store; the store is asked again: %s", live.name, error)
            self._background(self._reload_later(live))
        finally:
            live.reloading = None
            _resolve([*wanted, *live.wanted], failure)
            live.wanted = []

    async def _reload_later(self, live: LiveTopic) -> None:
        """Reload after a pause. Without it readers would wait for announced events until the next announcement."""
        await asyncio.sleep(RETRY)
        self._reload_soon(live)

    async def _look(self, live: LiveTopic) -> None:
        life, base = live.life, live.head
        # One read for head and events: each process makes it for each flush of a topic that others publish to.
        head, events = await self._journal.look(live.name, base, WINDOW_EVENTS)
        if live.life != life:
            # A commit of this process has begun another life meanwhile, and this look may be older than that.
            live.stale = True
            return
        if head is None:
            self._deleted(live.name)
            return
        if not await self._take_redactions(live, head):
            live.stale = True
            return
        # The window cannot hold what is missing: the readers catch up page by page.
        if head.epoch != live.epoch or head.tail - live.head > WINDOW_EVENTS:
            live.begin(head)
            self._restart(live)
            if head.redactions > live.redactions:
                live.stale = True  # only ever set here: a reload may have been asked for during the look
        elif not await self._extend(live, head, base, events):
            live.stale = True
            return
        self._moved(live, head)

    async def _take_redactions(self, live: LiveTopic, head: Head) -> bool:
        """Take over the redactions up to the head; False if the topic has begun another life meanwhile."""
        life = live.life
        while head.epoch == live.epoch and head.redactions > live.redactions:
            since = live.redactions
            named = await self._journal.redacted(live.name, head, since)
            if live.life != life:
                return False
            if live.redactions == since:
                live.redact(named, head.redactions)
        return True

    async def _extend(self, live: LiveTopic, head: Head, base: int, events: Sequence[Event]) -> bool:
        """Add what is missing up to the head, of which the events after `base` have been read; False if the topic has
        begun another life over it."""
        life = live.life
        if events:
            live.append(base, events)
        while live.head < head.tail:
            base = live.head
            page = await self._journal.read(live.name, Offset(head.epoch, base), head.tail - base)
            if live.life != life:
                return False
            if page.lost is not None or not page.events:
                live.begin(head)
                self._restart(live)
                return False
            live.append(base, page.events)
            if live.size > 2 * WINDOW_BYTES and live.head < head.tail:
                # The window cannot hold what is missing in bytes; none of it is visible yet, so none can be dropped.
                live.begin(head)
                self._restart(live)
        return True

    async def follow_changes(self) -> None:
        """Take other processes' changes, for as long as the store is open."""
        async for change in self._journal.store.changes():
            if change is None:
                for live in list(self._live.values()):
                    self._reload_soon(live)
            elif isinstance(change, Cast):
                self.write_transient(change.topic, *msgspec.msgpack.decode(change.payload))
            else:
                for topic, tail in change.items():
                    known = self._live.get(topic)
                    if known is not None and not self._knows(known, tail):
                        self._hear(known, tail)

    def _hear(self, live: LiveTopic, tail: Offset | None) -> None:
        """Ask the store after news of a change. If it is being asked already, the answer may show the change."""
        asking = live.opening is not None or live.reloading is not None
        if asking and tail and tail != ORIGIN and (live.told is None or live.told.epoch == tail.epoch):
            live.told = max(live.told or tail, tail)
        else:
            self._reload_soon(live)

    def _compare(self, live: LiveTopic) -> None:
        """Make the topic stale if the store's answer does not show what news told meanwhile."""
        told, live.told = live.told, None
        live.stale = live.stale or (told is not None and not self._knows(live, told))

    def _knows(self, live: LiveTopic, tail: Offset | None) -> bool:
        if tail is None:
            return live.epoch == ORIGIN.epoch and live.opening is None
        return tail != ORIGIN and live.epoch == tail.epoch and live.head >= tail.n and live.opening is None

    def write_transient(self, topic: str, type: str, data: str, at: float) -> None:
        """Write a transient event to the topic's level readers, and tell its listener.

        An observer may end streams by what the log says. In an observed topic the event therefore waits for a look at
        the log, so that a reader whose right had ended before the event was published is gone when it is written.
        """
        if (callback := self.listeners.get(topic)) is not None:
            callback(type, data)
        live = self._live.get(topic)
        if live is None or not live.level:
            return
        event = Event(topic, None, type, data, at)
        if not live.observers:
            self._write_transient(live, [event])
            return
        live.waiting.append(event)
        if len(live.waiting) == 1:
            self._background(self._write_after_look(live))

    async def _write_after_look(self, live: LiveTopic) -> None:
        """Write the transient events that wait for a look, in order; all that came before a look after that look."""
        while live.waiting:
            count = len(live.waiting)
            try:
                await self.reload(live)
            except Unavailable as error:
                log.info("Transient events of %s are dropped: %s", live.name, error)
            else:
                self._write_transient(live, live.waiting[:count])
            del live.waiting[:count]

    def _write_transient(self, live: LiveTopic, events: Sequence[Event]) -> None:
        live.transient += events
        self.flusher.arm(live)


def _resolve(wanted: Sequence[asyncio.Future[None]], failure: Unavailable | None) -> None:
    for looked in wanted:
        if looked.done():
            continue
        if failure is None:
            looked.set_result(None)
        else:
            looked.set_exception(Unavailable(str(failure)))
