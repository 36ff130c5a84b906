"""The app as it is served, over a store in memory, with an assistant that says what it is asked to say."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import ModuleType
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from tidings import Hub
from tidings.runs.assistant import Assistant
from tidings.server import app as app_module
from tidings.server.settings import Settings

WatchThreads = Callable[[ModuleType, str], list[bool]]


class Script:
    """A model that says the parts of the question, which `|` separates: `!fail` raises, `!wait` waits for `go`."""

    def __init__(self) -> None:
        self.calls = 0
        self.go = asyncio.Event()

    async def __call__(self, messages: Any) -> AsyncIterator[str]:
        self.calls += 1
        for part in messages[-1]["content"].split("|"):
            if part == "!fail":
                raise ValueError("a secret of the model's")
            if part == "!wait":
                await self.go.wait()
            else:
                yield part


class Server:
    """The app, opened, and what tests need of it. `client` asks it without a socket."""

    def __init__(self, app: FastAPI, script: Script, client: httpx.AsyncClient) -> None:
        self.app = app
        self.script = script
        self.client = client
        self.hub: Hub = app.state.hub

    async def published(self, topic: str, count: int = 3) -> list[str]:
        """The offsets of events 1 … count."""
        done = await self.hub.log.append(topic, [("message", str(n)) for n in range(1, count + 1)])
        return [f"{done.last.epoch}-{n}" for n in range(done.first.n, done.last.n + 1)]


def made(script: Script, settings: dict[str, Any]) -> FastAPI:
    """The app. It is made before there is a loop, as it looks for its files."""
    echo = Assistant(script, "Echo", "It says what it is told.", ["hello"])
    chosen = Settings(**{"store": "memory:", "grace": 0.0, "drain_window": 0.0, **settings})
    return app_module.create_app(chosen, assistants={"echo": echo})


@asynccontextmanager
async def serving(**settings: Any) -> AsyncIterator[Server]:
    """An app with these settings, open."""
    script = Script()
    app = await asyncio.to_thread(made, script, settings)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    client = httpx.AsyncClient(transport=transport, base_url="http://localhost")
    async with app.router.lifespan_context(app), client:
        yield Server(app, script, client)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[Server]:
    """Serve one app to all tests of a module, which use topics of their own."""
    async with serving() as made:
        yield made


@pytest.fixture
def topic(request: pytest.FixtureRequest) -> str:
    """A topic of the test's own."""
    return "t." + "".join(c if c.isalnum() else "-" for c in request.node.name)[:150] + f"-{id(request.node):x}"


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> WatchThreads:
    """Return a function that watches a module's function, and returns for each call if it was in another thread."""

    def watch(module: ModuleType, name: str) -> list[bool]:
        original, here, calls = getattr(module, name), threading.current_thread(), list[bool]()

        def watched(*args: Any) -> Any:
            calls.append(threading.current_thread() is not here)
            return original(*args)

        monkeypatch.setattr(module, name, watched)
        return calls

    return watch
