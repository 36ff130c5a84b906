"""The service that the public contract suite drives: it follows streams with our event sources, and reports what comes.

`python -m tests.client.contract_service sync|async` serves on a free port of loopback, and prints that port as its
first line. The suite is the program of github.com/launchdarkly/sse-contract-tests; its docs/service_spec.md describes
the requests that are served here. `scripts/sse-contract DIR` runs the suite against both kinds.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tidings import AsyncEventSource, EventSource, ServerSentEvent, TidingsError

CAPABILITIES = ["bom", "comments", "headers", "last-event-id", "post", "read-timeout", "report", "restart"]
CAPABILITIES += ["server-directed-shutdown-request"]
"""All that the suite knows, but listeners for types, which are an API that Python's iterators do not have."""


def options(asked: dict[str, Any]) -> dict[str, Any]:
    """The parameters of an event source for a request of the suite."""
    found: dict[str, Any] = {"url": asked["streamUrl"], "headers": asked.get("headers")}
    names = {"method": "method", "body": "body", "lastEventId": "last_event_id"}
    found |= {ours: asked[theirs] for theirs, ours in names.items() if asked.get(theirs)}
    if asked.get("readTimeoutMs"):
        found["silence"] = asked["readTimeoutMs"] / 1000
    return found


def event_message(event: ServerSentEvent) -> dict[str, Any]:
    return {"kind": "event", "event": {"type": event.type, "data": event.data, "id": event.id}}


def comment_message(text: str) -> dict[str, Any]:
    return {"kind": "comment", "comment": text}


def error_message(error: TidingsError) -> dict[str, Any]:
    return {"kind": "error", "error": str(error)}


class SyncStream:
    """A stream of the suite, followed by `EventSource` in a thread."""

    def __init__(self, asked: dict[str, Any]) -> None:
        self._url, self._count, self._http = asked["callbackUrl"], count(1), httpx.Client()
        self.source = EventSource(
            **options(asked),
            on_comment=lambda text: self._report(comment_message(text)),
            on_error=lambda error: self._report(error_message(error)),
        )
        threading.Thread(target=self._follow, daemon=True).start()

    async def close(self) -> None:
        self.source.close()

    def _follow(self) -> None:
        try:
            for event in self.source:
                self._report(event_message(event))
        except TidingsError as error:
            self._report(error_message(error))

    def _report(self, message: dict[str, Any]) -> None:
        self._http.post(f"{self._url}/{next(self._count)}", json=message)


class AsyncStream:
    """A stream of the suite, followed by `AsyncEventSource` in a task, with another task that reports."""

    def __init__(self, asked: dict[str, Any]) -> None:
        self._url = asked["callbackUrl"]
        self._messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.source = AsyncEventSource(
            **options(asked),
            on_comment=lambda text: self._messages.put_nowait(comment_message(text)),
            on_error=lambda error: self._messages.put_nowait(error_message(error)),
        )
        self._tasks = [asyncio.create_task(self._follow()), asyncio.create_task(self._report())]

    async def close(self) -> None:
        await self.source.close()
        self._tasks[1].cancel()

    async def _follow(self) -> None:
        try:
            async for event in self.source:
                self._messages.put_nowait(event_message(event))
        except TidingsError as error:
            self._messages.put_nowait(error_message(error))

    async def _report(self) -> None:
        async with httpx.AsyncClient() as http:
            for number in count(1):
                await http.post(f"{self._url}/{number}", json=await self._messages.get())


def application(make: Callable[[dict[str, Any]], Any]) -> Starlette:
    """The service. `make` begins to follow a stream."""
    streams: dict[str, Any] = {}
    numbers = count(1)

    async def describe(request: Request) -> Response:
        return JSONResponse({"name": "tidings", "capabilities": CAPABILITIES})

    async def create(request: Request) -> Response:
        name = str(next(numbers))
        streams[name] = make(await request.json())
        return Response(status_code=201, headers={"location": f"/streams/{name}"})

    async def command(request: Request) -> Response:
        assert (await request.json())["command"] == "restart"
        streams[request.path_params["name"]].source.reconnect()
        return Response(status_code=202)

    async def close(request: Request) -> Response:
        await streams.pop(request.path_params["name"]).close()
        return Response(status_code=204)

    def route(path: str, method: str, endpoint: Callable[[Request], Awaitable[Response]]) -> Route:
        return Route(path, endpoint, methods=[method])

    streams_of = "/streams/{name}"
    return Starlette(
        routes=[
            route("/", "GET", describe),
            route("/", "POST", create),
            route(streams_of, "POST", command),
            route(streams_of, "DELETE", close),
        ]
    )


if __name__ == "__main__":
    listening = socket.create_server(("127.0.0.1", 0))
    print(listening.getsockname()[1], flush=True)
    app = application({"sync": SyncStream, "async": AsyncStream}[sys.argv[1]])
    uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(sockets=[listening])
