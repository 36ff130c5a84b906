"""Leaving quietly: what makes open streams end when the process is asked to go, on servers that are not ours.

uvicorn runs the lifespan's shutdown only after every stream has ended, so it is too late there: plain uvicorn with an
open stream never exits (measured). The signal itself is the only early word, so the handler that the server has
installed is wrapped: the hub drains, then the server does what it would have done.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from types import FrameType
from typing import Any
from weakref import WeakSet

from .hub import Hub

LINGER = 1.0
"""Seconds that a closed connection has to send what was written. After that its reader takes nothing, and would keep
the process from going: uvicorn waits for such a connection without end."""

_chained: WeakSet[Hub] = WeakSet()
_servers: WeakSet[Any] = WeakSet()
"""The uvicorn servers of this process whose handlers were wrapped. They know their connections."""


def chain_signals(hub: Hub, scope: Any) -> None:
    """Have SIGTERM and SIGINT drain this hub first. Once a hub; nothing off the main thread or on our own server.

    Called at the first stream rather than in the lifespan, because Starlette does not run the lifespan of mounted
    apps, and by then the server's own handlers are in place.
    """
    if hub in _chained or not hub.opened:
        return
    _chained.add(hub)
    if "tidings.connection" in (scope.get("extensions") or {}):
        return
    if threading.current_thread() is not threading.main_thread():
        return
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        previous = signal.getsignal(number)
        if not callable(previous):
            continue
        server: Any = getattr(previous, "__self__", None)
        if hasattr(server, "server_state"):
            _servers.add(server)
            if server.should_exit:
                # The signal was here before the first stream: uvicorn takes connections for 0.1 s more.
                hub.drain()

        def handle(received: int, frame: FrameType | None, previous: Any = previous) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(hub.drain)
            previous(received, frame)

        signal.signal(number, handle)


def close_connection(scope: Any) -> bool:
    """Close the connection of this request without its body's end. False: its server does not let us."""
    transport = _transport(scope)
    if transport is None:
        return False
    transport.close()
    _abort_later(transport)
    return True


def abort_if_it_lingers(scope: Any) -> None:
    """The response of this request has ended, and the server closes its connection: see that it really goes."""
    transport = _transport(scope)
    if transport is not None:
        _abort_later(transport)


def _transport(scope: Any) -> Any:
    connection = (scope.get("extensions") or {}).get("tidings.connection")
    for server in () if connection else _servers:
        connection = next((c for c in server.server_state.connections if getattr(c, "scope", None) is scope), None)
    return getattr(connection, "transport", None)


def _abort_later(transport: Any) -> None:
    loop = asyncio.get_running_loop()
    loop.call_later(LINGER, lambda: transport.is_closing() and transport.abort())


class _Hush(logging.Filter):
    """uvicorn writes one ERROR line for each response that ends without its final chunk. Here that is on purpose."""

    def filter(self, record: logging.LogRecord) -> bool:
        return "returned without completing response" not in record.getMessage()


_hush = _Hush()


def hush_unfinished() -> None:
    """Silence that one line of uvicorn's from now on, where its connection cannot be closed."""
    logger = logging.getLogger("uvicorn.error")
    if _hush not in logger.filters:
        logger.addFilter(_hush)
