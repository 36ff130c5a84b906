"""The streaming response: an ASGI response that follows topics."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from time import monotonic, time
from typing import Any, ClassVar
from urllib.parse import parse_qsl

import msgspec
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tidings.errors import Gone, InvalidRequest, TidingsError
from tidings.events import Offset
from tidings.log.names import TAIL, After, parse_after, valid_topic
from tidings.wire.sse import KEEP_ALIVE, Format, cut

from .delivery import Delivery
from .foreign_servers import abort_if_it_lingers, chain_signals, close_connection, hush_unfinished
from .hub import Hub
from .position import Position
from .subscription import Subscription

MAX_TOPICS = 32
MAX_ID = 512
"""Bytes of a last event ID. 32 offsets of 14 characters fit; up to four topics stay under 128."""

FEW = 100
"""Events that are looked at in one read: most often the first of them is one to write."""

ID_PARAMETERS = ("last_event_id", "lastEventId")
"""Parameters for clients that cannot send the header. npm's `event-source-polyfill` and `reconnecting-eventsource` send
the second one."""

EVENT: dict[str, Any] = {
    "type": "object",
    "properties": {
        "data": {"type": "string"},
        "event": {"type": "string"},
        "id": {"type": "string"},
        "retry": {"type": "integer", "minimum": 0},
    },
    "required": ["data"],
}
"""The schema of an event, as OpenAPI 3.2 has it, and FastAPI for its own streams."""

PLAIN = Format()


@cache
def joined(form: Format) -> Format:
    """The format for several topics. One object each, since a flush compares its readers' formats by identity."""
    return replace(form, joined=True)


HEADERS = {
    b"content-type": b"text/event-stream; charset=utf-8",
    b"cache-control": b"no-cache, no-transform",
    b"x-accel-buffering": b"no",
}


