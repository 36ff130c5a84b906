"""The news that processes send each other over PostgreSQL's NOTIFY, and the task that sends them. Best effort."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Iterator, Mapping

import msgspec

from tidings.errors import TidingsError
from tidings.events import Offset
from tidings.log.port import Cast
from tidings.stores.feed import Tails, merge

from .connection import Connections

CHANNEL = "tidings"

TELL = "SELECT pg_notify($1, part) FROM unnest($2::text[]) AS part"

PIECE = 7_900
"""Characters of one notification: the engine takes fewer than 8,000 bytes."""

MOST = 60_000
"""Characters of one message. Longer news become "look at all"; a transient event that is longer is dropped."""


class News(msgspec.Struct, array_like=True, gc=False):
    """A message: topics with their tails, and with the last transactions that changed them. `tails` of None: many."""

    tails: dict[str, Offset | None] | None = {}
    transactions: dict[str, int] = {}
    casts: list[Cast] = []


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(News).decode


def pieces(sender: str, number: int, news: News) -> list[str]:
    """Return a message as notifications: `SENDER NUMBER LEFT TEXT`, of which no two are the same."""
    text = _encode(news).decode()
    parts = [text[start : start + PIECE] for start in range(0, len(text), PIECE)]
    return [f"{sender} {number} {len(parts) - n} {part}" for n, part in enumerate(parts, 1)]


class Mailbox:
    """Puts the messages of other processes together from their notifications."""

    def __init__(self) -> None:
        self.name: str = secrets.token_hex(4)
        self._parts: dict[str, str] = {}

    def open(self, payload: str) -> News | None:
        """Return the message that this notification ends; None while parts are missing, and for those of our own."""
        sender, number, left, text = (payload.split(" ", 3) + [""] * 3)[:4]
        if sender == self.name:
            return None
        key = f"{sender} {number}"
        text = self._parts.pop(key, "") + text
        if left != "0":
            self._parts = {key: text}  # a transaction's notifications come together
            return None
        with contextlib.suppress(msgspec.MsgspecError, ValueError):
            return _decode(text.encode())
        return None


class Announcer:
    """Tells the other processes of changes: all that came up while it was telling, in one statement."""

    def __init__(self, connections: Connections, name: str) -> None:
        self._connections = connections
        self._name = name
        self._number = 0
        self._tails: Tails = {}
        self._transactions: dict[str, int] = {}
        self._casts: list[Cast] = []
        self._task: asyncio.Task[None] | None = None

    def tell(self, tails: Mapping[str, Offset | None], transaction: int) -> None:
        """Tell of the changes that one transaction has made."""
        merge(self._tails, tails)
        self._transactions.update(dict.fromkeys(tails, transaction))
        self._start()

    def cast(self, cast: Cast) -> None:
        """Pass on a transient event."""
        self._casts.append(cast)
        self._start()

    async def close(self) -> None:
        """Send what waits, for a second at most."""
        if self._task:
            await asyncio.wait((self._task,), timeout=1.0)
            self._task.cancel()

    def _start(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._send())

    async def _send(self) -> None:
        while self._transactions or self._casts:
            parts = [part for news in self._take() for part in self._pieces(news)]
            # Out of the transactions of the changes: a commit that notifies holds a lock of the whole cluster, under
            # which the engine would sync one commit after another instead of many at once.
            with contextlib.suppress(TidingsError):
                await self._connections.run(
                    lambda connection, parts=parts: connection.execute(TELL, CHANNEL, parts),  # type: ignore[misc]
                    again=False,
                )

    def _take(self) -> Iterator[News]:
        tails, transactions, casts = self._tails, self._transactions, self._casts
        self._tails, self._transactions, self._casts = {}, {}, []
        if tails:
            yield News(tails, transactions)
        for cast in casts:
            yield News(casts=[cast])

    def _pieces(self, news: News) -> list[str]:
        self._number += 1
        parts = pieces(self._name, self._number, news)
        if len(parts) * PIECE <= MOST + PIECE:
            return parts
        return pieces(self._name, self._number, News(None)) if not news.casts else []
