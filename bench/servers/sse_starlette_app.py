"""sse-starlette, as its documentation shows it, with a queue for each subscriber."""

from __future__ import annotations

from collections.abc import AsyncIterator

from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from bench.servers.broadcast import Broadcast, serve

broadcast = Broadcast(lambda number, text: ServerSentEvent(text, id=f"e-{number}"))


async def events(request: Request) -> EventSourceResponse:
    topic = request.query_params["topic"]
    queue = broadcast.join(topic)

    async def stream() -> AsyncIterator[ServerSentEvent]:
        try:
            while True:
                yield await queue.get()
        finally:
            broadcast.leave(topic, queue)

    return EventSourceResponse(stream())


async def publish(request: Request) -> JSONResponse:
    body = await request.body()
    number = broadcast.publish(request.path_params["topic"], body, request.headers["content-type"])
    return JSONResponse({"offset": f"e-{number}"}, status_code=201)


async def health(request: Request) -> PlainTextResponse:
    return PlainTextResponse("ok")


app = Starlette(
    routes=[
        Route("/events", events),
        Route("/topics/{topic}/events", publish, methods=["POST"]),
        Route("/health", health),
    ]
)

if __name__ == "__main__":
    serve(app)