class EventStreamResponse(Response):
    """A response that follows topics: every event after `after`, in order and once, until the topics are closed.

        @app.get("/rooms/{room}/events")
        async def events(room: str) -> EventStreamResponse:
            return EventStreamResponse(hub, f"rooms.{room}")

    `topics`: a name, or up to 32 names. `after`: an offset or its text, `"earliest"`, `"tail"`, or `-N` for the last N
    events; the request's `Last-Event-ID` takes its place. Several topics have one id, made of all their offsets.
    `expires`: Unix time in seconds at which the stream is closed; its client comes back with a new token. `headers`,
    `status_code`, `background`: as in Starlette's responses; the background task runs when the stream has ended.
    `format`: how events are written; `Format(notices=False)` writes the topics' own events and nothing else.

    The request's last event ID is read from its header, else from its parameter `last_event_id` or `lastEventId`.

    An error before the first byte is answered with its status as `application/problem+json`. Topics that are closed
    and read already are answered with 204, which stops an EventSource. A stream that ends before its topics have ended
    (a drain, an expired token) is cut without the end of its body, so that no client takes the cut for the end.
    Works on any ASGI server.
    """

    media_type = "text/event-stream"

    responses: ClassVar[dict[int | str, dict[str, Any]]] = {
        200: {"description": "An event stream", "content": {"text/event-stream": {"itemSchema": EVENT}}},
        204: {"description": "The topics are closed and read: do not come back."},
    }
    """The responses as OpenAPI describes them: `@app.get(…, response_class=EventStreamResponse,
    responses=EventStreamResponse.responses)`."""

    def __init__(
        self,
        hub: Hub,
        topics: str | Sequence[str],
        after: After = TAIL,
        *,
        expires: float | None = None,
        headers: Mapping[str, str] | None = None,
        status_code: int = 200,
        background: BackgroundTask | None = None,
        format: Format | None = None,
    ) -> None:
        self.hub = hub
        self.topics: list[str] = [topics] if isinstance(topics, str) else list(topics)
        self.after = after
        self.expires = expires
        self.status_code = status_code
        self.background = background
        self.format: Format = PLAIN if format is None else format
        self.body = b""
        own = {name.lower().encode("latin-1"): value.encode("latin-1") for name, value in (headers or {}).items()}
        self.raw_headers: list[tuple[bytes, bytes]] = list({**HEADERS, **own}.items())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._answer(scope, receive, send)
        if self.background is not None:
            await self.background()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        chain_signals(self.hub, scope)
        try:
            stream = await self._open(scope)
        except TidingsError as error:
            await problem_response(None, error)(scope, receive, send)
            return
        if stream is None:
            await Response(status_code=204, headers={"cache-control": "no-store"})(scope, receive, send)
            return
        head = scope["method"] == "HEAD"
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            if head:
                await send({"type": "http.response.body", "body": b""})
        except BaseException:
            stream.release()
            raise
        if head:
            stream.release()
        else:
            await self._run(stream, scope, receive, send)

    async def _open(self, scope: Scope) -> Stream | None:
        """The stream, or None if all of it is read: the status is decided before the first byte.

        Raises TidingsError.
        """
        await self._check()
        _must_be_format(self.format)
        if not self.topics:
            raise InvalidRequest("Name at least one topic.")
        if len(self.topics) > MAX_TOPICS:
            raise InvalidRequest(f"At most {MAX_TOPICS} topics a connection; these are {len(self.topics)}.")
        if len(set(self.topics)) < len(self.topics):
            raise InvalidRequest("A topic is named twice.")
        if len(self.topics) > 1 and not self.format.joined:
            self.format = joined(self.format)
        ids = parse_last_event_id(self._last_event_id(scope), len(self.topics))
        after = parse_after(self.after)
        for topic in self.topics:
            valid_topic(topic)
        delivery = self.hub.delivery
        stream = self._stream(delivery)
        try:
            for i, topic in enumerate(self.topics):
                stream.positions.append(await delivery.follow(topic, ids[i] if ids else after))
                if not self.format.notices and (lost := stream.positions[-1].lost):
                    earliest = str(stream.positions[-1].live.earliest)
                    raise Gone(f"Events of {topic} are gone: {lost}.", reason=lost, earliest=earliest)
            if not all([await self._is_read(position) for position in stream.positions]):
                stream.admit()
                return stream
        except BaseException:
            stream.release()
            raise
        stream.release()
        return None

    async def _is_read(self, position: Position) -> bool:
        """True if the topic is closed and nothing will be written of what follows the position, not even the end.

        No id could move a client past events that its format leaves out. Raises TidingsError.
        """
        live, form = position.live, self.format
        if not live.closed or position.lost or form.notice(live.name, "tidings.end", {}, ""):
            return position.finished
        at = position.located
        while at.n < live.head:
            page = await self.hub.read(live.name, at, FEW)
            if not page.events or form.encode(live.name, page.events):
                return False
            at = page.next
        return True

    # Steps that the responses of Tidings' own routes have otherwise.

    def _last_event_id(self, scope: Scope) -> str:
        return given_id(scope)

    async def _check(self) -> None:
        """Raise TidingsError for a stream that must not begin."""

    def _stream(self, delivery: Delivery) -> Stream:
        return Stream(self, delivery)

    async def _run(self, stream: Stream, scope: Scope, receive: Receive, send: Send) -> None:
        await stream(scope, receive, send)


class Stream:
    """The rest of a response that has begun. Writes the topics' events until the topics or the connection end.

    Holds what it needs and no more: nothing of the request's framework stays in memory with it.
    """

    __slots__ = ("delivery", "expires", "form", "positions")

    def __init__(self, response: EventStreamResponse, delivery: Delivery) -> None:
        self.delivery: Delivery = delivery
        self.form: Format = response.format
        self.expires: float | None = response.expires
        self.positions: list[Position] = []

    def admit(self) -> None:
        """Count the stream against limits, if there are any. Raises TooManyRequests."""

    def watch(self, subscription: Subscription) -> None:
        """Begin to watch the right to read, if it can be lost."""

    def release(self) -> None:
        """Give back the topics, and what `admit` and `watch` have taken."""
        for position in self.positions:
            self.delivery.unfollow(position)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        delivery = self.delivery
        task = asyncio.current_task()
        assert task is not None

        def finish(clean: bool) -> None:
            if not clean:
                if close_connection(scope):
                    return
                hush_unfinished()
            elif delivery.draining:
                abort_if_it_lingers(scope)
            # Some servers leave `receive` waiting after the last byte, so the task itself is told of the end.
            task.cancel()

        connection = (scope.get("extensions") or {}).get("tidings.connection")
        subscription = Subscription(
            delivery,
            send,
            self.positions,
            self.form,
            finish=finish,
            expires=closing_time(delivery.stream_life, self.expires),
            connection=connection.begin() if connection is not None else None,
        )
        try:
            self.watch(subscription)
            # A first comment makes every server and proxy send the headers now: the client knows it is connected.
            if self.form.comments:
                await send({"type": "http.response.body", "body": opening(scope, self.form), "more_body": True})
            subscription.start()
            if delivery.draining:
                delivery.loop.call_later(0.2 * random.random(), subscription.close)
            # Only `receive` tells of a client that goes away: uvicorn's `send` to it returns as if all were well.
            while (await receive())["type"] != "http.disconnect":
                pass
        except asyncio.CancelledError:
            if not subscription.closed and not delivery.draining:
                raise
            task.uncancel()
        finally:
            subscription.leave()
            self.release()


