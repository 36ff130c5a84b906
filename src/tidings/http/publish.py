"""Publishing over HTTP: one event, or a batch in one commit."""

from __future__ import annotations

import re
import time
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tidings.access.guards import Guard, Items
from tidings.access.subject import Subject
from tidings.access.tokens import Authenticator
from tidings.delivery.hub import Hub
from tidings.errors import Closed, Conflict, InvalidRequest, TidingsError, TooLarge, TooManyRequests
from tidings.events import MESSAGE
from tidings.log.rules import Appended

from .request import KEY, TopicName, idempotency_key, problems, publisher, shape
from .response import json_response, problem_response


class Published(msgspec.Struct):
    """The offsets of the first and the last event; `offset` is the last."""

    offset: str
    first: str
    last: str


class Line(msgspec.Struct, forbid_unknown_fields=True):
    """A line of an ndjson batch."""

    data: msgspec.Raw
    type: str = MESSAGE


class Rate:
    """A token bucket a subject: `rate` events a second, bursts of ten seconds' worth; 0 is without limit."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self._buckets: dict[str, tuple[float, float]] = {}

    def spend(self, owner: str, count: int) -> None:
        """Raises TooManyRequests."""
        if not self.rate:
            return
        now = time.monotonic()
        left, at = self._buckets.get(owner, (self.rate * 10, now))
        left = min(left + (now - at) * self.rate, self.rate * 10)
        if left < count:
            raise TooManyRequests(f"You may publish {self.rate:g} events a second. Wait a moment.")
        if len(self._buckets) > 10_000:
            self._buckets.clear()
        self._buckets[owner] = (left - count, now)


class Limits(msgspec.Struct, frozen=True):
    """What one request may ask for. Bytes, and events a second."""

    body: int = 1 << 20
    batch: int = 8 << 20
    rate: float = 100_000.0


RACES = 8
"""How often events are judged anew because another's came first."""

TYPE = {"pattern": r"^(?!tidings\.)[^\r\n\x00]+$", "minLength": 1, "maxLength": 200}
LINES = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "required": ["data"],
        "properties": {"data": {}, "type": {"type": "string", **TYPE}},
        "additionalProperties": False,
    },
}
_line = msgspec.json.Decoder(Line).decode
_string = msgspec.json.Decoder(str).decode
_any = msgspec.json.Decoder(msgspec.Raw).decode
_plain_query = re.compile(rb"(?:type=([A-Za-z0-9._-]+))?")


