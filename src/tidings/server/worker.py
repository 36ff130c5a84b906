"""A worker: one of the processes that serve a server's listening socket. `workers.py` is its parent.

Run as `python -m tidings.server.worker LISTENING CHANNEL NUMBER OPTIONS`: two file descriptors, the number of the
worker, and the options of the command line as JSON.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
from functools import partial
from types import FrameType

import msgspec
import uvicorn

from tidings.errors import TidingsError
from tidings.http.metrics import Siblings

from .app import App
from .channel import LINE, FromWorker, ToWorker, receive, send
from .settings import Settings
from .uvicorn_server import Server, serve_on

log: logging.Logger = logging.getLogger("tidings.server")

BEAT = 1.0
"""Seconds between two signs of life, and between two reports of the worker's metrics."""

HASTE = 0.1
"""The same, while the worker's streams are handed over and the next worker waits for that."""

PACE = 435
"""Streams that are handed over in a second. Their clients come back after 1 to 4 s each, at random: about as many new
connections a second, at no time more than 500."""

LAST_REQUESTS = 0.5
"""Seconds between the last accepted connection and the end of connections that wait for a request: a client that was
accepted just now has its request answered, and a client that keeps its connection is told meanwhile to make another."""

NOT_KEPT = (b"connection", b"close")
"""The header of an answer after which the connection takes no further request."""


class WorkerServer(Server):
    """A server that obeys its parent. Signals that reach the whole group of processes are the parent's business."""

    should_exit: bool

    def __init__(
        self, config: uvicorn.Config, app: App, settings: Settings, channel: socket.socket, siblings: Siblings
    ) -> None:
        super().__init__(config, app.hub)
        self.settings = settings
        self._runs = app.hub.runs
        self._metrics = app.metrics
        self._channel = channel
        self._siblings = siblings
        self._leaving = False
        self._closed: float | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # Ctrl-C and systemd's SIGTERM reach every process, so the parent's order is a second one and means no hurry.
        if sig == signal.SIGTERM:
            self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        reader, self._writer = await asyncio.open_connection(sock=self._channel, limit=LINE)
        self._tasks: list[asyncio.Task[None]] = [
            asyncio.create_task(work) for work in (self._beat(), self._report(), self._obey(reader))
        ]
        await super().startup(sockets)

    def announce(self, sockets: list[socket.socket]) -> None:
        send(self._writer, FromWorker(serving=True))

    async def _beat(self) -> None:
        left = False
        while True:
            send(self._writer, FromWorker(left=left))
            await asyncio.sleep(HASTE if self._leaving and not left else BEAT)
            left = self._leaving and not (self.hub.state == "open" or self._streams())

    async def _report(self) -> None:
        """Send the metrics. They are gathered in a thread, which may have to wait for the work of others."""
        while True:
            send(self._writer, FromWorker(figures=await self._metrics.figures()))
            await asyncio.sleep(BEAT)

    def _streams(self) -> int:
        return len(self.hub.delivery.streams) if self.hub.state != "closed" else 0

    async def _obey(self, reader: asyncio.StreamReader) -> None:
        async for message in receive(reader, ToWorker):
            if message.others is not None:
                self._siblings.others = message.others
            if message.do == "close":
                self._close()
            elif message.do == "leave":
                await self._leave()
            elif message.do == "drain":
                self._drain()
            elif message.do == "hurry":
                self._hurry()
        log.warning("The parent is gone, so this worker ends.")
        self._drain()

    def _close(self) -> None:
        """Accept no more connections. Each that is open is served as before, and told to close with its next answer.

        A request that arrives while its connection is being closed has no answer, and its client cannot tell whether
        it was obeyed.
        """
        if not self.started or self._closed is not None:
            return
        self._closed = self.loop.time()
        for server in self.servers:
            server.close()
        self.config.encoded_headers.append(NOT_KEPT)  # uvicorn makes its default headers anew each second
        self.server_state.default_headers = [*self.server_state.default_headers, NOT_KEPT]

    async def _leave(self) -> None:
        """Hand over the streams, one by one, then stay until the runs have ended, at most `reload_grace`."""
        if not self.started or self.should_exit:
            self.should_exit = True
            return
        self._leaving = True
        self._close()
        assert self._closed is not None
        await asyncio.sleep(self._closed + LAST_REQUESTS - self.loop.time())
        if self.hub.state != "open":
            return
        settings, window = self.settings, max(self.settings.drain_window, self._streams() / PACE)
        log.info("%d open streams are handed over within %.0f s.", self._streams(), window)
        self.hub.delivery.drain_window = window
        self._runs.grace = settings.reload_grace
        self.config.timeout_graceful_shutdown = int(max(window + 2.5, settings.reload_grace))
        self.should_exit = True

    def _drain(self) -> None:
        """End, as at SIGTERM. The runs of a worker that leaves already get the grace of a server that ends."""
        self.should_exit = True
        if self._leaving:
            self.loop.call_later(max(self.settings.grace, self.settings.drain_window), self._hurry)

    def _hurry(self) -> None:
        self.should_exit = True
        self.hub.drain(hurry=True)


def main(arguments: list[str]) -> None:
    """Serve until the parent orders the end, or has gone.

    The exit status is 0; 1 or 2 if the server cannot start, as the command line has it, or 74 if the store is lost.
    """
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    listening, channel = (socket.socket(fileno=int(number)) for number in arguments[:2])
    siblings = Siblings(int(arguments[2]))
    try:
        settings = Settings.load(**msgspec.json.decode(arguments[3]))
        make = partial(WorkerServer, settings=settings, channel=channel, siblings=siblings)
        serve_on(listening, settings, make, siblings)
    except TidingsError as error:
        print(f"tidings: {error}", file=sys.stderr, flush=True)
        sys.exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
