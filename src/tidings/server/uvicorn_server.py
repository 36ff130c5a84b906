"""The server: uvicorn, with limits on what a request may send, and a drain after which the process always exits."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import resource
import socket
import sys
import threading
from functools import partial
from types import FrameType
from typing import Any, NamedTuple, Self

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tidings.delivery.hub import Hub
from tidings.errors import InvalidRequest, Unavailable

from .app import create_app
from .settings import Settings

log: logging.Logger = logging.getLogger("tidings.server")

TCP_NOTSENT_LOWAT = getattr(socket, "TCP_NOTSENT_LOWAT", 25)
NOTSENT = 65536
"""Unsent bytes the kernel takes for one connection. Its own limit is 3 MB: 100 frozen readers then cost 300 MB of its
memory and none is ever noticed to be slow; with this, 27 MB (docs/design.md, Delivery). Accepted sockets inherit it."""

MAX_HEAD = 65536
"""Bytes of a request's line and headers, and of what frames a chunked body: sizes, extensions and trailers. httptools
itself has no limit."""

ALLOWANCE = 16
"""Bytes of framing that each byte of a chunked body may have besides, up to 4 KB a part: a chunk of one byte has 5."""

PACE = 4096
"""Bytes a second, on average over the request's time limit, below which a body counts as too slow."""

SHARED = 4096
"""Bytes from which a body is not copied to be framed: a page is written to readers one by one, and what each of them
is slow to take must stay the one object that all of them share."""

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
TOO_SLOW = refusal(408, "Request Timeout", "The request came too slowly.")
TOO_MUCH = refusal(413, "Content Too Large", "The request's body or its framing is too large.")
UNREADABLE = refusal(400, "Bad Request", "The request is not valid HTTP.")


class Bounds(NamedTuple):
    """The limits of a request before any app knows it. `patience`: seconds in which its head must have arrived, and
    after each of which its body must have kept the pace. `body`: bytes of the largest body of any route."""

    patience: float
    body: int


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
        _head = 0
        """Bytes read of a head that is not complete; -1 when it is."""
        _framing = 0
        """Bytes of a chunked body's framing, less its allowance."""
        _body = 0
        """Bytes of the body."""
        _paced = 0
        """Bytes of the body when its pace was checked last."""
        _complete = False
        """The last request that has begun has arrived whole."""
        _deadline: asyncio.TimerHandle | None = None
        _refused = False

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._deadline = self.loop.call_later(bounds.patience, self._late)

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            self._clear_deadline()
            # These refer to this connection. In a circle they would wait for the garbage collector, 7 KB each.
            self.scope = self.cycle = self.headers = None  # type: ignore[assignment]
            self.pipeline.clear()

        def _clear_deadline(self) -> None:
            if self._deadline is not None:
                self._deadline.cancel()
                self._deadline = None

        def data_received(self, data: bytes) -> None:
            if self._refused:
                return
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
            if self._complete or self.transport.is_closing():
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
            super().on_response_complete()
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
            if len(self.url) + sum([len(name) + len(value) for name, value in self.headers]) > MAX_HEAD:
                self.refuse(TOO_LARGE)
                raise ValueError("the parser is to stop here")
            self._head = -1
            super().on_headers_complete()

        def on_header(self, name: bytes, value: bytes) -> None:
            # Trailers are dropped: uvicorn would add them to the headers, where `authorization` says who asks.
            if self._head >= 0:
                super().on_header(name, value)

        def on_body(self, body: bytes) -> None:
            self._body += len(body)
            self._framing -= len(body) + min((ALLOWANCE - 1) * len(body), 4096)
            super().on_body(body)

        def on_message_complete(self) -> None:
            super().on_message_complete()
            self._head = 0
            self._framing = 0
            self._complete = True

        # Connection's methods, for the stream that has begun here: see subscription.py.

        def begin(self) -> Self | None:
            """Return this connection if the body of the response that has begun may be written here, else None."""
            if self.transport.is_closing() or not (self.cycle.response_started and self.cycle.chunked_encoding):
                return None  # the client has gone, or has sent its next request already
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


LAST = 9.0
"""Seconds that a process has to leave when its store is gone for good."""


