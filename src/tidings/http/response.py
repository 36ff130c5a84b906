"""The one streaming response: an ASGI response that follows topics, and errors as problem documents."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from time import monotonic, time
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tidings.access.guards import Watch
from tidings.delivery.foreign_servers import abort_if_it_lingers, chain_signals, close_connection, hush_unfinished
from tidings.delivery.hub import Hub
from tidings.delivery.position import Position
from tidings.delivery.subscription import Subscription
from tidings.delivery.topics import Start
from tidings.errors import InvalidRequest, TidingsError, TooManyRequests
from tidings.events import Offset
from tidings.log.names import valid_topic
from tidings.wire.sse import KEEP_ALIVE, Format

log = logging.getLogger("tidings.response")

MAX_TOPICS = 32
MAX_ID = 512
"""Bytes of a last event ID. 32 offsets of 14 characters fit; up to four topics stay under 128."""

PLAIN = Format()


@cache
def joined(form: Format) -> Format:
    """The format for several topics. One object each, since a flush knows its readers' formats by identity."""
    return replace(form, joined=True)


OUTSIDE = "tidings.outside"
"""A list in the scope, where there is one, takes the `Stream` of a response that has begun; the app that put it there
goes on with it once its framework's stack has returned. Inside FastAPI's an idle stream costs 18 to 23 KB, of frames,
exit stacks and a copied scope, and each write three more calls; outside 12."""

HEADERS = (
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),
)


class Slots:
    """How many streams may be open at once: in all, and for one owner. What is over is answered with 429."""

    def __init__(self, total: int, each: int) -> None:
        self.total, self.each = total, each
        self.open = 0
        self.owners: Counter[str] = Counter()

    def take(self, owner: str) -> None:
        """Raises TooManyRequests."""
        if self.open >= self.total:
            raise TooManyRequests(f"This server has its limit of {self.total} open streams.")
        if self.owners[owner] >= self.each:
            raise TooManyRequests(
                f"You have your limit of {self.each} open streams. Close one, or share one between tabs."
            )
        self.open += 1
        self.owners[owner] += 1

    def free(self, owner: str) -> None:
        self.open -= 1
        self.owners[owner] -= 1
        if not self.owners[owner]:
            del self.owners[owner]


