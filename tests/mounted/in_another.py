"""The whole of Tidings as an app inside an app, whose lifespan is Tidings' only if LIFESPAN says so."""

import os

from fastapi import FastAPI

from tidings import Hub
from tidings.server.app import create_app

hub = Hub(os.environ["STORE"])
app = FastAPI(lifespan=hub.lifespan if "LIFESPAN" in os.environ else None)
app.mount("/tidings", create_app(hub=hub))


@app.get("/open")
async def count() -> int:
    return len(hub.delivery.streams) if hub.state != "closed" else 0


@app.post("/from-a-thread")
def publish_from_a_thread(text: str, how: str) -> str:
    """Not `async`: FastAPI runs it in a thread."""
    import asyncio

    from anyio import from_thread

    if how == "anyio":
        return str(from_thread.run(hub.publish, "chat.a", text))
    if how == "asyncio":
        return str(asyncio.run_coroutine_threadsafe(hub.publish("chat.a", text), hub._delivery.loop).result())
    try:
        return str(asyncio.run(hub.publish("chat.a", text)))
    except RuntimeError as error:
        return str(error)
