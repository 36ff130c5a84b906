"""Servers other than Tidings' own: draining the hub when the process is told to exit, and closing one connection.

uvicorn runs the lifespan's shutdown only after every stream has ended, which is too late: plain uvicorn with an open
stream never exits (measured). Nothing but the signal comes earlier, so the handler that the server has installed is
wrapped: the hub drains, then the server does what it would have done.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from types import FrameType
from typing import Any
from weakref import WeakSet

from .delivery import Delivery
from .hub import Hub

LINGER = 1.0
"""Seconds that a closed connection has to send what was written. A reader that takes nothing would otherwise keep the
process from exiting: uvicorn waits for such a connection without end."""

_chained: WeakSet[Delivery] = WeakSet()
_servers: WeakSet[Any] = WeakSet()
"""The uvicorn servers of this process whose handlers were wrapped. Each has a set of its connections."""


class _Drain:
    """A signal handler that drains a hub, then does what the handler before it would have done."""

    def __init__(self, hub: Hub, previous: Any) -> None:
        self.previous = previous
        self._hub, self._delivery = hub, hub.delivery
        self._loop = asyncio.get_running_loop()

    @property
    def over(self) -> bool:
        """True once the hub is closed, even if it was opened again since."""
        return self._loop.is_closed() or self._hub.state == "closed" or self._hub._delivery is not self._delivery

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._hub.drain)
        self.previous(number, frame)


def chain_signals(hub: Hub, scope: Any) -> None:
    """Let SIGTERM and SIGINT drain this hub first. Does so once each time that the hub is open.

    Called at the first stream rather than in the lifespan, because Starlette does not run the lifespan of mounted
    apps, and by then the server's own handlers are in place.
    """
    if "tidings.connection" in (scope.get("extensions") or {}):
        return  # Tidings' own server drains the hub itself
    if hub.state == "closed" or hub.delivery in _chained:
        return
    _chained.add(hub.delivery)
    if threading.current_thread() is not threading.main_thread():
        return
    for number in (signal.SIGTERM, signal.SIGINT):
        previous = signal.getsignal(number)
        while isinstance(previous, _Drain) and previous.over:
            # Otherwise a suite of tests adds a handler with each hub, and after 1,000 of them Ctrl-C ends in a
            # RecursionError.
            previous = previous.previous
        if not callable(previous):
            continue
        server: Any = getattr(previous, "__self__", None)
        if hasattr(server, "server_state"):
            _servers.add(server)
            if server.should_exit:
                # The signal came before the first stream: uvicorn takes connections for another 0.1 s.
                hub.drain()
        signal.signal(number, _Drain(hub, previous))


NEVER_SENT = b"1\r\n"
"""The size line of a chunk that never comes. WebKit takes a body that stops between two chunks for a complete one."""


def close_connection(scope: Any, *, chunked: bool = True) -> bool:
    """Close the connection of this request before the end of its body. False: its server gives no access to it.

    `chunked`: the body has no Content-Length.
    """
    transport = _transport(scope)
    if transport is None:
        return False
    if chunked and scope.get("http_version") == "1.1" and not transport.is_closing():
        transport.write(NEVER_SENT)
    transport.close()
    _abort_later(transport)
    return True


def abort_if_it_lingers(scope: Any) -> None:
    """Abort the connection of this ended response, if its reader does not let the server close it."""
    transport = _transport(scope)
    if transport is not None:
        _abort_later(transport)


def _transport(scope: Any) -> Any:
    connection = (scope.get("extensions") or {}).get("tidings.connection")
    for server in () if connection else _servers:
        connection = next((c for c in server.server_state.connections if getattr(c, "scope", None) is scope), None)
        if connection is not None:
            break
    return getattr(connection, "transport", None)


def _abort_later(transport: Any) -> None:
    loop = asyncio.get_running_loop()
    loop.call_later(LINGER, lambda: transport.is_closing() and transport.abort())


class _Hush(logging.Filter):
    """Drops the ERROR line that uvicorn writes for each response without a final chunk, which here is on purpose."""

    def filter(self, record: logging.LogRecord) -> bool:
        return "returned without completing response" not in record.getMessage()


_hush = _Hush()


def hush_unfinished() -> None:
    """Drop that line of uvicorn's log from now on. Needed where its connection cannot be closed."""
    logger = logging.getLogger("uvicorn.error")
    if _hush not in logger.filters:
        logger.addFilter(_hush)
