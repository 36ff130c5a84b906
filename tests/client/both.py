"""The two clients in one form, so that each test is written once: AsyncClient, driven from a test that waits."""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from tests.serving import PATIENCE, ServerProcess
from tidings import AsyncClient, AsyncEventSource, Client, EventSource
from tidings.client import AsyncRun, AsyncSubscription

QUICK = {"silence": 20.0, "patience": PATIENCE}


class QuickServer(ServerProcess):
    """A server whose clients come back at once."""

    def command(self) -> list[str]:
        script = str(Path(__file__).parent / "quick.py")
        return [sys.executable, script, *super().command()[3:]]


class Awaited:
    """AsyncClient, or what it gives, with every coroutine run to its end on a loop of its own."""

    def __init__(self, inner: Any, loop: asyncio.AbstractEventLoop) -> None:
        self.inner = inner
        self.loop = loop

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.inner, name)
        if name == "runs":
            return Awaited(found, self.loop)
        if not callable(found):
            return found
        return lambda *args, **named: self.take(found(*args, **named))

    def take(self, given: Any) -> Any:
        if inspect.iscoroutine(given):
            return self.take(self.run(given))
        if isinstance(given, AsyncRun):
            return Awaited(given, self.loop)
        return AwaitedSubscription(given, self.loop) if isinstance(given, AsyncSubscription) else given

    def run(self, coroutine: Any) -> Any:
        return self.loop.run_until_complete(asyncio.wait_for(coroutine, PATIENCE))

    def __enter__(self) -> Self:
        self.run(self.inner.__aenter__())
        return self

    def __exit__(self, *_: object) -> None:
        self.run(self.inner.__aexit__())


class AwaitedSubscription(Awaited):
    """The same of a subscription, as an iterator."""

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        try:
            return self.run(self.inner.__anext__())
        except StopAsyncIteration:
            raise StopIteration from None


def source_of(kind: str, loop: asyncio.AbstractEventLoop, url: str, **options: Any) -> Any:
    """An event source of this kind, which is to be entered or closed."""
    options = {"patience": PATIENCE, **options}
    if kind == "sync":
        return EventSource(url, **options)

    async def make() -> AsyncEventSource:
        return AsyncEventSource(url, **options)

    return AwaitedSubscription(loop.run_until_complete(make()), loop)


def client_of(kind: str, loop: asyncio.AbstractEventLoop, url: str, **options: Any) -> Any:
    """A client of this kind; to be entered."""
    options = {**QUICK, **options}
    if kind == "sync":
        return Client(url, **options)

    async def make() -> AsyncClient:
        return AsyncClient(url, **options)

    return Awaited(loop.run_until_complete(make()), loop)
