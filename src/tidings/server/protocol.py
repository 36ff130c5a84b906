"""The protocol of a connection: uvicorn's, with limits on what a request may send and on what a slow client keeps, and
streams written directly."""

from __future__ import annotations

import asyncio
import math
from typing import Any, NamedTuple, NoReturn, Self

from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT, FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from tidings.delivery.hub import Hub
from tidings.delivery.subscription import STALL

MAX_HEAD = 65536
"""Bytes of a request's line and headers, and of what frames a chunked body: sizes, extensions and trailers. httptools
itself has no limit."""

MAX_PATH = 4096
"""Bytes of a request's path, which every route looks at: one of 60,000 bytes held the loop for 41 ms."""

ALLOWANCE = 16
"""Bytes of framing that each byte of a chunked body may have besides, up to 4 KB a part: a chunk of one byte has 5."""

PACE = 4096
"""Bytes a second, on average over the request's time limit, below which a body counts as too slow."""

SHARED = 4096
"""Bytes from which a body is not copied to be framed: a page is written to readers one by one, and what each of them
is slow to take must stay the one object that all of them share."""

PIPELINED = 32
"""Requests of a connection that wait for an earlier one's answer. Beyond that, what was read is parsed later and
nothing more is read: a request of 18 bytes costs 7 KB, and a client that reads no answers would fill the memory."""

SLICE = 2048
"""Bytes that are parsed at once: at most 113 requests, where a block that was read may hold 14,000."""

LINGER = 2.0
"""Seconds for which the rest of a refused request is read and dropped. Closing earlier would reset the connection, and
the client would not see the answer."""


def refusal(status: int, title: str, detail: str) -> bytes:
    """Return a whole response, for a request that no app sees."""
    body = b'{"title":"%b","status":%d,"detail":"%b"}' % (title.encode(), status, detail.encode())
    head = f"HTTP/1.1 {status} {title}\r\ncontent-type: application/problem+json\r\ncontent-length: {len(body)}\r\n"
    return head.encode() + b"connection: close\r\n\r\n" + body


TOO_LARGE = refusal(
    431, "Request Header Fields Too Large", f"The request's line and headers are over {MAX_HEAD:,} bytes."
)
TOO_LONG = refusal(414, "URI Too Long", f"The request's path is over {MAX_PATH:,} bytes.")
TOO_SLOW = refusal(408, "Request Timeout", "The request came too slowly.")
TOO_MUCH = refusal(413, "Content Too Large", "The request's body or its framing is too large.")
UNREADABLE = refusal(400, "Bad Request", "The request is not valid HTTP.")


class Bounds(NamedTuple):
    """The limits of a request before any app knows it. `patience`: seconds in which its head must have arrived, and
    after each of which its body must have kept the pace. `body`: bytes of the largest body of any route."""

    patience: float
    body: int


class Flow(FlowControl):
    """A connection's flow, in which reading stays paused while a part of what was read is not parsed."""

    held: bool = False

    def resume_reading(self) -> None:
        if not self.held:
            super().resume_reading()


