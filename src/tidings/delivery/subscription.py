"""A subscription: one connection's positions, and the writing of what comes after them. No queue, no buffer."""

from __future__ import annotations

import asyncio
import logging
import math
import random
from collections.abc import Awaitable, Callable, Coroutine, Generator, MutableMapping, Sequence
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol

from tidings.errors import TidingsError
from tidings.wire.sse import KEEP_ALIVE, Format

from .live_topic import LiveTopic
from .position import Position, Reset

if TYPE_CHECKING:
    from .hub import Hub

log = logging.getLogger("tidings.subscription")

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]

STALL = 120.0
"""A reader that takes nothing for this many seconds is disconnected; it resumes from its last offset."""


class Resume:
    """The rest of a coroutine that was stepped once by hand and yielded `yielded`."""

    def __init__(self, coroutine: Coroutine[Any, Any, None], yielded: Any) -> None:
        self._coroutine = coroutine
        self._yielded = yielded

    def __await__(self) -> Generator[Any, Any, None]:
        yielded = self._yielded
        while True:
            try:
                sent = yield yielded
            except BaseException as error:
                step = partial(self._coroutine.throw, error)
            else:
                step = partial(self._coroutine.send, sent)
            try:
                yielded = step()
            except StopIteration:
                return


class Connection(Protocol):
    """What a server of ours lets a stream do beside ASGI's `send`, which copies each body and tells only by waiting
    that the client is slow: 100 frozen readers cost 10 MB by `send`, and 0.6 MB by this."""

    @property
    def full(self) -> bool:
        """Whether the client is slow: not all that was written has gone out."""

    def write(self, body: bytes) -> None:
        """Write a part of the response's body, never waiting. The bytes are shared with others' writes."""

    async def writable(self) -> None:
        """Wait until it is not full, or gone."""


