"""Both clients, a real server, and the proxy in between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.client.both import QuickServer, client_of, source_of
from tests.proxy import Proxy
from tidings.client import rules

Make = Callable[..., Any]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[QuickServer]:
    """A server of the module."""
    with QuickServer(f"sqlite:///{tmp_path_factory.mktemp('client')}/tidings.db") as server:
        yield server


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Callable[..., QuickServer]]:
    """Starts a server of the test's own."""
    with ExitStack() as stack:
        yield lambda **more: stack.enter_context(QuickServer(f"sqlite:///{tmp_path}/tidings.db", **more))


@pytest.fixture(scope="module")
def way(server: QuickServer) -> Iterator[Proxy]:
    """The proxy of the module."""
    with Proxy(server.port) as proxy:
        yield proxy


@pytest.fixture
def proxy(way: Proxy) -> Proxy:
    """The way to the module's server, which passes everything until it is told otherwise."""
    way.fresh()
    return way


@pytest.fixture(params=["sync", "async"])
def make(request: pytest.FixtureRequest) -> Iterator[Make]:
    """Makes clients of the one kind, then of the other: `client = make(url, token=…)`."""
    loop = asyncio.new_event_loop()
    with ExitStack() as stack:
        yield lambda url, **options: stack.enter_context(client_of(request.param, loop, url, **options))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


@pytest.fixture(params=["sync", "async"])
def source(request: pytest.FixtureRequest) -> Iterator[Make]:
    """Makes event sources of the one kind, then of the other, and closes them: `events = source(url, headers=…)`."""
    loop = asyncio.new_event_loop()
    with ExitStack() as stack:

        def make(url: str, **options: Any) -> Any:
            made = source_of(request.param, loop, url, **options)
            stack.callback(made.close)
            return made

        yield make
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pauses of the clients of this process are short."""
    monkeypatch.setattr(rules, "FIRST", 0.01)


@pytest.fixture
def client(make: Make, server: QuickServer) -> Any:
    """A client of the module's server."""
    return make(server.url)
