"""A request to an ASGI app without a socket: the server's part, as uvicorn plays it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, MutableMapping
from typing import Any, Protocol, cast

from tidings.wire.sse import Decoder, ServerSentEvent

from .producer import Work

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Any, Receive, Send], Awaitable[None]]


class Reader(Protocol):
    """The object that a connection reports to."""

    def received(self, events: list[ServerSentEvent]) -> None:
        """Take new events, if there are any, and notice that the connection has changed."""


class Connection:
    """A request to an app, and the response: `status`, `headers` (names in lower case), `body`, and its single
    `writes`.

    `clean`: None while the response is open, then True if the app has ended the body, False if the connection was cut.
    `waiting`: the number of sends that wait because the reader takes nothing. `error`: the exception that the app has
    raised. `fault`: the same, unless the client had gone before or the connection is `excused`.
    """

    def __init__(self, reader: Reader, scope: Mapping[str, Any], body: bytes = b"", last_event_id: str = "") -> None:
        self.scope: dict[str, Any] = dict(scope)
        self.status: int = 0
        self.headers: dict[str, str] = {}
        self.writes: list[bytes] = []
        self.clean: bool | None = None
        self.waiting: int = 0
        self.error: BaseException | None = None
        self.fault: BaseException | None = None
        self.excused = False
        self.decoder: Decoder = Decoder()
        self.decoder.last_event_id = last_event_id
        self.left: bool = False
        self.work: Work
        self._reader = reader
        self._request: bytes | None = body
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._over = asyncio.Event()

    def open(self, app: ASGIApp) -> None:
        """Send the request to the app."""
        answer = cast("Coroutine[Any, Any, None]", app(self.scope, self._receive, self.send))
        self.work = Work(answer, f"{self.scope['method']} {self.scope['path']}")
        self.work.task.add_done_callback(self._returned)

    @property
    def body(self) -> bytes:
        """The bytes that the app has sent so far."""
        return b"".join(self.writes)

    @property
    def done(self) -> bool:
        """True when the app has returned."""
        return self.work.task.done()

    def freeze(self) -> None:
        """Take nothing more, so that the app's sends wait."""
        self._flowing.clear()

    def thaw(self) -> None:
        """Take what waits, and everything that comes."""
        self._flowing.set()

    @property
    def frozen(self) -> bool:
        """True while the reader takes nothing."""
        return not self._flowing.is_set()

    def leave(self) -> None:
        """Cut the connection. The app learns of it only by `receive`; what the app sends is lost in silence."""
        self.left = True
        if self.clean is None:
            self.clean = False
        self._over.set()
        self._flowing.set()
        self._reader.received([])

    def _returned(self, task: asyncio.Task[None]) -> None:
        self.error = None if task.cancelled() else task.exception()
        if not self.left and not self.excused:
            self.fault = self.error
        if self.clean is None:
            self.clean = False
        self._over.set()
        self._reader.received([])

    async def _receive(self) -> Message:
        if self._request is not None:
            body, self._request = self._request, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self._over.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Take a message of the app's response."""
        if self.frozen:
            await self.flow()
        if self.left:
            return
        if message["type"] == "http.response.start" and not self.status:
            self.status = message["status"]
            self.headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in message.get("headers", ())}
            self._reader.received([])
        elif message["type"] == "http.response.body" and self.status and self.clean is None:
            self.take_in(bytes(message.get("body", b"")), last=not message.get("more_body", False))
        else:
            raise RuntimeError(f"A server does not accept {message['type']} at this point of a response.")

    def take_in(self, body: bytes, *, last: bool = False) -> None:
        """Take a part of the body."""
        if last:
            self.clean = True
            self._over.set()
        if self.scope["method"] == "HEAD":
            body = b""
        if body:
            self.writes.append(body)
        self._reader.received(self.decoder.feed(body))

    async def flow(self) -> None:
        """Wait until the reader takes something again."""
        self.waiting += 1
        self._reader.received([])
        try:
            await self._flowing.wait()
        finally:
            self.waiting -= 1


class Lifespan:
    """An app's start before its first request and its end after the last. Apps without a lifespan are left alone.

    `state`: the values that the app keeps for its requests.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.state: dict[str, Any] = {}
        self._app = app
        self._asked: asyncio.Queue[Message] = asyncio.Queue()
        self._said: asyncio.Queue[Message] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Raises RuntimeError when the app cannot start."""
        self._task = asyncio.create_task(self._run(), name="lifespan")
        said = await self._ask("startup")
        if said["type"] == "lifespan.startup.failed":
            raise RuntimeError(f"The app did not start: {said.get('message', '')}")

    async def stop(self) -> None:
        """Raises RuntimeError when the app fails to end."""
        if self._task is not None and not self._task.done():
            said = await self._ask("shutdown")
            if said["type"] == "lifespan.shutdown.failed":
                raise RuntimeError(f"The app did not end: {said.get('message', '')}")
            await asyncio.wait({self._task})

    async def _ask(self, what: str) -> Message:
        self._asked.put_nowait({"type": f"lifespan.{what}"})
        return await self._said.get()

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self.state}
        try:
            await self._app(scope, self._asked.get, self._say)
        except Exception:
            pass  # By the specification of ASGI, an app without a lifespan raises.
        finally:
            self._said.put_nowait({"type": "lifespan.none"})

    async def _say(self, message: Message) -> None:
        if not message["type"].startswith("lifespan."):
            raise RuntimeError(f"{message['type']} is not a message of a lifespan.")
        self._said.put_nowait(message)