def _must_be_format(given: object) -> None:
    """Raise InvalidRequest for a class of formats, and for what is no format."""
    if not isinstance(given, Format):
        raise InvalidRequest("The format is an object of Format, or of a class that inherits from it.")


def closing_time(life: float | None, expires: float | None) -> float | None:
    """Return the `monotonic` time at which a stream that begins now is closed: at the end of its life, or before that
    at the Unix time `expires`.

    Lives differ by a fifth, so that the clients of streams that began together do not return together.
    """
    times: list[float] = []
    if life is not None:
        times.append(monotonic() + life * random.uniform(0.8, 1.0))
    if expires is not None:
        times.append(monotonic() + expires - time())
    return min(times, default=None)


def opening(scope: Scope, form: Format) -> bytes:
    """Return the first bytes of a stream: a comment, or the end of the half event that WebKit's `EventSource` keeps.

    The latter is a block of Tidings' own, so a format without notices never begins with it.

    Chromium names WebKit as well, and Chrome besides. An `EventSource` always sends `Cache-Control: no-cache`, which
    tells it from libraries that read a stream by `fetch` and might show an empty event for the block of a cut.
    """
    headers = dict(scope["headers"])
    agent = headers.get(b"user-agent", b"")
    webkit = b"AppleWebKit/" in agent and b"Chrome/" not in agent
    if form.notices and webkit and headers.get(b"cache-control") == b"no-cache":
        return cut(headers.get(b"last-event-id", b""))
    return KEEP_ALIVE


def given_id(scope: Scope) -> str:
    """The last event ID of a request: of its header, else of its parameters; empty without one.

    Browsers send the header as UTF-8; HTTP libraries would read Latin-1. Clients that cannot send it append a parameter
    to a URL that may have one already, so the last one counts. Raises InvalidRequest.
    """
    header: bytes = next((value for name, value in scope["headers"] if name == b"last-event-id"), b"")
    query: bytes = scope.get("query_string", b"")
    try:
        if header or not query:
            return header.decode()
    except UnicodeDecodeError:
        raise InvalidRequest("The Last-Event-ID is not UTF-8.") from None
    if b"%" not in query and b"last" not in query:
        return ""  # parsing the query of every stream that opens would cost 10 of 80 µs
    given = [value for name, value in parse_qsl(query.decode("latin-1")) if name in ID_PARAMETERS]
    return given[-1] if given else ""


def parse_last_event_id(text: str, count: int) -> list[Offset]:
    """The offsets of a last event ID, one a topic in the request's order; empty when there is none.

    Raises InvalidRequest.
    """
    if not text:
        return []
    if len(text) > MAX_ID:
        raise InvalidRequest(f"The last event ID is longer than {MAX_ID} bytes.")
    parts = text.split("~")
    if len(parts) != count:
        raise InvalidRequest(f"The last event ID is of {len(parts)} topics, the request of {count}.")
    return [Offset.parse(part) for part in parts]


def problem_response(request: Request | None, error: Exception) -> Response:
    """An error as `application/problem+json`: the handler for `app.add_exception_handler(TidingsError, …)`."""
    assert isinstance(error, TidingsError)
    headers: dict[str, str] = {"cache-control": "no-store"}
    if error.status == 401:
        headers["www-authenticate"] = "Bearer"
    if error.status in (429, 503):
        headers["retry-after"] = str(error.members.get("retry_after", 1))
    return Response(
        msgspec.json.encode(error.problem()),
        status_code=error.status,
        media_type="application/problem+json",
        headers=headers,
    )