class Subscription:
    """One open event stream.

    While it is level with all its topics, their flushes `write` to it without any task of its own: the server's `send`
    is stepped by hand, which on stock uvicorn writes at once. When `send` has to wait, the subscription leaves its
    topics' level and a pump finishes that send, then catches up from its positions; so a slow reader costs its
    positions and one write buffer. Exactly one of flush and pump writes at any time. Over a `Connection` it is the same
    but for the stepping, and what is not written yet is held by nobody.
    """

    __slots__ = (
        "_connection",
        "_finish",
        "_pump_task",
        "_retry",
        "_send",
        "_silence",
        "_stepped",
        "_turn",
        "dirty",
        "expires",
        "format",
        "gone",
        "hub",
        "last",
        "positions",
    )

    def __init__(
        self,
        hub: Hub,
        send: Send,
        positions: Sequence[Position],
        form: Format,
        *,
        finish: Callable[[bool], None],
        expires: float | None = None,
        dirty: bool = False,
        bare: bool = False,
        connection: Connection | None = None,
    ) -> None:
        """`dirty`: its clients take a clean end for success, so one before the topics' own end must not look like it.
        `bare`: its clients would show comments and reconnection times, so there are none.
        `finish(clean)` ends the response: cleanly after the last byte was sent, or by closing the connection.
        `expires` is in `monotonic` seconds."""
        self.hub = hub
        self.format = form
        self.positions = positions
        self.gone = False
        self.dirty = dirty
        self.expires = expires
        self.last = monotonic()
        self._send = send
        self._connection = connection
        self._finish = finish
        # Rides in the first real event: a block of its own makes some clients fire an empty event.
        self._retry = b"" if bare else b"retry: %d\n" % (1000 * random.uniform(*hub.retry))
        # Jittered, for connections that came together would otherwise all be due together: 10,000 in one tick.
        self._silence = math.inf if bare else hub.keep_alive * random.uniform(1.0, 1.2)
        self._pump_task: asyncio.Task[None] | None = None
        self._stepped = True
        self._turn = 0

    @property
    def unfinished(self) -> bool:
        """A clean end now would look like an answer that is complete."""
        return self.dirty and not all(position.ended for position in self.positions)

    @property
    def full(self) -> bool:
        """Whether a write now would only lie in a buffer, as far as the server can tell."""
        return self._connection is not None and self._connection.full

    def start(self) -> None:
        """Begin to deliver."""
        if self.gone:
            return  # the right to read was lost while the response began
        self.hub.subscriptions.add(self)
        self.hub.wheel.file(self, self._next_visit())
        self.kick()

    # What flushes call. Nothing here waits.

    def write(self, body: bytes, lane: LiveTopic) -> None:
        """Write the shared bytes of a lane's flush, the position being past them already."""
        if body:
            self._put(self._place(body, lane) if self._retry or self.format.joined else body)

    def _put(self, body: bytes) -> None:
        self.last = monotonic()
        if self._connection is not None:
            self._connection.write(body)
            return
        message: Message = {"type": "http.response.body", "body": body, "more_body": True}
        if not self._stepped:
            self._pump(message)
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
            self._pump(message)
            return
        self._pump(Resume(coroutine, yielded))

    def kick(self) -> None:
        """Look at the positions again, in a pump."""
        self._pump(None)

    def join(self) -> None:
        for position in self.positions:
            position.lane.level[self] = position

    def part(self) -> None:
        for position in self.positions:
            position.lane.level.pop(self, None)

    def leave(self) -> None:
        """The connection is over, however. Idempotent."""
        if self.gone:
            return
        self.gone = True
        self.part()
        self.hub.subscriptions.discard(self)
        if self._pump_task is not None:
            self._pump_task.cancel()
            self._pump_task = None

    def end(self, *, clean: bool) -> None:
        """End the response. Not clean, or in the middle of a wait for a slow reader: by closing the connection,
        which the clients of AI protocols cannot take for success."""
        if self.gone:
            return
        busy = self._pump_task is not None
        self.leave()
        if clean and not busy:
            self.hub.background(self._end_cleanly())
        else:
            self._finish(False)

    async def _end_cleanly(self) -> None:
        clean = False
        try:
            # A reader that takes nothing must not hold up a drain.
            async with asyncio.timeout(1.0):
                await self._send({"type": "http.response.body", "body": b"", "more_body": False})
            clean = True
        except Exception:
            log.debug("a clean end could not be written", exc_info=True)
        finally:
            self._finish(clean)

    def depart(self) -> None:
        """End it before its topics do; its client comes back and resumes."""
        self.end(clean=not self.unfinished)

    def visit(self, now: float) -> float | None:
        """The wheel's call: expiry, stall, keep-alive."""
        if self.gone:
            return None
        if self.expires is not None and now >= self.expires:
            self.depart()
            return None
        if self._pump_task is not None:
            if now - self.last > STALL:
                self.end(clean=False)
                return None
        elif now - self.last >= self._silence and not self.full:
            self._put(KEEP_ALIVE)
        return self._next_visit()

    def _next_visit(self) -> float:
        due = self.last + min(self._silence, STALL)
        return due if self.expires is None else min(due, self.expires)

    # Catching up.

    def _pump(self, first: Resume | Message | None) -> None:
        self.part()
        if self._pump_task is None and not self.gone:
            self._pump_task = asyncio.create_task(self._catch_up(first))

    async def _catch_up(self, first: Resume | Message | None) -> None:
        try:
            if isinstance(first, Resume):
                await first
            elif first is not None:
                await self._send(first)
            while not self.gone:
                if self._connection is not None and self._connection.full:
                    await self._connection.writable()
                    continue
                body = self._take()
                if body is None:
                    # No await between the look that found nothing and this: that is the whole proof that no
                    # wake-up is lost.
                    self.join()
                    return
                if isinstance(body, Position):
                    await self.hub.lanes.load(body)
                    continue
                if body:
                    await self._write(body)
                if all(position.ended for position in self.positions):
                    await self._send({"type": "http.response.body", "body": b"", "more_body": False})
                    self._pump_task = None
                    self.leave()
                    self._finish(True)
                    return
                # One page a turn of the loop, or a long history holds up everybody else.
                await asyncio.sleep(0)
        except TidingsError as error:
            log.warning("a reader was sent away to come back: %s", error)
            self._pump_task = None
            self.end(clean=False)
        except OSError:
            self._pump_task = None
            self.end(clean=False)
        except Exception:
            log.exception("a reader was dropped")
            self._pump_task = None
            self.end(clean=False)
        finally:
            self._pump_task = None

    async def _write(self, body: bytes) -> None:
        self.last = monotonic()
        if self._connection is not None:
            self._connection.write(body)
        else:
            await self._send({"type": "http.response.body", "body": body, "more_body": True})

    def _take(self) -> bytes | Position | None:
        """The next bytes, a position whose page must be loaded, or None: level with every topic."""
        positions = self.positions
        for _ in positions:
            self._turn = (self._turn + 1) % len(positions)
            position = positions[self._turn]
            lane = position.lane
            step = position.step(self.hub.lanes.pages)
            if step is None:
                continue
            if step == "load":
                return position
            if step == "end":
                return self._notice(lane, "tidings.end", {"topic": lane.name, "offset": str(lane.tail)})
            if isinstance(step, Reset):
                data = {"topic": lane.name, "reason": step.reason, "earliest": str(step.earliest)}
                return self._notice(lane, "tidings.reset", data)
            body = self.hub.lanes.pages.encode(self.format, lane, step.after, step.events)
            self.hub.lanes.flusher.deliveries += len(step.events)
            return self._place(body, lane)
        return None

    def _place(self, body: bytes, lane: LiveTopic) -> bytes:
        """This connection's own bytes: its other positions around each id, its reconnection time in the first event."""
        if self.format.joined:
            i = next(i for i, position in enumerate(self.positions) if position.lane is lane)
            before = "".join(f"{position}~" for position in self.positions[:i])
            after = "".join(f"~{position}" for position in self.positions[i + 1 :])
            body = self.format.place(body, before.encode(), after.encode())
        return self._with_retry(body)

    def _with_retry(self, body: bytes) -> bytes:
        if self._retry and body:
            body, self._retry = self._retry + body, b""
        return body

    def _notice(self, lane: LiveTopic, type: str, data: dict[str, Any]) -> bytes:
        id = "~".join(map(str, self.positions))
        return self._with_retry(self.format.notice(lane.name, type, data, id))
