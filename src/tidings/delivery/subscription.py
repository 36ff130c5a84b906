"""A subscription: one stream's positions, and the writing of what comes after them. It has no queue and no buffer."""

from __future__ import annotations

import asyncio
import logging
import math
import random
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from functools import lru_cache
from time import monotonic, time
from typing import Any, Protocol

from tidings.errors import Gone, TidingsError
from tidings.wire.sse import KEEP_ALIVE, Format

from .delivery import Delivery
from .live_topic import PAGE_BYTES, LiveTopic
from .position import Position, Redacted, Reset, reset_data
from .resume import Resume
from .timer_wheel import Timed

log: logging.Logger = logging.getLogger("tidings.subscription")

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]

STALL = 120.0
"""Seconds without a write after which a slow reader is disconnected; it resumes from its last offset."""

LARGE = 2 * PAGE_BYTES
"""Bytes of a body that is too large to be copied for one reader: a page is cut at half of it, an event may be 1 MB."""


class Connection(Protocol):
    """A connection of Tidings' own server, which a stream may write to directly.

    ASGI's `send` copies each body, and a stream notices a slow client only by awaiting `send`: 100 frozen
    readers cost 10 MB by `send`, and 0.6 MB by this.
    """

    @property
    def full(self) -> bool:
        """True if the client is slow: some of what was written has not gone out."""

    def write(self, body: bytes) -> None:
        """Write a part of the response's body, without waiting. Other connections may write the same object."""

    async def writable(self) -> None:
        """Wait until the connection is not full, or is gone."""