class Server(uvicorn.Server):
    """Prints its URL once it accepts connections. A second SIGTERM or Ctrl-C ends the drain at once, without
    tracebacks."""

    def __init__(self, config: uvicorn.Config, hub: Hub) -> None:
        super().__init__(config)
        self.hub = hub
        self.hurried: bool = False
        self.lost: str = ""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if not self.should_exit or not self.started or self.hurried:
            super().handle_exit(sig, frame)
            return
        # uvicorn itself would drop every connection at once, with a traceback for each stream: the third signal does.
        self.hurried = True
        self.loop.call_soon_threadsafe(partial(self.hub.drain, hurry=True))

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self.loop: asyncio.AbstractEventLoop = asyncio.get_running_loop()
        await super().startup(sockets)
        if self.started and sockets:
            # These objects live as long as the process: the collector need not walk them for each burst of connections.
            gc.collect()
            gc.freeze()
            print(f"Tidings is at {address(sockets[0])}", flush=True)
            self.watching: asyncio.Task[None] = asyncio.create_task(self._leave_when_lost())

    async def _leave_when_lost(self) -> None:
        """Leave once the store is gone for good. Whatever hangs then, the process is gone in time."""
        self.lost = await self.hub.delivery.lost()
        last = threading.Timer(LAST, os._exit, (os.EX_IOERR,))
        last.daemon = True
        last.start()
        self.should_exit = True


def address(listening: socket.socket) -> str:
    """Return the URL of a listening socket."""
    host, port = listening.getsockname()[:2]
    if host in ("0.0.0.0", "::"):
        host = socket.gethostname()
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket. Raises InvalidRequest for an address that cannot be used."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        made = socket.create_server((host, port), family=family, backlog=4096, reuse_port=False)
    except OSError as error:
        reason = "it is in use" if error.errno == 98 else (error.strerror or "it cannot be used")
        raise InvalidRequest(
            f"Cannot listen on {host} port {port}: {reason}. Choose another with --port or PORT=."
        ) from None
    if sys.platform == "linux":
        made.setsockopt(socket.IPPROTO_TCP, TCP_NOTSENT_LOWAT, NOTSENT)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; return when every acknowledged event is stored and every stream has ended.

    Takes `drain_window` plus about 3 s to end. Raises InvalidRequest or Unavailable if the server cannot start.
    """
    raise_file_limit()
    # A thread that waits for the interpreter beside a 1,000-wide fan-out waits this long: 5 ms, Python's default,
    # took 16 publishers from 1.85 s to 3.2 s. It is the process's, so only the server sets it.
    sys.setswitchinterval(0.001)
    # 5,000 connections are 500,000 objects that live long: full collections over them are not worth their pauses.
    gc.set_threshold(20_000, 20, 100)
    logging.basicConfig(level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for noisy in ("uvicorn.access", "httpx", "httpcore"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    if settings.log_level == "info":
        logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    app = create_app(settings)
    hub: Hub = app.state.hub
    listening = listen(settings.host, settings.port)
    config = uvicorn.Config(
        app,
        http=protocol(hub, Bounds(settings.request_timeout, max(settings.max_batch, 2 * settings.max_file))),
        loop="uvloop",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=int(settings.drain_window + 2.5),
        timeout_keep_alive=30,
    )
    server = Server(config, hub)
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(serve(server, listening, app))
    if server.lost:
        print(f"tidings: {server.lost} Restart the server.", file=sys.stderr)
        raise SystemExit(os.EX_IOERR)


async def serve(server: Server, listening: socket.socket, app: Any) -> None:
    """Run one uvicorn server. Raises the InvalidRequest or Unavailable that kept the app from starting."""
    # uvicorn would log this failure as a traceback and exit with a status of its own.
    logging.getLogger("uvicorn.error").addFilter(lambda record: not hasattr(app.state, "failure"))
    try:
        await server.serve(sockets=[listening])
    except SystemExit:
        if not hasattr(app.state, "failure"):
            raise
    finally:
        listening.close()
    if isinstance(failure := getattr(app.state, "failure", None), InvalidRequest | Unavailable):
        raise failure


def raise_file_limit() -> None:
    """Allow as many open files as this user may have: each stream is one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
