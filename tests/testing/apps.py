"""The same three apps three ways: with FastAPI's own events, with sse-starlette, and as a plain streaming response.

`/count` gives `one`, `two`, `three` with the ids 1, 2, 3, goes on after a `Last-Event-ID` and ends. `/wait` gives `one`
and 30 seconds later `two`; `/queue` the same, made by a task of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.sse import EventSourceResponse as FastAPIEvents
from fastapi.sse import ServerSentEvent as FastAPIEvent
from sse_starlette import EventSourceResponse as SSEStarletteEvents
from starlette.applications import Starlette
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

WORDS = ["one", "two", "three"]

Events = AsyncIterator[tuple[str, str]]
"""Data and id of each."""


async def count(request: Request) -> Events:
    for n in range(int(request.headers.get("last-event-id") or 0), 3):
        yield WORDS[n], str(n + 1)


async def wait(request: Request) -> Events:
    yield "one", "1"
    await asyncio.sleep(30)
    yield "two", "2"


async def queue(request: Request) -> Events:
    """Its reader never looks whether the one who makes the events still lives."""
    made: asyncio.Queue[tuple[str, str]] = asyncio.Queue()

    async def make() -> None:
        made.put_nowait(("one", "1"))
        await asyncio.sleep(30)
        made.put_nowait(("two", "2"))

    task = asyncio.create_task(make())
    try:
        while True:
            yield await made.get()
    finally:
        task.cancel()


ENDPOINTS = {"/count": count, "/wait": wait, "/queue": queue}


def with_fastapi() -> Any:
    app = FastAPI()

    def add(path: str, events: Callable[[Request], Events]) -> None:
        @app.get(path, response_class=FastAPIEvents)
        async def endpoint(request: Request) -> AsyncIterator[FastAPIEvent]:
            async for data, id in events(request):
                yield FastAPIEvent(raw_data=data, id=id)

    for path, events in ENDPOINTS.items():
        add(path, events)
    return app


def starlette(respond: Callable[[Events], Response]) -> Any:
    def endpoint(
        events: Callable[[Request], Events],
    ) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            return respond(events(request))

        return answer

    return Starlette(routes=[Route(path, endpoint(events)) for path, events in ENDPOINTS.items()])


def with_sse_starlette() -> Any:
    async def events(given: Events) -> AsyncIterator[dict[str, str]]:
        async for data, id in given:
            yield {"data": data, "id": id}

    return starlette(lambda given: SSEStarletteEvents(events(given)))


def with_streaming_response() -> Any:
    async def body(given: Events) -> AsyncIterator[str]:
        async for data, id in given:
            yield f"data: {data}\nid: {id}\n\n"

    return starlette(lambda given: StreamingResponse(body(given), media_type="text/event-stream"))


APPS: dict[str, Callable[[], Any]] = {
    "fastapi.sse": with_fastapi,
    "sse-starlette": with_sse_starlette,
    "StreamingResponse": with_streaming_response,
}
