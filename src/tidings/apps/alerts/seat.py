"""Seats: the rules that a judge judges, each with the facts that are not stored yet."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from tidings.events import Offset

from .facts import Fact
from .judgement import Judgement
from .service import topic_of


class Known(NamedTuple):
    """The bounds of the events that were judged before: a time, and an offset of the watched topic."""

    through: float
    offset: Offset | None


def reached(known: Offset | None, offset: Offset) -> bool:
    """Return True if `offset` is at or before `known`, in the same epoch of the log."""
    return known is not None and known.epoch == offset.epoch and offset.n <= known.n


class Seat:
    """A rule under judgement: the judgement, the tail of the rule's topic, and the facts that are not stored yet."""

    def __init__(self, id: str, judgement: Judgement, tail: Offset) -> None:
        self.id = id
        self.topic: str = topic_of(id)
        self.judgement = judgement
        self.tail = tail
        self.unstored: list[tuple[float, list[Fact]]] = []
        self.lock: asyncio.Lock = asyncio.Lock()
        self.due: float = float("inf")
        self.watched: str | None = None
