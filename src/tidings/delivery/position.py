"""A position: how far one reader is in one topic, and what it must be given next. The only place that decides it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from tidings.events import ORIGIN, Event, Lost, Offset

from .live_topic import PAGE, LiveTopic
from .page_cache import PageCache


class Slice(NamedTuple):
    """Events to hand out, which follow offset number `after`. The position has moved past them."""

    after: int
    events: Sequence[Event]


class Reset(NamedTuple):
    """Some events are gone. The position is now just before `earliest`, from where it goes on."""

    reason: Lost
    earliest: Offset


Step = Slice | Reset | Literal["end", "load"] | None
"""`end`: the topic is closed and read, said once. `load`: its page must come from the store. None: level."""


class Position:
    """`n` events of life `epoch` of the lane's topic are read.

    `ahead`: the log never was as far as this position, so it cannot be of this life, whatever it says.
    `ended`: the end has been said.
    """

    __slots__ = ("ahead", "ended", "epoch", "lane", "n")

    def __init__(self, lane: LiveTopic, at: Offset) -> None:
        self.lane = lane
        self.epoch, self.n = at
        self.ahead = False
        self.ended = False

    def __str__(self) -> str:
        return f"{self.epoch}-{self.n}"

    @property
    def finished(self) -> bool:
        """Whether there is nothing to be read and never will be."""
        lane = self.lane
        return lane.closed and self.epoch == lane.epoch and self.n >= lane.head and not self.ahead

    def step(self, pages: PageCache) -> Step:
        """What comes next, without waiting. A Slice or Reset moves the position; it is the caller's to deliver."""
        lane = self.lane
        if self.epoch != lane.epoch or self.ahead:
            reset = self._enter()
            if reset:
                return reset
        if self.n >= lane.vis:
            if lane.closed and not self.ended and self.n >= lane.head:
                self.ended = True
                return "end"
            return None
        if self.n < lane.base and self.n < lane.start:
            self.n = lane.start
            return Reset("trimmed", lane.earliest)
        after = self.n
        if after >= lane.base:
            end = lane.reach(after, min(lane.vis, (after // PAGE + 1) * PAGE))
            self.n = end
            return Slice(after, lane.slice(after, end))
        events = pages.get(lane, after)
        if not events:
            return "load"
        if after + len(events) > lane.vis:
            events = events[: lane.vis - after]
        self.n = after + len(events)
        return Slice(after, events)

    def _enter(self) -> Reset | None:
        """Move into the lane's present life. Waiting for a log that did not exist misses nothing of its first life,
        unless that life is over before any of it was handed out."""
        lane, was = self.lane, self.epoch
        self.epoch, self.n, self.ended, self.ahead = lane.epoch, lane.start, False, False
        if was == ORIGIN.epoch:
            return Reset("trimmed", lane.earliest) if lane.start else None
        return Reset("recreated" if lane.epoch != ORIGIN.epoch else "deleted", lane.earliest)