def protocol(hub: Hub, bounds: Bounds) -> type[HttpToolsProtocol]:
    """Return uvicorn's protocol for this hub: limits on requests, and a drain once the listeners have closed."""

    last = chunk = b""

    def chunk_of(body: bytes) -> bytes:
        """Return the body as a chunk of HTTP/1.1. The last chunk is kept, since a flush writes one object to all its
        readers: three buffers a write instead of one cost 0.5 of 4.4 µs."""
        nonlocal last, chunk
        if body is not last:
            last, chunk = body, b"%x\r\n%b\r\n" % (len(body), body)
        return chunk

    class Protocol(HttpToolsProtocol):
        # Slots: with more than 30 attributes, the dict of each connection would be its own and take 1.2 KB more.
        __slots__ = (
            "_body", "_complete", "_deadline", "_framing", "_head", "_paced", "_refused", "_rest", "_served", "_slow",
            "_streaming",
        )  # fmt: skip

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._head = 0
            """Bytes read of a head that is not complete; -1 when it is."""
            self._framing = 0
            """Bytes of a chunked body's framing, less its allowance."""
            self._body = 0
            """Bytes of the body."""
            self._paced = 0
            """Bytes of the body when its pace was checked last."""
            self._complete = False
            """The last request that has begun has arrived whole."""
            self._deadline: asyncio.TimerHandle | None = None
            self._refused = False
            self._served: RequestResponseCycle | None = None
            """The request that is being answered; later ones may have come."""
            self._rest: bytes | memoryview = b""
            """Bytes read that are parsed once fewer requests wait."""
            self._streaming = False
            """A stream writes here. It counts what it keeps itself."""
            self._slow: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self.flow: Flow = Flow(transport)
            self._deadline = self.loop.call_later(bounds.patience, self._late)

        def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
            self._served = cycle
            super()._start_asgi_task(cycle, app)

        def connection_lost(self, exc: Exception | None) -> None:
            if self._served is not None and not self._served.response_complete:
                # uvicorn marks only the last request that has come, and this would write to a closed connection.
                self._served.disconnected = True
                self._served.message_event.set()
            self._served = None
            super().connection_lost(exc)
            self._clear_deadline()
            self._release()
            # These refer to this connection. In a circle they would wait for the garbage collector, 7 KB each.
            self.scope = self.cycle = self.headers = None  # type: ignore[assignment]
            self.pipeline.clear()
            self._rest = b""

        def _clear_deadline(self) -> None:
            if self._deadline is not None:
                self._deadline.cancel()
                self._deadline = None

        def data_received(self, data: bytes) -> None:
            if self._rest:  # the transport may deliver a block that it had read before it was paused
                self._rest = bytes(self._rest) + data
            else:
                self._parse_slices(data)

        def _parse_slices(self, data: bytes | memoryview) -> None:
            """Parse until too many requests wait, and keep the rest."""
            start = 0
            while start < len(data):
                if self._refused or self.transport.is_closing():
                    return
                if self.pipeline and self._crowded():
                    self._rest = memoryview(data)[start:]
                    self.flow.held = True
                    self.flow.pause_reading()
                    return
                end = start + SLICE
                if end < len(data):
                    end = max(end, start + self._expected())
                self._parse(bytes(data[start:end]))
                start = end

        def _expected(self) -> int:
            """Return the bytes that are to come of a body whose length is known. They hold no further request."""
            if self._head < 0:
                for name, value in self.scope["headers"]:
                    if name == b"content-length":
                        return int(value) - self._body
            return 0

        def _crowded(self) -> bool:
            """Many requests wait, or much of the body of the last that waits has come."""
            waiting = len(self.pipeline)
            return waiting >= PIPELINED or (waiting > 0 and len(self.cycle.body) > HIGH_WATER_LIMIT)

        def _parse_rest(self) -> None:
            """Parse what was kept, then read on."""
            if self._rest and not self._crowded():
                rest, self._rest = self._rest, b""
                self.flow.held = False
                self._parse_slices(rest)
                if not self.transport.is_closing():
                    self.flow.resume_reading()

        def _parse(self, data: bytes) -> None:
            # Counted while a head or a chunk's frame is being read, so that an endless one is never held whole.
            if self._head >= 0:
                self._head += len(data)
            else:
                self._framing += len(data)
            self._complete = False  # also for line ends before a request, which the parser skips
            super().data_received(data)
            if self._head > MAX_HEAD:
                self.refuse(TOO_LARGE)
            elif self._framing > MAX_HEAD or self._body > bounds.body:
                self.refuse(TOO_MUCH)
            elif self._complete:
                self._clear_deadline()
            elif self._deadline is None:
                self._deadline = self.loop.call_later(bounds.patience, self._late)

        def _late(self) -> None:
            """Refuse a request that has not arrived in time, unless its body keeps the pace or waits for the app."""
            self._deadline = None
            if self._complete or self._rest or self.transport.is_closing():
                return
            in_time = self.flow.read_paused or self._body - self._paced >= PACE * bounds.patience
            if self._head < 0 and in_time and not self.cycle.response_complete:
                self._paced = self._body
                self._deadline = self.loop.call_later(bounds.patience, self._late)
            elif self._head == 0 or (self._head < 0 and self.cycle.response_complete):
                self.transport.close()  # nothing was asked, or the answer has been given
            else:
                self.refuse(TOO_SLOW)

        def on_response_complete(self) -> None:
            self._streaming = False
            super().on_response_complete()
            if self._rest:
                self.loop.call_soon(self._parse_rest)
            if not self._complete and not self.transport.is_closing():
                # The rest of a body that nobody needs is dropped for a while, then the connection is closed.
                self._clear_deadline()
                self._deadline = self.loop.call_later(LINGER, self._late)

        def refuse(self, answer: bytes) -> None:
            """Answer, take nothing more, and close."""
            if self._refused or self.transport.is_closing():
                return
            self._refused = True
            if self.cycle is not None and not self.cycle.response_complete:
                if self._head >= 0 or self.cycle.response_started or self.pipeline:
                    self.transport.close()  # the bytes of an answer would be taken for those of another one
                    return
                self.cycle.disconnected = True
                self.cycle.message_event.set()
            self.transport.write(answer)
            self.transport.write_eof()
            asyncio.get_running_loop().call_later(LINGER, self.transport.close)

        def send_400_response(self, msg: str) -> None:
            self.refuse(UNREADABLE)

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self._complete = False
            self._framing = self._body = self._paced = 0
            connection: dict[Any, Any] = {"tidings.connection": self}
            self.scope["extensions"] = connection

        def on_headers_complete(self) -> None:
            # Only now is it known how much of what was read is the head.
            if self._head + SLICE > MAX_HEAD and self._size_of_head() > MAX_HEAD:
                self._stop(TOO_LARGE)
            if len(self.url) > MAX_PATH and self.url.find(b"?", 0, MAX_PATH + 1) < 0:
                self._stop(TOO_LONG)
            codings = [value for name, value in self.headers if name == b"transfer-encoding"]
            if codings and [coding.lower() for coding in codings] != [b"chunked"]:
                self._stop(UNREADABLE)  # a proxy in front might find another end of the body
            self._head = -1
            super().on_headers_complete()
            # Trailers are dropped: uvicorn would add them to the headers, where `authorization` says who asks.
            self.headers = []

        def _stop(self, answer: bytes) -> NoReturn:
            """Refuse a request whose head is complete, before any app sees it."""
            self.refuse(answer)
            raise ValueError("the parser is to stop here")

        def _size_of_head(self) -> int:
            return len(self.url) + sum([len(name) + len(value) for name, value in self.headers])

        def on_body(self, body: bytes) -> None:
            self._body += len(body)
            self._framing -= len(body) + min((ALLOWANCE - 1) * len(body), 4096)
            super().on_body(body)

        def on_message_complete(self) -> None:
            super().on_message_complete()
            self._head = 0
            self._framing = 0
            self._complete = True

        # The bytes of answers that clients do not take count as memory of slow readers. See memory.WriteMemory.

        def pause_writing(self) -> None:
            super().pause_writing()
            if not self._streaming and hub.state != "closed":
                self._hold()

        def resume_writing(self) -> None:
            super().resume_writing()
            self._release()

        def _hold(self, before: float = math.inf) -> None:
            """Count what the client has not taken. Close the connection if that is no less than `before` bytes."""
            unsent = self.transport.get_write_buffer_size()
            if unsent >= before:
                self.close()
            elif hub.state != "closed":
                self._slow = self.loop.call_later(STALL, self._hold, unsent)
                hub.delivery.write_memory.hold(self, unsent)

        def _release(self) -> None:
            if self._slow is not None:
                self._slow.cancel()
                self._slow = None
                if hub.state != "closed":
                    hub.delivery.write_memory.release(self)

        def close(self) -> None:
            """Close the connection without what was not sent, because the client is too slow."""
            self.transport.abort()

        # Connection's methods, for the stream that has begun here: see subscription.py.

        def begin(self) -> Self | None:
            """Return this connection if the body of the response that has begun may be written here, else None."""
            if self.transport.is_closing() or not (self.cycle.response_started and self.cycle.chunked_encoding):
                return None  # the client has gone, or has sent its next request already
            self._release()
            self._streaming = True
            # Full as soon as the kernel does not take it all: the default is 64 KB later.
            self.transport.set_write_buffer_limits(0)
            return self

        @property
        def full(self) -> bool:
            return self.flow.write_paused

        def write(self, body: bytes) -> None:
            if self.transport.is_closing():
                return
            if len(body) < SHARED:
                self.transport.write(chunk_of(body))
            else:
                self.transport.writelines((b"%x\r\n" % len(body), body, b"\r\n"))

        async def writable(self) -> None:
            await self.flow.drain()

        def shutdown(self) -> None:
            # First uvicorn's own: it marks the connection as not to be kept alive, so that a stream which ends
            # cleanly does not invite its client to reuse a dying process.
            super().shutdown()
            hub.drain()

    return Protocol
