"""Seats: the rules that a judge judges, each with what is not stored yet."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from tidings.events import Offset

from .facts import Fact
from .judgement import Judgement
from .service import topic_of


class Known(NamedTuple):
    """The events of a topic that were judged before: those up to a time, and those up to an offset."""

    through: float
    offset: Offset | None


def reached(known: Offset | None, offset: Offset) -> bool:
    """Tell whether an offset is not after a known one of the same life of the log."""
    return known is not None and known.epoch == offset.epoch and offset.n <= known.n


class Seat:
    """A rule as the judge has it: its judgement, the end of its topic, and the facts that are not stored yet."""

    def __init__(self, id: str, judgement: Judgement, tail: Offset) -> None:
        self.id = id
        self.topic: str = topic_of(id)
        self.judgement = judgement
        self.tail = tail
        self.unstored: list[tuple[float, list[Fact]]] = []
        self.lock: asyncio.Lock = asyncio.Lock()
        self.due: float = float("inf")
        self.watched: str | None = None