class EventStreamResponse(Response):
    """Follow topics over one connection: everything after an offset, in order, once, until they are closed.

        @app.get("/rooms/{room}/events")
        async def events(room: str) -> EventStreamResponse:
            return EventStreamResponse(hub, f"rooms.{room}")

    The client's `Last-Event-ID` says where to go on (`last_event_id`, where given, is taken instead); without one,
    `start`: `"tail"`, `"earliest"` or an offset. Several topics have one id, of all their offsets. An error found
    before the first byte is answered with its status as `application/problem+json`; topics that are closed and read
    already, with 204, which stops an EventSource. Any server: where `send` cannot be stepped by hand, each write is
    made in a task.

    `expires`: Unix time at which the stream is ended; its client comes back with a new token. `dirty`: an end before
    the topics' own end closes the connection without the final chunk, for clients that take a clean end for success.
    `slots`, `owner`: the limits this stream counts against. `bare`: no comments and no reconnection time, for clients
    that would show them. `watch` ends the stream when the right to read is lost: see `guards.Guard.watch`.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        hub: Hub,
        topics: str | Sequence[str],
        *,
        start: Start | Offset = "tail",
        last_event_id: str | None = None,
        format: Format | None = None,
        expires: float | None = None,
        dirty: bool = False,
        bare: bool = False,
        watch: Watch | None = None,
        slots: Slots | None = None,
        owner: str = "",
    ) -> None:
        self.bare = bare
        self.watch = watch
        self.slots = slots
        self.owner = owner
        self.hub = hub
        self.topics = [topics] if isinstance(topics, str) else list(topics)
        self.start = start
        self.last_event_id = last_event_id
        self.format = format or PLAIN
        self.expires = expires
        self.dirty = dirty
        self.status_code = 200
        self.background = None
        self.body = b""
        self.raw_headers = list(HEADERS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        chain_signals(self.hub, scope)
        try:
            stream = await self._open(scope)
        except TidingsError as error:
            await problem_response(None, error)(scope, receive, send)
            return
        if stream is None:
            await Response(status_code=204, headers={"cache-control": "no-store"})(scope, receive, send)
            return
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            if scope["method"] == "HEAD":
                await send({"type": "http.response.body", "body": b""})
        except BaseException:
            stream.release()
            raise
        if scope["method"] == "HEAD":
            stream.release()
        elif OUTSIDE in scope:
            scope[OUTSIDE].append(stream)
        else:
            await stream(scope, receive, send)

    async def _open(self, scope: Scope) -> Stream | None:
        """The stream, None when all of it is read: the status is decided before the first byte.

        Raises InvalidRequest, TooManyRequests, Unavailable.
        """
        if not self.topics:
            raise InvalidRequest("Name at least one topic.")
        if len(self.topics) > MAX_TOPICS:
            raise InvalidRequest(f"At most {MAX_TOPICS} topics a connection; these are {len(self.topics)}.")
        if len(set(self.topics)) < len(self.topics):
            raise InvalidRequest("A topic is named twice.")
        if len(self.topics) > 1 and not self.format.joined:
            self.format = joined(self.format)
        given = given_id(scope) if self.last_event_id is None else self.last_event_id
        starts = parse_last_event_id(given, len(self.topics))
        for topic in self.topics:
            valid_topic(topic)
        stream = Stream(self)
        try:
            for i, topic in enumerate(self.topics):
                stream.positions.append(await self.hub.follow(topic, starts[i] if starts else self.start))
            if not all(position.finished for position in stream.positions):
                stream.take_slot()
                return stream
        except BaseException:
            stream.release()
            raise
        stream.release()
        return None


class Stream:
    """The rest of a response that has begun: writes what its topics get, until they end, its client leaves, or we do.

    Holds what it needs and no more, so that nothing of the request's framework stays alive with it.
    """

    __slots__ = ("bare", "dirty", "expires", "form", "hub", "owner", "positions", "slots", "taken", "watch")

    def __init__(self, response: EventStreamResponse) -> None:
        self.hub = response.hub
        self.form = response.format
        self.expires = response.expires
        self.dirty = response.dirty
        self.bare = response.bare
        self.watch = response.watch
        self.slots = response.slots
        self.owner = response.owner
        self.positions: list[Position] = []
        self.taken = False

    def take_slot(self) -> None:
        """Raises TooManyRequests."""
        if self.slots is not None:
            self.slots.take(self.owner)
            self.taken = True

    def release(self) -> None:
        """Give back the slot and let go of the topics."""
        if self.slots is not None and self.taken:
            self.slots.free(self.owner)
        for position in self.positions:
            self.hub.unfollow(position)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        hub = self.hub
        task = asyncio.current_task()
        assert task is not None

        def finish(clean: bool) -> None:
            if not clean:
                if close_connection(scope):
                    return
                hush_unfinished()
            elif hub.draining:
                abort_if_it_lingers(scope)
            # Some servers leave `receive` waiting after the last byte, so the end is said to the task itself.
            task.cancel()

        expires = None if self.expires is None else monotonic() + self.expires - time()
        connection = (scope.get("extensions") or {}).get("tidings.connection")
        subscription = Subscription(
            hub,
            send,
            self.positions,
            self.form,
            finish=finish,
            expires=expires,
            dirty=self.dirty,
            bare=self.bare,
            connection=connection.begin() if connection is not None else None,
        )
        if self.watch is not None:
            self.watch.start(subscription.depart)
        try:
            # A first comment makes every server and proxy send the headers now: the client knows it is connected.
            if not self.bare:
                await send({"type": "http.response.body", "body": KEEP_ALIVE, "more_body": True})
            subscription.start()
            if hub.draining:
                asyncio.get_running_loop().call_later(0.2 * random.random(), subscription.depart)
            # A client that goes away is only noticed here: uvicorn's `send` to it returns in silence.
            while (await receive())["type"] != "http.disconnect":
                pass
        except asyncio.CancelledError:
            if not subscription.gone and not hub.draining:
                raise
            task.uncancel()
        finally:
            if self.watch is not None:
                self.watch.stop()
            subscription.leave()
            self.release()


def given_id(scope: Scope) -> str:
    """The request's Last-Event-ID, empty without one. Browsers send it as UTF-8; HTTP libraries would read Latin-1.

    Raises InvalidRequest.
    """
    header: bytes = next((value for name, value in scope["headers"] if name == b"last-event-id"), b"")
    try:
        return header.decode()
    except UnicodeDecodeError:
        raise InvalidRequest("The Last-Event-ID is not UTF-8.") from None


def parse_last_event_id(text: str, count: int) -> list[Offset]:
    """The offsets of a last event ID, one a topic in the request's order; empty when there is none. Raises
    InvalidRequest."""
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


def json_response(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Any value that msgspec can write, as JSON that no cache keeps."""
    return Response(
        msgspec.json.encode(value),
        status_code=status,
        headers={"content-type": "application/json", "cache-control": "no-store", **(headers or {})},
    )
