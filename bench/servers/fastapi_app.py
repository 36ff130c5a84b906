"""FastAPI's own event streams (`fastapi.sse`), as its documentation shows them, with a queue for each subscriber."""

from __future__ import annotations

from collections.abc import AsyncIterable

from fastapi import FastAPI, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from bench.servers.broadcast import Broadcast, serve

app = FastAPI()
broadcast = Broadcast(lambda number, text: ServerSentEvent(raw_data=text, id=f"e-{number}"))


@app.get("/events", response_class=EventSourceResponse)
async def events(topic: str) -> AsyncIterable[ServerSentEvent]:
    queue = broadcast.join(topic)
    try:
        while True:
            yield await queue.get()
    finally:
        broadcast.leave(topic, queue)


@app.post("/topics/{topic}/events", status_code=201)
async def publish(topic: str, request: Request) -> dict[str, str]:
    number = broadcast.publish(topic, await request.body(), request.headers["content-type"])
    return {"offset": f"e-{number}"}


@app.get("/health")
async def health() -> str:
    return "ok"


if __name__ == "__main__":
    serve(app)
