"""The opener of event streams, which is the value of the fixture `event_stream`."""

from __future__ import annotations

import asyncio
from typing import Any

from .connection import ASGIApp, Lifespan
from .stream import PATIENCE, EventStream


class EventStreams:
    """Opens event streams of any ASGI app: `stream = await event_stream(app, "/events?topic=a")`.

    The app's lifespan is started once, before the first request, and ended after the test, as a server does.
    `lifespan=False` is for an app that is started elsewhere. An exception that the app has raised, and that no call has
    shown, is raised at the end of the test.
    """

    def __init__(self) -> None:
        self._opened: list[EventStream] = []
        self._lifespans: dict[int, tuple[ASGIApp, Lifespan]] = {}

    async def __call__(self, app: ASGIApp, path: str = "/", *, lifespan: bool = True, **request: Any) -> EventStream:
        """Send a request and return its stream once the response has begun.

        `path` may have a query. `request` takes `method`, `headers`, and `json` or `body`. Raises the exception that
        the app raises before it answers.
        """
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
        """Close all streams, then end the apps. Raises the first exception of either."""
        faults: list[Exception] = []
        for close in [*(s.close for s in self._opened), *(life.stop for _, life in self._lifespans.values())]:
            try:
                await close()
            except Exception as error:
                faults.append(error)
        if faults:
            raise faults[0]
