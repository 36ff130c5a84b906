"""Rights that hold for one life of a topic."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from tidings.access.guards import Watch
from tidings.delivery.hub import Hub
from tidings.events import Event, Offset


class Life(Watch):
    """Ends a stream when its topic is deleted, before the stream is given an event of another life of the topic.

    The next life may have another owner: the reader comes back and asks for the right to read it.
    """

    def __init__(self, hub: Hub, topic: str, epoch: str) -> None:
        self._hub, self._topic, self._epoch = hub, topic, epoch
        self._end: Callable[[], None] | None = None
        self._stop: Callable[[], None] | None = None

    def start(self, end: Callable[[], None]) -> None:
        self._end = end
        self._stop = self._hub.delivery.observe(self._topic, self._observe)

    def stop(self) -> None:
        self._end = None
        if self._stop is not None:
            self._stop()
            self._stop = None

    def _observe(self, events: Sequence[Event], tail: Offset) -> None:
        if tail.epoch == self._epoch or self._end is None:
            return
        if self._stop is None:
            asyncio.get_running_loop().call_soon(
                self._observe, events, tail
            )  # a stream cannot be ended before the next turn
        else:
            self._end()
