"""Tests of what the hub does to servers that are not ours. tests/mounted has the servers themselves."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Iterator
from types import FrameType
from typing import Any

import pytest

from tests.asgi import Transport
from tidings import Hub
from tidings.delivery import foreign_servers
from tidings.delivery.foreign_servers import (
    LINGER,
    NEVER_SENT,
    abort_if_it_lingers,
    chain_signals,
    close_connection,
    hush_unfinished,
)
from tidings.testing import Clock


class Socket(Transport):
    """A transport whose reader takes nothing, so that it stays open while it is closing."""

    def __init__(self) -> None:
        self.written = b""
        self.closing = self.aborted = False

    def close(self) -> None:
        self.closing = True

    def is_closing(self) -> bool:
        return self.closing

    def abort(self) -> None:
        self.aborted = True


class ServerState:
    """The part of uvicorn's state in which its connections are found."""

    def __init__(self) -> None:
        self.connections: set[Any] = set()


class ForeignConnection:
    """A connection of uvicorn's, serving the request of a scope."""

    def __init__(self, scope: dict[str, Any]) -> None:
        self.scope, self.transport = scope, Socket()


class ForeignServer:
    """A server that is found as uvicorn is: by its signal handler, a bound method."""

    def __init__(self) -> None:
        self.server_state = ServerState()
        self.should_exit = False
        self.told: list[int] = []

    def handle_exit(self, number: int, frame: FrameType | None) -> None:
        self.told.append(number)

    def serve(self, scope: dict[str, Any]) -> Socket:
        """Have a connection for this request, and return its transport."""
        connection = ForeignConnection(scope)
        self.server_state.connections.add(connection)
        return connection.transport


@pytest.fixture
async def hub() -> AsyncIterator[Hub]:
    async with Hub("memory:", drain_window=0.0) as made:
        yield made


@pytest.fixture
def server() -> Iterator[ForeignServer]:
    """A server whose handlers are installed, and replaced by the old ones in the end."""
    made = ForeignServer()
    numbers = signal.SIGTERM, signal.SIGINT
    before = [signal.signal(number, made.handle_exit) for number in numbers]
    yield made
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


def request(version: str = "1.1") -> dict[str, Any]:
    return {"type": "http", "http_version": version}


class TestSignals:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    async def test_a_signal_drains_the_hub_and_reaches_the_server(
        self, hub: Hub, server: ForeignServer, number: signal.Signals
    ) -> None:
        chain_signals(hub, request())
        signal.raise_signal(number)
        assert server.told == [number]
        await asyncio.sleep(0)
        assert hub.delivery.draining

    async def test_handlers_are_wrapped_once_for_all_streams(self, hub: Hub, server: ForeignServer) -> None:
        chain_signals(hub, request())
        handler = signal.getsignal(signal.SIGTERM)
        chain_signals(hub, request())
        assert signal.getsignal(signal.SIGTERM) is handler

    async def test_handlers_of_closed_hubs_are_dropped(self, server: ForeignServer) -> None:
        """A suite of tests opens thousands of hubs in a process, and Ctrl-C must still end it."""
        again = Hub("memory:")
        for hub in (again, again, Hub("memory:"), again):
            async with hub:
                chain_signals(hub, request())
        handler: Any = signal.getsignal(signal.SIGTERM)
        assert handler.previous == server.handle_exit
        signal.raise_signal(signal.SIGTERM)
        assert server.told == [signal.SIGTERM]

    def test_a_signal_after_the_end_of_the_loop_reaches_the_server(self, server: ForeignServer) -> None:
        async def serve() -> None:
            async with Hub("memory:") as hub:
                chain_signals(hub, request())

        asyncio.run(serve())
        signal.raise_signal(signal.SIGTERM)
        assert server.told == [signal.SIGTERM]

    async def test_a_server_in_another_thread_has_no_handlers(self, server: ForeignServer) -> None:
        handler = signal.getsignal(signal.SIGTERM)

        async def serve() -> None:
            async with Hub("memory:") as hub:
                chain_signals(hub, request())

        await asyncio.to_thread(asyncio.run, serve())
        assert signal.getsignal(signal.SIGTERM) == handler

    async def test_a_signal_before_the_first_stream_drains_at_once(self, hub: Hub, server: ForeignServer) -> None:
        server.should_exit = True
        chain_signals(hub, request())
        assert hub.delivery.draining

    async def test_our_own_server_keeps_its_handlers(self, hub: Hub, server: ForeignServer) -> None:
        handler = signal.getsignal(signal.SIGTERM)
        chain_signals(hub, {**request(), "extensions": {"tidings.connection": object()}})
        assert signal.getsignal(signal.SIGTERM) == handler

    async def test_a_closed_hub_changes_nothing(self, server: ForeignServer) -> None:
        handler = signal.getsignal(signal.SIGTERM)
        chain_signals(Hub("memory:"), request())
        assert signal.getsignal(signal.SIGTERM) == handler


class TestClosing:
    @pytest.mark.parametrize(("version", "written"), [("1.1", NEVER_SENT), ("1.0", b"")])
    async def test_a_connection_is_closed_before_the_end_of_its_body(
        self, hub: Hub, server: ForeignServer, version: str, written: bytes
    ) -> None:
        """A body of HTTP/1.0 has no chunks."""
        chain_signals(hub, request())
        scope = request(version)
        transport, other = server.serve(scope), server.serve(request(version))
        assert close_connection(scope)
        assert (transport.written, transport.closing) == (written, True)
        assert (other.written, other.closing) == (b"", False)

    async def test_a_closing_connection_is_not_written_to(self, hub: Hub, server: ForeignServer) -> None:
        chain_signals(hub, request())
        scope = request()
        transport = server.serve(scope)
        transport.close()
        assert close_connection(scope)
        assert transport.written == b""

    async def test_a_server_that_gives_no_access_is_told_apart(self, hub: Hub) -> None:
        assert not close_connection(request())
        abort_if_it_lingers(request())

    @pytest.mark.parametrize("close", [close_connection, abort_if_it_lingers])
    async def test_a_reader_that_takes_nothing_is_aborted(
        self, hub: Hub, server: ForeignServer, close: Any, tidings_clock: Clock
    ) -> None:
        chain_signals(hub, request())
        scope = request()
        transport = server.serve(scope)
        close(scope)
        transport.close()
        await tidings_clock.advance(LINGER / 2)
        assert not transport.aborted
        await tidings_clock.advance(LINGER)
        assert transport.aborted

    async def test_a_connection_that_goes_on_is_not_aborted(
        self, hub: Hub, server: ForeignServer, tidings_clock: Clock
    ) -> None:
        chain_signals(hub, request())
        scope = request()
        transport = server.serve(scope)
        abort_if_it_lingers(scope)
        await tidings_clock.advance(2 * LINGER)
        assert not transport.aborted


def test_only_the_line_about_unfinished_responses_is_hushed(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("uvicorn.error")
    try:
        hush_unfinished()
        hush_unfinished()
        logger.error("ASGI callable returned without completing response.")
        logger.error("Something else")
        assert [record.getMessage() for record in caplog.records] == ["Something else"]
    finally:
        logger.removeFilter(foreign_servers._hush)
