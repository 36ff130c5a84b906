"""The store port: the promises of an engine. An engine keeps bytes and compares; it holds no rule.

The rules are in `rules.py`, `retention.py` and `reading.py`; the append loop over any engine is in `journal.py`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from enum import Enum
from typing import NamedTuple, Protocol

from tidings.events import Offset

from .head import Change, Head, Known
from .records import Record

Plan = Callable[[Known], Change | None]
"""A pure and quick function. An engine may call it several times, from any thread; the last call counts."""

PAGE = 1 << 20
"""Bytes of records after which `Store.read` stops, having answered at least one."""

KEYS = 24 * 3600.0
"""Seconds for which an idempotency key is remembered. Engines drop older keys by themselves, within minutes."""


class Cast(NamedTuple):
    """A transient event from another process."""

    topic: str
    payload: bytes


News = Mapping[str, Offset | None] | Cast | None
"""An item of `Store.changes`."""


SEALED = "The store was moved to another one, or will be in a moment. Start this server with the URL of that one."


class Extras(NamedTuple):
    """The part of a log beside its head and its records: idempotency keys as (key, first, last, time), and labels."""

    keys: Sequence[tuple[str, int, int, float]] = ()
    labels: Sequence[str] = ()


class Seal(Enum):
    """The state of a store that `tidings move` copies; OPEN at first."""

    OPEN = "open"
    """The store takes changes."""
    SEALED = "sealed"
    """The store refuses changes until the move is complete, or has failed."""
    MOVED = "moved"
    """The store refuses changes for good: another one has taken its place."""


class Leases(Protocol):
    """Deadlines of topics, by the store's clock: hints about the life of the process that appends to a topic."""

    async def lease(self, topic: str, seconds: float, *, renew: bool) -> bool:
        """Set the topic's deadline to the store's clock + `seconds`.

        `renew`: only if it has one; False tells a holder that it has lost it. A lease is a hint about life, not a
        fence: what stops a sleeper is `closed` and the epoch it expects.
        """

    async def release(self, topic: str, *, lapsed: bool = False) -> None:
        """Remove the topic's deadline. Idempotent.

        `lapsed`: only if the deadline has passed at the time of this very change. Another process may have renewed it
        since the caller saw that it had passed.
        """

    async def lapsed(self, limit: int = 100, within: float = 0.0) -> Sequence[str]:
        """Return the topics whose deadline has passed, or passes within so many seconds, oldest first.

        Several processes may get the same topic.
        """


class Store(Leases, Protocol):
    """A place that keeps logs.

    Every method may raise Unavailable: the store cannot be reached, or is closed, and nothing was written.
    """

    async def open(self) -> None:
        """Open the store. Raises InvalidRequest if it is not a store of this version, Unavailable if it is away."""

    async def close(self) -> None:
        """Finish the updates under way, refuse new ones, end every feed of changes. Never hangs. Idempotent."""

    async def load(self, topic: str) -> Head | None:
        """Return the head as of an instant not before this call began, never from a stale replica."""

    def update(self, topic: str, keys: Sequence[str], plan: Plan) -> Awaitable[Known]:
        """Look, let `plan` decide, and write, atomically. Return the state afterwards.

        The written Change was decided on exactly the state it replaced, so of two concurrent updates one sees the
        other; of one caller's, the earlier call is the earlier change. Engines with a lock call `plan` inside it; the
        others compare a revision that never repeats, not even after a delete, and call `plan` again with the newer
        state; there a None is believed only on a freshly loaded state. On return the change is as durable as the
        store's settings say, and every later read and load, from any process, shows it. Raises Unavailable (not
        written) or OutcomeUnknown (unknown: now, later or never, at most once). Cancelling the caller never
        half-writes.

        A `replaced` record takes the place of the record with the same base, in whatever way the engine can: it
        overwrites a row, or adds an entry that stands for the old one. The old blob is never read again, and within a
        second its bytes are gone from the engine's files.
        """

    async def read(self, topic: str, after: int, limit: int) -> tuple[Head | None, Sequence[Record]]:
        """Return the head and, in order and without a hole among them, the records with `last > after`.

        Enough of them for `limit` events, for PAGE bytes (at least one record), or to the tail. All of one epoch. If
        they are not of one instant, the head is the older.
        """

    async def topics(
        self, prefix: str = "", after: str = "", limit: int = 1000, labels: Sequence[str] | None = None
    ) -> Sequence[tuple[str, Head]]:
        """Return the next `limit` topics in byte order, with their heads. A shorter answer has the last of them.

        `labels`: only topics with one or more of these. Then no other topic is looked at: engines keep the labels in an
        index, by label and topic, which an update changes together with the log.
        """

    async def labels(self, prefix: str = "", after: str = "", limit: int = 1000) -> Sequence[str]:
        """Return the next `limit` labels that a topic has, each once, in byte order.

        The cost is that of the answer, however many topics have each label.
        """

    async def due(self, now: float, limit: int = 100) -> Sequence[tuple[str, Head]]:
        """Return at most `limit` topics for whose head `retention.due` gives a time up to `now`, with their heads.

        The cost is that of the answer, not of all topics: engines keep the time beside each head, in an index.
        """

    def changes(self) -> AsyncIterator[News]:
        """Follow the changes: wake-ups, not a log.

        After a change is visible to `read`, every open feed in every process yields the topic with its tail (None: it
        was deleted; ORIGIN: its head changed otherwise, or a record was replaced, so look), merged and in any order, or
        yields None: "look at all that you follow".

        The first item is None, and so is the first after any interruption. It ends when the store is closed, and
        never raises.
        """

    async def probe(self) -> float | None:
        """Prove that the store can be written, by a write that changes no log; raises Unavailable if it cannot.

        A write of the last half second is proof enough, so that nobody keeps the disk busy by asking.
        Returns the seconds since the last change that this process made or heard of; None before the first.
        """

    async def size(self) -> int:
        """Return the bytes that the store takes where it is kept, with what is deleted and not yet given back."""

    async def lost(self) -> str:
        """Wait until the store is gone for good, such as a file that was removed, and return one sentence about it.

        Only another process, or a restart, can help then. A store that merely cannot be reached is not lost.
        """

    async def cast(self, topic: str, payload: bytes) -> None:
        """Give `Cast(topic, payload)` to the feeds of the OTHER open processes: best effort, at most once."""


class MovableStore(Store, Protocol):
    """A store whose logs `tidings move` can copy to another one, as every engine of ours is."""

    async def extras(self, topic: str, first: int, last: int) -> Extras:
        """Return the labels of a topic, and the idempotency keys whose last event has a number from `first` to `last`.

        An engine may leave out keys that are older than a day.
        """

    async def seal(self, seal: Seal | None = None) -> Seal:
        """Put a seal on the store, or take it off, and return it. None: only look. Idempotent.

        A sealed store refuses changes from every process, by means of the engine itself: `update` and `probe` raise
        Unavailable, and nothing is written. On return no change is under way. The store can still be read, and its
        leases can be taken and renewed.
        """
