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
"""Real seconds after which a wait fails. A limit for hanging tests, not a measure of speed."""

RECONNECTION_TIME = 3.0
"""Seconds before a client reconnects, unless the server names another time. Browsers use 3 and 5."""

_LINE_END = re.compile(r"\r\n|\r|\n")


class EventStream:
    """An event stream over as many connections as the test makes. `events` holds all received events, in order.

    `next`, `take`, `until` and `end` return each event once. They raise AssertionError, which shows the received
    events, when the response ends or is cut before, and the exception that the app raises. `within`: seconds by the
    test's clock, which is moved on while nothing can happen without it, so that a missing event is noticed at once.
    Without `within` they wait for 60 real seconds.
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
        """The newest connection."""
        self._app, self._path, self._method = app, path, method
        self._state = state or {}
        self._body = body.encode() if isinstance(body, str) else body
        defaults: dict[str, str | bytes] = {"host": "localhost", "accept": "text/event-stream"}
        if json is not None:
            self._body = _json(json)
            defaults["content-type"] = "application/json"
        if self._body:
            defaults["content-length"] = str(len(self._body))
        self._headers = {**defaults, **{name.lower(): value for name, value in (headers or {}).items()}}
        self._taken = 0
        self._news = asyncio.Event()
        self._connected: list[Connection] = []

    @property
    def data(self) -> list[str]:
        """The data of all received events."""
        return [event.data for event in self.events]

    # The newest response.

    @property
    def status(self) -> int:
        """The status of the newest response, or 0 while there is none."""
        return self.connection.status

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of the newest response, by their names in lower case."""
        return self.connection.headers

    @property
    def body(self) -> bytes:
        """The bytes of the newest response so far."""
        return self.connection.body

    def json(self) -> Any:
        """Return the value of a body that is JSON, such as a problem document."""
        return json.loads(self.body)

    @property
    def clean(self) -> bool | None:
        """The end of the response: None while it is open, then True if the app ended it, False if it was cut."""
        return self.connection.clean

    @property
    def done(self) -> bool:
        """True when the app has returned."""
        return self.connection.done

    @property
    def waiting(self) -> bool:
        """True while the app waits in `send` because this reader is frozen."""
        return self.connection.waiting > 0

    @property
    def comments(self) -> list[str]:
        """The comments of the newest response, such as keep-alives."""
        lines = _LINE_END.split(self.body.decode(errors="replace"))
        return [line[1:].strip() for line in lines if line.startswith(":")]

    @property
    def last_event_id(self) -> str:
        """The last event ID that an `EventSource` would present when it reconnects."""
        return self.connection.decoder.last_event_id

    @property
    def reconnection_time(self) -> float:
        """The reconnection time in seconds that the server has named last, or 3."""
        times = [c.decoder.retry for c in self._connected if c.decoder.retry is not None]
        return times[-1] / 1000 if times else RECONNECTION_TIME

    # Reading.

    async def next(self, *, within: float | None = None) -> ServerSentEvent:
        """Return the next event."""
        __tracebackhide__ = True
        (event,) = await self.take(1, within=within)
        return event

    async def take(self, count: int, *, within: float | None = None) -> list[ServerSentEvent]:
        """Return the next `count` events."""
        __tracebackhide__ = True
        end = self._taken + count
        await self.reach(lambda: len(self.events) >= end, f"{count} more events", within=within)
        return self._take(end)

    async def until(
        self, type: Any = ..., data: Any = ..., id: Any = ..., *, within: float | None = None
    ) -> list[ServerSentEvent]:
        """Return the next events up to the first that matches, which is the last of them; see `event`."""
        __tracebackhide__ = True
        wanted = event(type, data, id)

        def index() -> int | None:
            return next((i + 1 for i in range(self._taken, len(self.events)) if wanted == self.events[i]), None)

        await self.reach(index, repr(wanted), within=within)
        return self._take(index() or 0)

    async def end(self, *, within: float | None = None) -> list[ServerSentEvent]:
        """Wait until the app has returned, and return the rest of the events. `clean` says how the response ended."""
        __tracebackhide__ = True
        await self.reach(lambda: self.done, "the end of the response", within=within)
        self._raise()
        return self._take(len(self.events))

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ServerSentEvent:
        """Return the next event. The iteration ends with the response."""
        await self.reach(lambda: len(self.events) > self._taken or self.done, "an event or the end")
        if len(self.events) > self._taken:
            return self._take(self._taken + 1)[0]
        self._raise()
        raise StopAsyncIteration

    async def reach(self, reached: Callable[[], object], what: str = "", *, within: float | None = None) -> None:
        """Wait until `reached()` holds, which is asked whenever something comes. `what` names it in a failure."""
        __tracebackhide__ = True
        if within is not None:
            await CLOCK.advance_until(within, lambda: reached() or self.done)
        deadline = real_monotonic() + PATIENCE
        while not reached():
            if self.done:
                self._raise()
                how = "ended" if self.clean else "was cut"
                raise AssertionError(
                    f"The response, {self.status}, {how} before {what or 'the condition'}. {self._received_text()}"
                )
            if within is not None:
                raise AssertionError(
                    f"Within {within:g} s of the clock {what or 'the condition'} did not come. {self._received_text()}"
                )
            self._news.clear()
            try:
                async with asyncio.timeout(PATIENCE):
                    await self._news.wait()
            except TimeoutError:
                # The time-out may be early: the test's clock may have been moved meanwhile.
                if real_monotonic() >= deadline:
                    raise AssertionError(
                        f"In {PATIENCE:g} s {what or 'the condition'} did not come. {self._received_text()}"
                    ) from None

    def expect(self, *expected: Any) -> None:
        """Assert that `events` equals `expected` (of `event(…)` or events), and show both side by side if not."""
        __tracebackhide__ = True
        if list(expected) != self.events:
            raise AssertionError("\n".join(side_by_side(expected, self.events)))

    # What happens to connections.

    async def connect(self, *, last_event_id: str = "") -> None:
        """Send the request and wait until the response begins. Raises the exception that the app raises before."""
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
        # Let the app do what it does after it has begun, such as following a topic.
        await settle()

    async def drop(self) -> None:
        """Cut the connection. As under uvicorn, the app learns of it by `receive`, and what it sends is lost."""
        self.connection.leave()
        await settle()

    async def reconnect(self) -> None:
        """Reconnect as an `EventSource` does: drop an open connection, let the reconnection time pass by the clock, and
        send the request again with the last event ID. Raises AssertionError when an `EventSource` would stay away."""
        kind = self.headers.get("content-type", "")
        if self.status and (self.status != 200 or not kind.startswith("text/event-stream")):
            raise AssertionError(f"An EventSource does not reconnect after an answer of {self.status} {kind}".strip())
        last = self.last_event_id
        await self.drop()
        if CLOCK.moves(asyncio.get_running_loop()):
            await CLOCK.advance(self.reconnection_time)
        else:
            await asyncio.sleep(self.reconnection_time)
        await self.connect(last_event_id=last)

    def freeze(self) -> None:
        """Take nothing more, so that the app's `send` waits as for a slow client."""
        self.connection.freeze()

    def thaw(self) -> None:
        """Take what waits, and everything that comes."""
        self.connection.thaw()

    async def kill_producer(self) -> None:
        """Kill the code that produces these events, in the middle of its work.

        If the stream is of a run of Tidings, named in its address or in an event, the run's producer ends as if its
        process was killed: its lease stays, and a reaper ends the run once the clock has advanced by some 8 seconds. In
        any other app, `ProducerKilled` is raised where the app's own code waits: in the tasks that it has started for
        this response, or else in the generator of the body, or else in the endpoint. `error` then holds what the app
        raises, which is not raised here.
        """
        if not kill_runs(f"{self._path} {self.body.decode(errors='replace')}"):
            self.connection.excused = True
            self.connection.work.kill()
        await settle()

    @property
    def error(self) -> BaseException | None:
        """The exception that the app has raised, or None."""
        return self.connection.error

    async def close(self) -> None:
        """Leave, and end the app's tasks for this stream. Raises an exception of the app that no call has shown."""
        for connection in self._connected:
            connection.leave()
        await settle()
        for connection in self._connected:
            if not connection.done:
                await ended(connection.work.task)
        self._raise()

    # Reports of the connections.

    def received(self, events: list[ServerSentEvent]) -> None:
        """Take new events, and wake whoever waits for them."""
        self.events += events
        self._news.set()

    def _take(self, end: int) -> list[ServerSentEvent]:
        begin, self._taken = self._taken, end
        return self.events[begin:end]

    def _raise(self) -> None:
        """Raise the exception that the app has raised, once."""
        __tracebackhide__ = True
        for connection in self._connected:
            if (fault := connection.fault) is not None:
                connection.fault = None
                raise fault

    def _received_text(self) -> str:
        return received_only(self.events)


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()
