"""A client of an ASGI app in the test's own process, which reads event streams as an `EventSource` does."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Self
from urllib.parse import unquote

from tidings.wire.sse import ServerSentEvent

from .clock import CLOCK, real_monotonic, settle
from .connection import ASGIApp, Connection
from .expected import event, received_only, side_by_side
from .producer import ended, kill_runs

PATIENCE = 60.0
"""Real seconds after which what does not come counts as never coming. Never a measure of speed."""

RECONNECTION_TIME = 3.0
"""Seconds that a client waits before it comes back, unless it was told otherwise. Browsers: 3 and 5."""

_LINE_END = re.compile(r"\r\n|\r|\n")


class EventStream:
    """One event stream, over as many connections as it takes. `events` is all that has come, in order.

    `next`, `take`, `until` and `end` give each event once. They raise AssertionError, with what has come, when the
    response ends or is cut before, and what the app raises. `within`: seconds by the test's clock, which is moved on
    while nothing can happen without it, so it takes no time to find that something never comes; without it they wait
    60 real seconds.
    """

    connects: type[Connection] = Connection

    def __init__(
        self,
        app: ASGIApp,
        path: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str | bytes] | None = None,
        json: Any = None,
        body: str | bytes = b"",
        state: Mapping[str, Any] | None = None,
    ) -> None:
        self.events: list[ServerSentEvent] = []
        self.connection: Connection
        """The newest one."""
        self._app, self._path, self._method = app, path, method
        self._state = state or {}
        self._body = body.encode() if isinstance(body, str) else body
        given: dict[str, str | bytes] = {"host": "localhost", "accept": "text/event-stream"}
        if json is not None:
            self._body = _json(json)
            given["content-type"] = "application/json"
        if self._body:
            given["content-length"] = str(len(self._body))
        self._headers = {**given, **{name.lower(): value for name, value in (headers or {}).items()}}
        self._taken = 0
        self._news = asyncio.Event()
        self._connected: list[Connection] = []

    @property
    def data(self) -> list[str]:
        """The data of its events."""
        return [event.data for event in self.events]

    # The newest response.

    @property
    def status(self) -> int:
        """Of the newest response, as all that follows; 0 while there is none."""
        return self.connection.status

    @property
    def headers(self) -> Mapping[str, str]:
        """Names are in lower case."""
        return self.connection.headers

    @property
    def body(self) -> bytes:
        """Its bytes so far."""
        return self.connection.body

    def json(self) -> Any:
        """Its body, if that is JSON, as a refusal's mostly is."""
        return json.loads(self.body)

    @property
    def clean(self) -> bool | None:
        """None while it is open; then whether it came to its end, and was not cut."""
        return self.connection.clean

    @property
    def done(self) -> bool:
        """Whether the app has returned."""
        return self.connection.done

    @property
    def waiting(self) -> bool:
        """Whether the app waits in `send`, since this reader is frozen."""
        return self.connection.waiting > 0

    @property
    def comments(self) -> list[str]:
        """Its comments, such as keep-alives."""
        lines = _LINE_END.split(self.body.decode(errors="replace"))
        return [line[1:].strip() for line in lines if line.startswith(":")]

    @property
    def last_event_id(self) -> str:
        """What an `EventSource` would come back with."""
        return self.connection.decoder.last_event_id

    @property
    def reconnection_time(self) -> float:
        """Seconds: what the server has asked for last, or 3."""
        told = [c.decoder.retry for c in self._connected if c.decoder.retry is not None]
        return told[-1] / 1000 if told else RECONNECTION_TIME

    # Reading.

    async def next(self, *, within: float | None = None) -> ServerSentEvent:
        """The next event."""
        __tracebackhide__ = True
        (found,) = await self.take(1, within=within)
        return found

    async def take(self, count: int, *, within: float | None = None) -> list[ServerSentEvent]:
        """The next `count` events."""
        __tracebackhide__ = True
        end = self._taken + count
        await self.reach(lambda: len(self.events) >= end, f"{count} more events", within=within)
        return self._take(end)

    async def until(
        self, type: Any = ..., data: Any = ..., id: Any = ..., *, within: float | None = None
    ) -> list[ServerSentEvent]:
        """The next events up to the first that is as described, which is the last of them; see `event`."""
        __tracebackhide__ = True
        wanted = event(type, data, id)

        def found() -> int | None:
            return next((i + 1 for i in range(self._taken, len(self.events)) if wanted == self.events[i]), None)

        await self.reach(found, repr(wanted), within=within)
        return self._take(found() or 0)

    async def end(self, *, within: float | None = None) -> list[ServerSentEvent]:
        """The rest of the events, when the app has returned, however the response has ended: see `clean`."""
        __tracebackhide__ = True
        await self.reach(lambda: self.done, "the end of the response", within=within)
        self._raise()
        return self._take(len(self.events))

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ServerSentEvent:
        """The next event; the loop ends with the response."""
        await self.reach(lambda: len(self.events) > self._taken or self.done, "an event or the end")
        if len(self.events) > self._taken:
            return self._take(self._taken + 1)[0]
        self._raise()
        raise StopAsyncIteration

    async def reach(self, reached: Callable[[], object], what: str = "", *, within: float | None = None) -> None:
        """Wait until something holds that depends on what comes. `what` names it should it never do so."""
        __tracebackhide__ = True
        if within is not None:
            await CLOCK.advance_until(within, lambda: reached() or self.done)
        deadline = real_monotonic() + PATIENCE
        while not reached():
            if self.done:
                self._raise()
                how = "ended" if self.clean else "was cut"
                raise AssertionError(f"The response, {self.status}, {how} before {what or 'that'}. {self._told()}")
            if within is not None:
                raise AssertionError(f"Within {within:g} s of the clock {what or 'that'} did not come. {self._told()}")
            self._news.clear()
            try:
                async with asyncio.timeout(PATIENCE):
                    await self._news.wait()
            except TimeoutError:
                # The test's clock may have been moved meanwhile.
                if real_monotonic() >= deadline:
                    raise AssertionError(f"In {PATIENCE:g} s {what or 'that'} did not come. {self._told()}") from None

    def expect(self, *expected: Any) -> None:
        """Assert that `events` is exactly this, and show both side by side if it is not: `event(…)`s, or events."""
        __tracebackhide__ = True
        if list(expected) != self.events:
            raise AssertionError("\n".join(side_by_side(expected, self.events)))

    # What happens to connections.

    async def connect(self, *, last_event_id: str = "") -> None:
        """Make the request, and wait for the response to begin. Raises what the app raises before."""
        headers = dict(self._headers)
        if last_event_id:
            headers["last-event-id"] = last_event_id
        path, _, query = self._path.partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": self._method,
            "scheme": "http",
            "path": unquote(path),
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": [(k.encode(), v if isinstance(v, bytes) else v.encode()) for k, v in headers.items()],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
            "state": dict(self._state),
        }
        self.connection = self.connects(self, scope, self._body, last_event_id)
        self._connected.append(self.connection)
        self.connection.open(self._app)
        await self.reach(lambda: self.status or self.done, "the response")
        if not self.status:
            self._raise()
        # What an app does once it has begun is done too, such as beginning to follow something.
        await settle()

    async def drop(self) -> None:
        """The connection is cut. As under uvicorn the app is told by `receive`, and what it sends goes nowhere."""
        self.connection.leave()
        await settle()

    async def reconnect(self) -> None:
        """Come back as an `EventSource` does: drop the connection if it is open, let the reconnection time pass by the
        clock, ask again with the last event ID. Raises AssertionError where an `EventSource` would stay away."""
        told = self.headers.get("content-type", "")
        if self.status and (self.status != 200 or not told.startswith("text/event-stream")):
            raise AssertionError(f"An EventSource that was answered {self.status} {told} does not come back.".strip())
        last = self.last_event_id
        await self.drop()
        if CLOCK.moves(asyncio.get_running_loop()):
            await CLOCK.advance(self.reconnection_time)
        else:
            await asyncio.sleep(self.reconnection_time)
        await self.connect(last_event_id=last)

    def freeze(self) -> None:
        """Take nothing more, so that the app's `send` waits as it does for a slow client."""
        self.connection.freeze()

    def thaw(self) -> None:
        """Take what waits, and what comes."""
        self.connection.thaw()

    async def kill_producer(self) -> None:
        """What makes these events dies in the middle of it, without a word.

        A run of Tidings that the stream has named, by its address or in an event: its producer is gone as with its
        process, its lease not released, so that a reaper ends the run once the clock has gone on by some 8 seconds.
        Any other app: `ProducerKilled` is raised where the app's own code waits: in the tasks that it has started for
        this response, else in the generator that makes the body, else in whoever answers. What the app then raises
        is in `error` and not raised here.
        """
        if not kill_runs(f"{self._path} {self.body.decode(errors='replace')}"):
            self.connection.excused = True
            self.connection.work.kill()
        await settle()

    @property
    def error(self) -> BaseException | None:
        """What the app has raised in answering."""
        return self.connection.error

    async def close(self) -> None:
        """Leave, and end what the app still does for it. Raises what the app has raised and nobody has seen."""
        for connection in self._connected:
            connection.leave()
        await settle()
        for connection in self._connected:
            if not connection.done:
                await ended(connection.work.task)
        self._raise()

    # What the connections tell, and what is told of them.

    def received(self, events: list[ServerSentEvent]) -> None:
        self.events += events
        self._news.set()

    def _take(self, end: int) -> list[ServerSentEvent]:
        begin, self._taken = self._taken, end
        return self.events[begin:end]

    def _raise(self) -> None:
        """What the app has raised, once."""
        __tracebackhide__ = True
        for connection in self._connected:
            if (fault := connection.fault) is not None:
                connection.fault = None
                raise fault

    def _told(self) -> str:
        return received_only(self.events)


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()
