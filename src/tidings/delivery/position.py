"""The position of one reader in one topic. Only here is it decided what the reader gets next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from tidings.events import ORIGIN, Event, Lost, Offset

from .live_topic import PAGE, LiveTopic
from .page_cache import PageCache


class Slice(NamedTuple):
    """Events for the reader, which follow offset number `after`. The position has moved past them."""

    after: int
    events: Sequence[Event]


class Reset(NamedTuple):
    """Some events are gone. The position is now just before `earliest`, from where it goes on."""

    reason: Lost
    earliest: Offset


class Redacted(NamedTuple):
    """Announcements of redacted events. They have no offset: the reader may have these events, or be behind them."""

    events: Sequence[Event]


def reset_data(topic: str, reset: Reset) -> dict[str, Any]:
    """The data of a `tidings.reset` event, the same in streams and iterators."""
    return {"topic": topic, "reason": reset.reason, "earliest": str(reset.earliest)}


Step = Slice | Reset | Redacted | Literal["end", "load"] | None
"""`end`: the topic is closed and read; returned once. `load`: the page must come from the store. None: level."""


class Position:
    """A reader that has the first `n` events of life `epoch` of a topic.

    `ahead`: the log never had so many events, so the position cannot be of this life, whatever its epoch says.
    `ended`: the reader was told of the end of the topic. `said`: the announced redactions of which it was told.
    """

    __slots__ = ("ahead", "ended", "epoch", "live", "n", "said")

    def __init__(self, live: LiveTopic, at: Offset) -> None:
        self.live: LiveTopic = live
        self.epoch: str = at.epoch
        self.n: int = at.n
        self.ahead: bool = False
        self.ended: bool = False
        self.said: int = live.said

    def __str__(self) -> str:
        return f"{self.epoch}-{self.n}"

    @property
    def located(self) -> Offset:
        """The position in the topic's present life, if that life continues the reader's own."""
        return self.live.locate(Offset(self.epoch, self.n))

    @property
    def lost(self) -> Lost | None:
        """The reason why events after the position are gone: the next step is a Reset. None if all are there.

        A reader that waited for a topic to exist has missed nothing of its first life, unless events of that life were
        trimmed before any was handed out.
        """
        live = self.live
        if self.located.epoch == live.epoch and not self.ahead:
            return "trimmed" if self.n < live.base and self.n < live.start else None
        if self.epoch == ORIGIN.epoch:
            return "trimmed" if live.start else None
        return "recreated" if live.epoch != ORIGIN.epoch else "deleted"

    @property
    def finished(self) -> bool:
        """True if there is nothing left to read and never will be."""
        live = self.live
        return live.closed and self.epoch == live.epoch and self.n >= live.head and not self.ahead

    @property
    def level(self) -> bool:
        """True if the reader has all that was handed out: the next step is None."""
        live = self.live
        known = self.epoch == live.epoch and not self.ahead and self.said >= live.said and self.n >= live.visible
        return known and (self.ended or not live.closed or self.n < live.head)

    def step(self, pages: PageCache) -> Step:
        """The next step, without waiting. A Slice or Reset moves the position: the caller must deliver it."""
        live = self.live
        if self.epoch != live.epoch or self.ahead:
            reset = self._enter()
            if reset:
                return reset
        if self.said < live.said:
            said, self.said = self.said, min(self.said + PAGE, live.said)
            return Redacted(live.announcements(said, self.said))
        if self.n >= live.visible:
            if live.closed and not self.ended and self.n >= live.head:
                self.ended = True
                return "end"
            return None
        if self.n < live.start and self.lost:
            self.n = live.start
            return Reset("trimmed", live.earliest)
        after = self.n
        if after >= live.base:
            end = live.reach(after, min(live.visible, (after // PAGE + 1) * PAGE))
            self.n = end
            return Slice(after, live.slice(after, end))
        events = pages.get(live, after)
        if not events:
            return "load"
        if after + len(events) > live.visible:
            events = events[: live.visible - after]
        self.n = after + len(events)
        return Slice(after, events)

    def _enter(self) -> Reset | None:
        """Move into the topic's present life: to its start, or on from where the reader is if nothing is lost."""
        live, lost = self.live, self.lost
        goes_on = not self.ahead and self.located.epoch == live.epoch and lost is None
        self.epoch, self.n = live.epoch, self.n if goes_on else live.start
        self.ended = self.ahead = False
        # The reader may have what was redacted since this life began. It was told of earlier redactions already.
        self.said = 0 if goes_on else live.said
        return Reset(lost, live.earliest) if lost else None
