"""The opener of event streams: what the fixture `event_stream` is."""

from __future__ import annotations

import asyncio
from typing import Any

from .connection import ASGIApp, Lifespan
from .stream import PATIENCE, EventStream


class EventStreams:
    """Opens event streams of any ASGI app: `stream = await event_stream(app, "/events?topic=a")`.

    An app's lifespan is run as by a server, once, before its first request, and ended after the test; `lifespan=False`
    for an app that somebody else has started. What an app raises and no call has shown is raised in the end.
    """

    def __init__(self) -> None:
        self._opened: list[EventStream] = []
        self._lifespans: dict[int, tuple[ASGIApp, Lifespan]] = {}

    async def __call__(self, app: ASGIApp, path: str = "/", *, lifespan: bool = True, **request: Any) -> EventStream:
        """The response's stream once it has begun. `path` may have a query; `method`, `headers`, and `json` or `body`
        say the rest. Raises what the app raises before it answers."""
        if lifespan and id(app) not in self._lifespans:
            self._lifespans[id(app)] = app, Lifespan(app)
            async with asyncio.timeout(PATIENCE):
                await self._lifespans[id(app)][1].start()
        _, life = self._lifespans.get(id(app), (app, None))
        stream = EventStream(app, path, **request, state=life.state if life else None)
        self._opened.append(stream)
        await stream.connect()
        return stream

    async def close(self) -> None:
        """Close all streams, then end the apps. Raises the first thing that was wrong."""
        faults: list[Exception] = []
        for close in [*(s.close for s in self._opened), *(life.stop for _, life in self._lifespans.values())]:
            try:
                await close()
            except Exception as error:
                faults.append(error)
        if faults:
            raise faults[0]
