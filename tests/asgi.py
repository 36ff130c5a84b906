"""A client of an ASGI app without a socket between: every message is seen as it is sent, and taken when it shall be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from starlette.types import ASGIApp

from tidings.wire.sse import Decoder, ServerSentEvent

PATIENCE = 60.0
"""Seconds after which what does not come counts as never coming. Never a measure of speed."""


class Wire:
    """The connection that a server of ours gives a stream to write to, `full` while the client takes nothing."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.transport = self
        self.began = False

    def begin(self) -> Wire:
        self.began = True
        return self

    @property
    def full(self) -> bool:
        return not self.client.flowing.is_set()

    def write(self, body: bytes) -> None:
        if self.full or not self.began:
            self.client.faults.append("written to while it was full, or before it had begun")
        self.client.take_in(body)

    async def writable(self) -> None:
        await self.client.flow()

    def close(self) -> None:
        """What the stream asks of the transport."""
        self.client.leave()


class Client:
    """One request. `body` is all that was sent, `events` what a conforming parser makes of it.

    `pause()` makes `send` wait as it does when a client takes nothing; `leave()` is a client that is gone. `done`: the
    app has returned. `clean`: it has said that the body is at its end. `wired`: the server is one of ours.
    """

    wired = False

    def __init__(self, path: str, method: str = "GET", headers: Mapping[str, str | bytes] | None = None) -> None:
        target, _, query = path.partition("?")
        given = {"host": "localhost", **(headers or {})}
        self.scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": target,
            "raw_path": target.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": [(k.lower().encode(), v if isinstance(v, bytes) else v.encode()) for k, v in given.items()],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
        }
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""
        self.writes: list[bytes] = []
        self.events: list[ServerSentEvent] = []
        self.clean = False
        self.waiting = 0
        """How many sends wait because the client takes nothing."""
        self.faults: list[str] = []
        """What the app did that a server would not have borne."""
        self._decoder = Decoder()
        self._asked = False
        self.flowing = asyncio.Event()
        self.flowing.set()
        self._gone = asyncio.Event()
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        if self.wired:
            self.scope["extensions"] = {"tidings.connection": Wire(self)}

    def start(self, app: ASGIApp) -> None:
        self._task = asyncio.create_task(self._run(app))
        self._task.add_done_callback(lambda _: self._news.set())

    async def _run(self, app: ASGIApp) -> None:
        await app(self.scope, self._receive, self._send)

    async def _receive(self) -> dict[str, Any]:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if not self.flowing.is_set():
            await self.flow()
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {k.decode(): v.decode() for k, v in message["headers"]}
            self._news.set()
            return
        self.take_in(message["body"])
        self.clean = not message.get("more_body")
        if self.clean:
            self._gone.set()

    def take_in(self, body: bytes) -> None:
        """A part of the body has come."""
        if self.clean:
            self.faults.append("sent after the end")
        self.body += body
        self.writes.append(body)
        self.events += self._decoder.feed(body)
        self._news.set()

    async def flow(self) -> None:
        """Wait until the client takes something again."""
        self.waiting += 1
        if self.waiting > 1:
            self.faults.append("sent while another send waited")
        self._news.set()
        try:
            await self.flowing.wait()
        finally:
            self.waiting -= 1

    def pause(self) -> None:
        self.flowing.clear()

    def resume(self) -> None:
        self.flowing.set()

    def leave(self) -> None:
        self._gone.set()

    @property
    def done(self) -> bool:
        assert self._task is not None
        return self._task.done()

    @property
    def data(self) -> list[str]:
        """The data of its events."""
        return [event.data for event in self.events]

    @property
    def last_event_id(self) -> str:
        return self._decoder.last_event_id

    def json(self) -> Any:
        return msgspec.json.decode(self.body)

    async def until(self, reached: Callable[[], object]) -> None:
        """Wait for the client to have seen something. Raises TimeoutError, and whatever the app has raised."""
        async with asyncio.timeout(PATIENCE):
            while not reached():
                if self.done:
                    await self.end()
                    raise AssertionError(f"it ended with {self.status}, {self.body!r}")
                self._news.clear()
                await self._news.wait()

    async def take(self, count: int) -> list[ServerSentEvent]:
        """The first `count` events, once they are there."""
        await self.until(lambda: len(self.events) >= count)
        return self.events[:count]

    async def end(self) -> None:
        """Wait for the app to return. Raises what it has raised."""
        assert self._task is not None
        async with asyncio.timeout(PATIENCE):
            await asyncio.shield(self._task)

    async def close(self) -> None:
        """Go away, and see the app return."""
        self.leave()
        self.resume()
        await self.end()
        assert not self.faults, self.faults


@asynccontextmanager
async def asking(app: ASGIApp, path: str = "/", **options: Any) -> AsyncIterator[Client]:
    """A request that is made, and in the end left."""
    client = Client(path, **options)
    client.start(app)
    try:
        yield client
    finally:
        await client.close()
