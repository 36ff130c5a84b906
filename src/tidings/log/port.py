"""The store port: what an engine promises. An engine keeps bytes and compares; it holds no rule.

The rules are in `log.py`, and the append loop over any engine is `Journal` in `base.py`, which also gives these names.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from tidings.events import Offset

from .rules import Change, Head, Known, Record

Plan = Callable[[Known], Change | None]
"""PURE and quick. An engine may call it several times, from any thread; the last call is the one that counts."""

PAGE = 1 << 20
"""Bytes of records after which `Store.read` stops, having answered at least one."""

KEYS = 24 * 3600.0
"""Seconds for which an idempotency key is remembered."""


class Cast(NamedTuple):
    """A transient event from another process."""

    topic: str
    payload: bytes


News = Mapping[str, Offset | None] | Cast | None


class Leases(Protocol):
    """Deadlines of topics, by the store's clock: hints about the life of the process that appends to a topic."""

    async def lease(self, topic: str, seconds: float, *, renew: bool) -> bool:
        """Set the topic's deadline to the store's clock + `seconds`.

        `renew`: only if it has one; False tells a holder that it has lost it. A lease is a hint about life, not a
        fence: what stops a sleeper is `closed` and the epoch it expects.
        """

    async def release(self, topic: str, *, lapsed: bool = False) -> None:
        """Remove the topic's deadline. Idempotent. `lapsed`: only if the deadline has passed, as of this very change:
        else a topic found late, which somebody has taken up since, would be taken from them."""

    async def lapsed(self, limit: int = 100) -> Sequence[str]:
        """The topics whose deadline has passed, oldest first. Several processes may get the same."""


class Store(Leases, Protocol):
    """Where logs are kept.

    Every method may raise Unavailable: the store cannot be reached, or is closed, and nothing was written.
    """

    async def open(self) -> None:
        """Raises InvalidRequest if what is there is not a store of this version, Unavailable if it cannot be
        reached."""

    async def close(self) -> None:
        """Finishes the updates under way, refuses new ones, ends every feed of changes. Never hangs. Idempotent."""

    async def load(self, topic: str) -> Head | None:
        """The head as of an instant not before this call began (never from a stale replica)."""

    def update(self, topic: str, keys: Sequence[str], plan: Plan) -> Awaitable[Known]:
        """Atomically: look, let `plan` decide, write. Answers the state afterwards.

        The written Change was decided on exactly the state it replaced, so of two concurrent updates one sees the
        other; of one caller's, the earlier call is the earlier change. Engines with a lock call `plan` inside it; the
        others compare a revision that never repeats, not even after a delete, and call `plan` again with the newer
        state; there a None is believed only on a freshly loaded state. On return the change is as durable as the
        store's settings say, and every later read and load, from any process, shows it. Raises Unavailable (not
        written) or OutcomeUnknown (unknown: now, later or never, at most once). Cancelling the caller never
        half-writes.
        """

    async def read(self, topic: str, after: int, limit: int) -> tuple[Head | None, Sequence[Record]]:
        """The head and, in order and without a hole among them, the records with `last > after`.

        Enough of them for `limit` events, for PAGE bytes (at least one record), or to the tail. All of one epoch. If
        they are not of one instant, the head is the older.
        """

    async def topics(self, prefix: str = "", after: str = "", limit: int = 1000) -> Sequence[tuple[str, Head]]:
        """The next `limit` topics in byte order, with their heads. Shorter than `limit`: these were the last."""

    def changes(self) -> AsyncIterator[News]:
        """A wake-up, not a log. After a change is visible to `read`, every open feed in every process yields the topic
        with its tail (None: deleted; ORIGIN: its head changed otherwise, as by closing, so look), merged and in any
        order, or yields None: "look at all that you follow".

        The first item is None, and so is the first after any interruption. It ends when the store is closed, and
        never raises.
        """

    async def probe(self) -> float | None:
        """Prove that the store can be written, by a write that changes no log; raises Unavailable if it cannot.

        Returns the Unix time of the last change that this process made or heard of; None before the first.
        """

    async def lost(self) -> str:
        """Wait until the store is gone for good, such as a file that was removed, and return one sentence about it.

        Only another process, or a restart, can help then. A store that merely cannot be reached is not lost.
        """

    async def cast(self, topic: str, payload: bytes) -> None:
        """Gives `Cast(topic, payload)` to the feeds of the OTHER open processes: best effort, at most once."""
