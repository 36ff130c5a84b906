"""Tidings inside a FastAPI app: rooms, and answers that stream."""

import os

from fastapi import Body, FastAPI
from models import parrot

from tidings import EventStreamResponse, Hub

hub = Hub(os.environ["STORE"])
app = FastAPI(lifespan=hub.lifespan)


@app.get("/rooms/{room}/events")
async def follow(room: str) -> EventStreamResponse:
    return EventStreamResponse(hub, f"rooms.{room}")


@app.post("/rooms/{room}")
async def say(room: str, text: str = Body()) -> str:
    return str(await hub.publish(f"rooms.{room}", text))


@app.post("/rooms/{room}/close")
async def close(room: str) -> None:
    await hub.close_topic(f"rooms.{room}")


@app.post("/runs")
async def ask(question: str = Body()) -> str:
    return (await hub.runs.start(parrot, question)).id


@app.get("/runs/{run}/events")
async def answer(run: str) -> EventStreamResponse:
    return EventStreamResponse(hub, f"runs.{run}", start="earliest", dirty=True)


@app.get("/open")
async def count() -> int:
    return len(hub.subscriptions)
