"""The server: uvicorn, with a drain after which the process always exits."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import resource
import signal
import socket
import sys
import threading
from functools import partial
from types import FrameType
from typing import Any

import uvicorn

from tidings.delivery.hub import Hub
from tidings.errors import InvalidRequest, Unavailable

from . import logs
from .app import create_app
from .protocol import Bounds, protocol
from .proxies import TrustedProxies
from .settings import Settings

log: logging.Logger = logging.getLogger("tidings.server")

TCP_NOTSENT_LOWAT = getattr(socket, "TCP_NOTSENT_LOWAT", 25)
NOTSENT = 65536
"""Unsent bytes the kernel takes for one connection. Its own limit is 3 MB: 100 frozen readers then cost 300 MB of its
memory and none is ever noticed to be slow; with this, 27 MB (docs/design.md, Delivery). Accepted sockets inherit it."""

LAST = 9.0
"""Seconds that a process has to leave when its store is gone for good."""


EVERY = ("0.0.0.0", "::")
"""Hosts that stand for all addresses of this machine."""


class Server(uvicorn.Server):
    """Prints its URL once it accepts connections. A second SIGTERM or Ctrl-C ends the drain at once, without
    tracebacks."""

    def __init__(self, config: uvicorn.Config, hub: Hub) -> None:
        super().__init__(config)
        self.hub = hub
        self.hurried: bool = False
        self.lost: str = ""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        again = self.should_exit and self.started and not self.hurried
        if again:
            # uvicorn itself would drop every connection at once, with a traceback for each stream: a third signal does.
            self.hurried = True
            self.loop.call_soon_threadsafe(partial(self.hub.drain, hurry=True))
        else:
            super().handle_exit(sig, frame)
        if self.started:
            # Not here: the signal may have come while a record was being written.
            self.loop.call_soon_threadsafe(self._log_exit, signal.Signals(sig).name, again)

    def _log_exit(self, name: str, again: bool) -> None:
        if self.hub.state == "closed":
            return
        streams = self.hub.delivery.counts().streams
        if again:
            log.info("%s again: the %d open streams and the runs end now.", name, streams)
        else:
            log.info("%s: no more connections are accepted, %d open streams and the runs end.", name, streams)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self.loop: asyncio.AbstractEventLoop = asyncio.get_running_loop()
        await super().startup(sockets)
        if self.started and sockets:
            # These objects live as long as the process: the collector need not walk them for each burst of connections.
            gc.collect()
            gc.freeze()
            print(greeting(*sockets[0].getsockname()[:2]), flush=True)
            self.watching: asyncio.Task[None] = asyncio.create_task(self._leave_when_lost())

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        log.info("Stopped: every stream has ended, and every acknowledged event is stored.")

    async def _leave_when_lost(self) -> None:
        """Leave once the store is gone for good. Whatever hangs then, the process is gone in time."""
        self.lost = await self.hub.delivery.lost()
        last = threading.Timer(LAST, os._exit, (os.EX_IOERR,))
        last.daemon = True
        last.start()
        self.should_exit = True


def greeting(host: str, port: int) -> str:
    """Return the line with the URL of the server, and a warning if other machines reach every address of this one."""
    everywhere = host in EVERY
    if everywhere:
        host = socket.gethostname()
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    return f"Tidings is at {url}" + (", and listens on all addresses of this machine" if everywhere else "")


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

    Takes `drain_window` plus about 3 s to end. Raises InvalidRequest or Unavailable if the server cannot start. Ends
    the process with status 2 for a wrong setting, and with 74 if the store is gone for good.
    """
    raise_file_limit()
    # A thread that waits for the interpreter beside a 1,000-wide fan-out waits this long: 5 ms, Python's default,
    # took 16 publishers from 1.85 s to 3.2 s. It is the process's, so only the server sets it.
    sys.setswitchinterval(0.001)
    # 5,000 connections are 500,000 objects that live long: full collections over them are not worth their pauses.
    gc.set_threshold(20_000, 20, 100)
    logs.configure(settings)
    try:
        app = create_app(settings)
    except InvalidRequest as error:
        print(f"tidings: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    hub: Hub = app.state.hub
    listening = listen(settings.host, settings.port)
    config = uvicorn.Config(
        TrustedProxies(app, settings.trusted_proxies),
        http=protocol(hub, Bounds(settings.request_timeout, max(settings.max_batch, 2 * settings.max_file))),
        loop="uvloop",
        ws="none",
        interface="asgi3",
        proxy_headers=False,
        log_config=None,
        access_log=settings.access_log,
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