class Publishing:
    """`POST /topics/T/events`, as a route of FastAPI's and, for requests that are plain, without its stack.

    Of the 219 µs that one event took inside, 32 were the hub's; a publisher that sends one after another feels it.
    Both ways run `publish`, and the plain one takes no request that the other would treat otherwise.
    """

    def __init__(self, hub: Hub, auth: Authenticator, limits: Limits | None = None) -> None:
        self.hub = hub
        self.auth = auth
        self.limits = limits or Limits()
        self.rate = Rate(self.limits.rate)

    async def publish(self, request: Request, topic: str, type: str, transient: bool) -> Response:
        """Store what the request holds, and answer with its offsets. Raises TidingsError."""
        subject = await publisher(self.auth, request, topic)
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        many = kind == "application/x-ndjson"
        body = await read_body(request, self.limits.batch if many else self.limits.body)
        items: Items = (
            parse_lines(body) if many else [(type, json_text(body) if kind == "application/json" else utf8(body))]
        )
        self.rate.spend(subject.name or "", len(items))
        key = idempotency_key(request)
        guard = self.auth.guards.of(topic)
        if transient:
            if key is not None:
                raise InvalidRequest("A transient event is not stored, so it cannot have an Idempotency-Key.")
            if guard is not None:
                items = (await guard.admit(subject, topic, items, transient=True)).items
            for kind, data in items:
                await self.hub.cast(topic, data, kind)
            return Response(status_code=202)
        if guard is None:
            done = await self.hub.append(topic, items, key=key)
        else:
            done = await guarded(self.hub, guard, subject, topic, items, key)
        value = Published(offset=str(done.last), first=str(done.first), last=str(done.last))
        return json_response(value, 200 if done.duplicate else 201)

    def is_plain(self, scope: Scope) -> bool:
        """Whether the request needs nothing of a framework: no page's origin, no parameters but a simple type."""
        path: str = scope["path"]
        return (
            scope["method"] == "POST"
            and path.startswith("/topics/")
            and path.endswith("/events")
            and path.count("/") == 3
            and not scope.get("root_path")
            and _plain_query.fullmatch(scope["query_string"]) is not None
            and not any(name == b"origin" for name, _ in scope["headers"])
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a plain request."""
        found = _plain_query.fullmatch(scope["query_string"])
        type = found[1].decode() if found and found[1] else MESSAGE
        topic = scope["path"].split("/")[2]
        try:
            response = await self.publish(Request(scope, receive), topic, type, False)
        except TidingsError as error:
            response = problem_response(None, error)
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    def routes(self) -> APIRouter:
        """The route, for all other requests and for OpenAPI."""
        router = APIRouter(tags=["events"])

        @router.post(
            "/topics/{topic}/events",
            summary="Publish",
            status_code=201,
            description="The body is the data of one event, any UTF-8 text. With the type `application/x-ndjson`, each "
            'line is an event `{"type"?, "data"}`, and all are stored in one commit.',
            responses={
                200: shape(Published, "The key was seen: the first offsets again."),
                201: shape(Published, "Stored."),
                202: {"description": "Transient: sent to whoever follows now."},
                **problems(409, 413),
            },
            openapi_extra={
                "requestBody": {
                    "content": {
                        "text/plain": {"schema": {"type": "string"}},
                        "application/json": {"schema": {}},
                        "application/x-ndjson": {"schema": LINES},
                    }
                },
                "parameters": [KEY],
            },
        )
        async def publish(
            request: Request,
            topic: TopicName,
            type: Annotated[str, Query(description="The event's type.", json_schema_extra=TYPE)] = MESSAGE,
            transient: Annotated[bool, Query(description="To whoever follows now; never stored.")] = False,
        ) -> Response:
            return await self.publish(request, topic, type, transient)

        return router


async def guarded(hub: Hub, guard: Guard, subject: Subject, topic: str, items: Items, key: str | None) -> Appended:
    """Append what a guard admits, and tell it. Raises what `admit` does, Conflict, Closed, Unavailable, OutcomeUnknown.

    A key that was seen has its first answer, whatever the guard would say by now.
    """
    for tries in range(1, RACES + 1):
        try:
            admitted = await guard.admit(subject, topic, items, transient=False)
        except TidingsError as refusal:
            before = await seen(hub, topic, items, key)
            if before is None:
                raise refusal
            done = before
            break
        try:
            done = await hub.append(topic, admitted.items, key=key, expected=admitted.expected)
        except Conflict as conflict:
            if admitted.expected is None or tries == RACES or isinstance(conflict, Closed):
                raise
        else:
            items = admitted.items
            break
    await guard.published(subject, topic, await stored(hub, topic, done) if done.duplicate else items, done)
    return done


async def stored(hub: Hub, topic: str, done: Appended) -> Items:
    """The events of an earlier append. Raises Unavailable, NotFound."""
    items: list[tuple[str, str]] = []
    after = done.first._replace(n=done.first.n - 1)
    while after.n < done.last.n:
        page = await hub.read(topic, after, done.last.n - after.n)
        if page.lost is not None:
            break
        items += [(event.type, event.data) for event in page.events]
        after = page.next
    return items


async def seen(hub: Hub, topic: str, items: Items, key: str | None) -> Appended | None:
    """What the key has stored before, if anything. Raises Unavailable."""
    if key is None:
        return None
    try:
        # No log has this epoch: nothing is appended. A key that was seen is answered before anything is expected.
        return await hub.append(topic, items, key=key, expected="")
    except (InvalidRequest, Conflict):
        return None


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body. Raises TooLarge as soon as it is over `limit` bytes, without reading the rest."""
    announced = request.headers.get("content-length", "")
    parts, size = [], 0
    if not (announced.isdecimal() and int(announced) > limit):
        async for part in request.stream():
            parts.append(part)
            size += len(part)
            if size > limit:
                break
        else:
            return b"".join(parts)
    raise TooLarge(f"A body is at most {limit:,} bytes.")


def utf8(body: bytes) -> str:
    """Raises InvalidRequest."""
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"The body is not UTF-8: byte {error.start} cannot be read.") from None


def json_text(body: bytes) -> str:
    """The text of a body that is said to be JSON. Raises InvalidRequest if it is not: readers would be given a
    string."""
    try:
        _any(body)
    except msgspec.DecodeError as error:
        raise InvalidRequest(f"The body is not JSON: {error}.") from None
    except RecursionError:
        raise InvalidRequest("The body is JSON that is nested too deeply.") from None
    return utf8(body)


def parse_lines(body: bytes) -> list[tuple[str, str]]:
    """The events of an ndjson body: a JSON string's text is the data, any other value's JSON text. Raises
    InvalidRequest."""
    items: list[tuple[str, str]] = []
    for number, text in enumerate(body.split(b"\n"), 1):
        if not text or text.isspace():
            continue
        try:
            line = _line(text)
            items.append((line.type, _data(line.data)))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InvalidRequest(f"Line {number} is not an event: {error}.", line=number) from None
        except RecursionError:
            raise InvalidRequest(f"Line {number} is not an event: it is nested too deeply.", line=number) from None
    if not items:
        raise InvalidRequest("The batch has no events.")
    return items


def _data(raw: msgspec.Raw) -> str:
    text = bytes(raw)
    return _string(text) if text[:1] == b'"' else text.decode()
