"""The feeds of a store's changes, as every engine offers them to the readers of one process."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping

from tidings.events import ORIGIN, Offset
from tidings.log.port import Cast, News

MOST_TOPICS = 10_000
"""Changed topics that a slow feed holds before it says "look at all" instead."""

MOST_CASTS = 1_000
"""Transient events that a slow feed holds before it drops the oldest."""

Tails = dict[str, Offset | None]


def merge(tails: Tails, more: Mapping[str, Offset | None]) -> None:
    """Add later tails. ORIGIN, which asks for a look at the topic, is not replaced by the tail of an append."""
    for topic, tail in more.items():
        tails[topic] = ORIGIN if tails.get(topic) == ORIGIN else tail


class Feeds:
    """The open feeds of one store in this process. Not thread-safe: for the thread of the event loop."""

    def __init__(self) -> None:
        self._open: set[_Feed] = set()
        self._closed = False

    def changed(self, tails: Mapping[str, Offset | None]) -> None:
        for feed in self._open:
            feed.changed(tails)

    def changed_here(self, tails: Mapping[str, Offset | None]) -> None:
        """Announce a change that this process made, two turns of the loop later.

        The callbacks of the update run in the first turn: they announce the change themselves, and whoever has heard
        of it from them need not look.
        """
        if self._open:
            loop = asyncio.get_running_loop()
            loop.call_soon(loop.call_soon, self.changed, tails)

    def cast(self, cast: Cast) -> None:
        for feed in self._open:
            feed.casts.append(cast)
            feed.wake()

    def look_at_all(self) -> None:
        for feed in self._open:
            feed.all = True
            feed.wake()

    def close(self) -> None:
        self._closed = True
        for feed in self._open:
            feed.wake()

    async def follow(self) -> AsyncIterator[News]:
        feed = _Feed()
        self._open.add(feed)
        try:
            while not self._closed:
                # Take all at once, then yield one by one: news that comes meanwhile is for the next round.
                look, tails, casts = feed.all, feed.tails, feed.casts
                feed.all, feed.tails, feed.casts = False, {}, deque(maxlen=MOST_CASTS)
                feed.woken.clear()
                if look:
                    yield None
                elif tails:
                    yield tails
                for cast in casts:
                    yield cast
                await feed.woken.wait()
        finally:
            self._open.discard(feed)


class _Feed:
    def __init__(self) -> None:
        self.all = True
        self.tails: Tails = {}
        self.casts: deque[Cast] = deque(maxlen=MOST_CASTS)
        self.woken = asyncio.Event()

    def changed(self, tails: Mapping[str, Offset | None]) -> None:
        if len(self.tails) > MOST_TOPICS:
            self.all = True
        if not self.all:
            merge(self.tails, tails)
        self.wake()

    def wake(self) -> None:
        self.woken.set()