class Subscription:
    """An open event stream.

    While the stream is level with all its topics, their flushes `write` to it and it has no task of its own: the
    coroutine of the server's `send` is advanced once, which on stock uvicorn writes at once. When `send` has to wait,
    the subscription leaves the topics' level readers, and a task finishes that send, then catches up from the
    positions. So a slow reader costs its positions and one write buffer. Exactly one of flush and task writes at any
    time. Over a `Connection` the same happens without `send`, and unwritten events are held nowhere.
    """

    __slots__ = (
        "_connection",
        "_delivery",
        "_finish",
        "_retry",
        "_send",
        "_silence",
        "_stepped",
        "_task",
        "_turn",
        "closed",
        "expires",
        "format",
        "last",
        "positions",
        "slot",
    )

    def __init__(
        self,
        delivery: Delivery,
        send: Send,
        positions: Sequence[Position],
        form: Format,
        *,
        finish: Callable[[bool], None],
        expires: float | None = None,
        connection: Connection | None = None,
    ) -> None:
        """Prepare a stream, which `start` begins. `expires`: in `monotonic` seconds.

        `finish(clean)` is called once: after the last byte of a complete body, or to close the connection before that.
        """
        self.format: Format = form
        self.positions: Sequence[Position] = positions
        self.closed: bool = False
        self.expires: float | None = expires
        self.last: float = monotonic()
        self.slot: set[Timed] | None = None
        self._delivery = delivery
        self._send = send
        self._connection = connection
        self._finish = finish
        # Part of the first event: a block of its own makes some clients fire an empty event.
        comments = form.comments
        self._retry = b"retry: %d\n" % (1000 * random.uniform(*delivery.retry)) if comments else b""
        # Random, or the keep-alives of connections that came together would all be due together: 10,000 in one tick.
        self._silence = delivery.keep_alive * random.uniform(1.0, 1.2) if comments else math.inf
        self._task: asyncio.Task[None] | None = None
        self._stepped = True
        self._turn = 0

    @property
    def level(self) -> bool:
        """True if every event known here has been written."""
        return any(self in position.live.level for position in self.positions)

    @property
    def full(self) -> bool:
        """True if a write now would only lie in a buffer, as far as the server can tell."""
        return self._connection is not None and self._connection.full

    def start(self) -> None:
        """Begin to deliver."""
        if self.closed:
            return  # the right to read was lost while the response began
        self._delivery.streams.add(self)
        self._delivery.wheel.file(self, self._next_visit())
        if all(position.level for position in self.positions):
            self._attach()
        else:
            self.kick()

    # Called by flushes. Nothing here waits.

    def write(self, body: bytes, live: LiveTopic) -> None:
        """Write the shared bytes of a topic's flush. The position is past them already."""
        if self._retry or self.format.joined:
            if len(body) <= LARGE:
                body = self._place(body, live)
            else:
                self._put_all(self._place_large(body, live))
                return
        if body:
            self._put(body)

    def _put(self, body: bytes) -> None:
        self.last = monotonic()
        if self._connection is not None:
            self._connection.write(body)
            if len(body) > LARGE and self._connection.full:
                self._keep((body,))
            return
        if len(body) > LARGE:
            self._catch_up_after((body,))
            return
        message: Message = {"type": "http.response.body", "body": body, "more_body": True}
        if not self._stepped:
            self._catch_up_after(message)
            return
        coroutine: Any = self._send(message)
        try:
            yielded = coroutine.send(None)
        except StopIteration:
            return
        except Exception:
            # A wrapper around `send` needs a task (anyio's streams, BaseHTTPMiddleware): it fails before it has sent
            # anything. From now on this connection's writes are made in tasks.
            self._stepped = False
            self._catch_up_after(message)
            return
        self._catch_up_after(Resume(coroutine, yielded))

    def _put_all(self, parts: Sequence[bytes]) -> None:
        if self._connection is None:
            self._catch_up_after(parts)
            return
        self.last = monotonic()
        for part in parts:
            self._connection.write(part)
        if self._connection.full:
            self._keep(parts)

    def _keep(self, parts: Sequence[bytes]) -> None:
        """Count what lies in the buffer until a task has seen it written."""
        self._delivery.write_memory.hold(self, shared=parts)
        self.kick()

    def kick(self) -> None:
        """Leave the level readers and catch up in a task."""
        self._catch_up_after(None)

    # Life.

    def _attach(self) -> None:
        for position in self.positions:
            position.live.level[self] = position

    def _detach(self) -> None:
        for position in self.positions:
            position.live.level.pop(self, None)

    def leave(self) -> None:
        """Forget the stream, whose connection is over. Idempotent."""
        if self.closed:
            return
        self.closed = True
        self._detach()
        self._delivery.streams.discard(self)
        self._delivery.wheel.remove(self)
        self._delivery.write_memory.release(self)
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def close(self) -> None:
        """Close the connection before the end of the body, which no client can take for the end of the topics.

        The client comes back and resumes. Idempotent.
        """
        if not self.closed:
            self.leave()
            self._finish(False)

    def visit(self, now: float) -> float | None:
        """Do what is due: expire, disconnect a stalled reader, or write a keep-alive."""
        if self.closed:
            return None
        if self.expires is not None and now >= self.expires:
            self.close()
            return None
        if self._task is not None:
            if now - self.last > STALL:
                self.close()
                return None
        elif now - self.last >= self._silence and not self.full:
            self._put(KEEP_ALIVE)
        return self._next_visit()

    def _next_visit(self) -> float:
        due = self.last + min(self._silence, STALL)
        return due if self.expires is None else min(due, self.expires)

    # Catching up.

    def _catch_up_after(self, first: Resume | Message | Sequence[bytes] | None) -> None:
        """Finish the write `first` in a task, then catch up. Nothing, if a task does so already."""
        self._detach()
        if self._task is None and not self.closed:
            self._task = asyncio.create_task(self._run(first))

    async def _run(self, first: Resume | Message | Sequence[bytes] | None) -> None:
        try:
            if await self._catch_up(first):
                await self._send({"type": "http.response.body", "body": b"", "more_body": False})
                self._task = None
                self.leave()
                self._finish(True)
            return
        except TidingsError as error:
            log.warning("A reader was disconnected, to resume later: %s", error)
        except OSError as error:
            log.debug("A reader's connection failed: %s", error)
        except Exception:
            log.exception("A reader was dropped.")
        finally:
            self._task = None
        self.close()

    async def _catch_up(self, first: Resume | Message | Sequence[bytes] | None) -> bool:
        """Write until the stream is level with every topic. True: all topics have ended and were read."""
        if first is None:
            pass  # the most frequent case, and the check for a mapping below costs the most
        elif isinstance(first, Resume):
            self._delivery.write_memory.hold(self, PAGE_BYTES)
            await first
        elif isinstance(first, MutableMapping):
            await self._send(first)
        else:
            await self._write(first)
        while not self.closed:
            if self._connection is not None and self._connection.full:
                await self._connection.writable()
                continue
            self._delivery.write_memory.release(self)
            parts = self._take()
            if parts is None:
                # No await between the look that found nothing and this: no wake-up is lost.
                self._attach()
                return False
            if isinstance(parts, Position):
                await self._delivery.topics.load(parts)
                continue
            await self._write(parts)
            if all(position.ended for position in self.positions):
                return True
            # One page a turn of the loop, or a long history would delay all other streams.
            await asyncio.sleep(0)
        return False

    async def _write(self, parts: Sequence[bytes]) -> None:
        # A format may write nothing for an event, and an empty part would be the chunk that ends the body.
        if not all(parts) and not (parts := [part for part in parts if part]):
            return
        self.last = monotonic()
        if self._connection is not None:
            for part in parts:
                self._connection.write(part)
            if self._connection.full:
                self._delivery.write_memory.hold(self, shared=parts)
            return
        if len(parts) > 1 or len(parts[0]) > LARGE:
            self._delivery.write_memory.hold(self, shared=parts)
        for part in parts:
            # `send` copies what it is given, so a large part goes in pieces: the copy of a slow reader is one of them.
            step = PAGE_BYTES if len(part) > LARGE else len(part)
            for at in range(0, len(part), step):
                await self._send({"type": "http.response.body", "body": part[at : at + step], "more_body": True})
                if step < len(part) or len(parts) > 1:
                    await asyncio.sleep(0)  # a lost connection is noticed between two turns of the loop

    def _take(self) -> Sequence[bytes] | Position | None:
        """The next bytes, a position whose page must be loaded, or None: level with every topic."""
        positions, topics = self.positions, self._delivery.topics
        for _ in positions:
            self._turn = (self._turn + 1) % len(positions)
            position = positions[self._turn]
            live = position.live
            step = position.step(topics.pages)
            if step is None:
                continue
            if step == "load":
                return position
            if step == "end":
                return self._notice(live, "tidings.end", {"topic": live.name, "offset": str(live.tail)})
            if isinstance(step, Reset):
                if not self.format.notices:
                    raise Gone(f"Events of {live.name} are gone: {step.reason}.")
                return self._notice(live, "tidings.reset", reset_data(live.name, step))
            if isinstance(step, Redacted):
                return (self._place(self.format.encode(live.name, step.events), live),)
            body = topics.pages.encode(self.format, live, step.after, step.events)
            topics.flusher.deliveries += len(step.events)
            return (self._place(body, live),) if len(body) <= LARGE else self._place_large(body, live)
        return None

    def _place(self, body: bytes, live: LiveTopic) -> bytes:
        """Return this stream's bytes: its other positions around each id, its reconnection time in the first event."""
        if self.format.joined:
            body = self.format.place(body, *self._around(live))
        if self._retry and body:
            body, self._retry = self._retry + body, b""
        return body

    def _place_large(self, body: bytes, live: LiveTopic) -> Sequence[bytes]:
        """The same bytes as those of `_place`, without a copy of what other streams are written too."""
        parts: list[bytes] = []
        if self._retry:
            parts, self._retry = [self._retry], b""
        if not self.format.joined:
            return [*parts, body]
        around = {b"\xfe": self._around(live)[0], b"\xff": self._around(live)[1]}
        return [*parts, *filter(None, [around.get(part, part) for part in _split(body)])]

    def _around(self, live: LiveTopic) -> tuple[bytes, bytes]:
        """The offsets of the topics before this one, and of those after it, as an id has them."""
        i = next(i for i, position in enumerate(self.positions) if position.live is live)
        before = "".join(f"{position}~" for position in self.positions[:i])
        after = "".join(f"~{position}" for position in self.positions[i + 1 :])
        return before.encode(), after.encode()

    def _notice(self, live: LiveTopic, type: str, data: dict[str, Any]) -> Sequence[bytes]:
        id = "~".join(map(str, self.positions))
        body = self.format.notice(live.name, type, data, id, time())
        if body:
            body, self._retry = self._retry + body, b""
        return (body,)


@lru_cache(maxsize=4)
def _split(template: bytes) -> Sequence[bytes]:
    """The parts of a large `joined` template, with its marks between them; the same objects for every stream."""
    parts: list[bytes] = []
    for before_mark in template.split(b"\xfe"):
        for part in before_mark.split(b"\xff"):
            parts += [part, b"\xff"]
        parts[-1] = b"\xfe"
    return parts[:-1]
