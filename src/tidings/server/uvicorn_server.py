"""The server: uvicorn, with a drain after which the process always exits."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from functools import partial
from types import FrameType

import uvicorn

from tidings import web
from tidings.delivery.hub import Hub
from tidings.errors import InvalidRequest, Unavailable
from tidings.http.metrics import Siblings

from . import logs
from .app import App, create_app
from .listening import greeting, listen, raise_file_limit
from .protocol import Bounds, protocol
from .proxies import TrustedProxies
from .settings import Settings

log: logging.Logger = logging.getLogger("tidings.server")

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
            self.announce(sockets)
            self.watching: asyncio.Task[None] = asyncio.create_task(self._leave_when_lost())

    def announce(self, sockets: list[socket.socket]) -> None:
        """Say that connections are accepted."""
        print(greeting(*sockets[0].getsockname()[:2]), flush=True)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        log.info("Stopped: every stream has ended, and every acknowledged event is stored.")

    async def _leave_when_lost(self) -> None:
        """End the process once the store is gone for good, in bounded time even if a task hangs."""
        self.lost = await self.hub.delivery.lost()
        last = threading.Timer(LAST, os._exit, (os.EX_IOERR,))
        last.daemon = True
        last.start()
        self.should_exit = True


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; return when every acknowledged event is stored and every stream has ended.

    Takes `drain_window` plus about 3 s to end. Raises InvalidRequest or Unavailable if the server cannot start. Ends
    the process with status 2 for a wrong setting, and with 74 if the store is gone for good.
    """
    serve_on(listen(settings.host, settings.port), settings, lambda config, app: Server(config, app.hub))


def serve_on(
    listening: socket.socket,
    settings: Settings,
    make: Callable[[uvicorn.Config, App], Server],
    siblings: Siblings | None = None,
) -> None:
    """Serve a listening socket as `run` does, by the server that `make` returns.

    `siblings`: the workers of a server, if this process is one of several.
    """
    raise_file_limit()
    # A thread that waits for the interpreter beside a 1,000-wide fan-out waits this long: 5 ms, Python's default,
    # took 16 publishers from 1.85 s to 3.2 s. It is the process's, so only the server sets it.
    sys.setswitchinterval(0.001)
    # 5,000 connections are 500,000 objects that live long: full collections over them are not worth their pauses.
    gc.set_threshold(20_000, 20, 100)
    logs.configure(settings, siblings.number if siblings else 0)
    try:
        app = create_app(settings, siblings=siblings)
    except InvalidRequest as error:
        listening.close()
        print(f"tidings: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    if not web.bundled:
        log.info("The page is served from its sources, in 140 requests: no bundle of them was made by scripts/bundle.")
    config = uvicorn.Config(
        TrustedProxies(app, settings.trusted_proxies),
        http=protocol(app.hub, Bounds(settings.request_timeout, max(settings.max_batch, 2 * settings.max_file))),
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
    server = make(config, app)
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(serve(server, listening, app))
    if server.lost:
        print(f"tidings: {server.lost} Restart the server.", file=sys.stderr)
        raise SystemExit(os.EX_IOERR)


async def serve(server: Server, listening: socket.socket, app: App) -> None:
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
