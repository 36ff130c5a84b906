"""Event streams that are not ours, as FastAPI and sse-starlette write them.

`/fastapi` and `/sse-starlette` give the numbers after `Last-Event-ID`, wait after every hundredth for ever, and answer
204 after the number 300. The type of each event is the body of the request.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.sse import EventSourceResponse as FastAPIEvents
from fastapi.sse import ServerSentEvent as FastAPIEvent
from sse_starlette import EventSourceResponse as SSEStarletteEvents

TOTAL, HOLD = 300, 100
app = FastAPI()


async def events_after(request: Request) -> AsyncIterator[tuple[str, str]]:
    """The type and the text of each event."""
    last, type = int(request.headers.get("last-event-id", 0)), (await request.body()).decode()
    if last == TOTAL:
        raise HTTPException(204)

    async def events() -> AsyncIterator[tuple[str, str]]:
        for n in range(last + 1, TOTAL + 1):
            yield type, str(n)
            if n % HOLD == 0:
                await asyncio.Event().wait()

    return events()


Events = Annotated[AsyncIterator[tuple[str, str]], Depends(events_after)]


@app.post("/fastapi", response_class=FastAPIEvents)
async def fastapi_events(events: Events) -> AsyncIterator[FastAPIEvent]:
    async for type, n in events:
        yield FastAPIEvent(raw_data=n, id=n, event=type)


@app.post("/sse-starlette")
async def sse_starlette_events(events: Events) -> SSEStarletteEvents:
    return SSEStarletteEvents({"data": n, "id": n, "event": type} async for type, n in events)
