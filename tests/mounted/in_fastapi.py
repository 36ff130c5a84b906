"""Tidings inside a FastAPI app: topics to follow, and answers that stream."""

import os
from typing import Annotated

from fastapi import Body, FastAPI, Request
from models import parrot

from tidings import EventStreamResponse, Hub

hub = Hub(os.environ["STORE"])
app = FastAPI(lifespan=hub.lifespan)


@app.get("/events")
async def follow(topic: str) -> EventStreamResponse:
    return EventStreamResponse(hub, topic)


@app.post("/topics/{topic}/events")
async def publish(topic: str, request: Request) -> str:
    return str(await hub.publish(topic, (await request.body()).decode()))


@app.post("/topics/{topic}/close")
async def close(topic: str) -> None:
    await hub.close_topic(topic)


@app.post("/runs")
async def ask(input: Annotated[str, Body(embed=True)]) -> dict[str, str]:
    return {"run": (await hub.runs.start(parrot, input)).id}


@app.get("/runs/{run}/events")
async def answer(run: str) -> EventStreamResponse:
    return hub.runs.response(run)


@app.get("/open")
async def count() -> int:
    return len(hub.delivery.streams)
