"""A dashboard of this machine's load, on plain Starlette: one publisher, any number of viewers, an hour of history.

uvicorn --app-dir examples starlette_dashboard:app
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from tidings import EventStreamResponse, Hub, Retention

EVERY = float(os.environ.get("EVERY", "1"))
PAGE = """<!doctype html><title>Load</title><canvas width=720 height=200></canvas><script>
const seen = [], draw = document.querySelector("canvas").getContext("2d");
new EventSource("/load").onmessage = (event) => {
  seen.push(JSON.parse(event.data).load);
  const top = Math.max(...seen.slice(-720), 1);
  draw.clearRect(0, 0, 720, 200);
  seen.slice(-720).forEach((load, x) => draw.fillRect(x, 200 - (200 * load) / top, 1, (200 * load) / top));
};
</script>"""

hub = Hub(os.environ.get("STORE", "sqlite:///dashboard.db"))


async def measure() -> None:
    while True:
        await hub.publish("machine.load", {"load": os.getloadavg()[0]})
        await asyncio.sleep(EVERY)


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    async with hub:
        await hub.configure("machine.load", retention=Retention(max_age=3600))
        measuring = asyncio.create_task(measure())
        yield
        measuring.cancel()


async def page(request: Request) -> HTMLResponse:
    return HTMLResponse(PAGE)


async def load(request: Request) -> EventStreamResponse:
    return EventStreamResponse(hub, "machine.load", after="earliest")


app = Starlette(routes=[Route("/", page), Route("/load", load)], lifespan=lifespan)
