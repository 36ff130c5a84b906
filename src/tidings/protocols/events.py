"""The native protocol, version 1: topics and their events over HTTP."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from ..auth import Authenticator
from ..errors import Gone, Invalid, NotFound, TooLarge, TooMany
from ..events import MESSAGE, ORIGIN, Offset, Page, Retention
from ..hub import Hub
from ..log import Head, parse_offset
from ..wire.run_events import merged_log
from ..wire.sse import Format, json_value
from .request import idempotency_key, parse_start, problems, publisher, reader
from .response import MAX_TOPICS, EventStreamResponse, Slots, given_id, json_response

TOPIC = Path(description="Segments of `[A-Za-z0-9_-]` joined by dots, at most 200 bytes.", examples=["rooms.lobby"])
TopicName = Annotated[str, TOPIC]


class Configuration(BaseModel):
    """What a log may forget. Absent is unlimited. Ages in seconds, sizes in bytes."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    max_age: float | None = Field(None, gt=0, le=1e12)
    max_events: int | None = Field(None, gt=0, le=1 << 53)
    max_bytes: int | None = Field(None, gt=0, le=1 << 53)
    ttl: float | None = Field(None, gt=0, le=1e12, description="The topic expires this long after its last event.")


class Line(msgspec.Struct):
    """A line of an ndjson batch."""

    data: msgspec.Raw
    type: str = MESSAGE


class Rate:
    """A token bucket a subject: `rate` events a second, bursts of ten seconds' worth; 0 is without limit."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self._buckets: dict[str, tuple[float, float]] = {}

    def spend(self, owner: str, count: int) -> None:
        """Raises TooMany."""
        if not self.rate:
            return
        now = time.monotonic()
        left, at = self._buckets.get(owner, (self.rate * 10, now))
        left = min(left + (now - at) * self.rate, self.rate * 10)
        if left < count:
            raise TooMany(f"You may publish {self.rate:g} events a second. Wait a moment.")
        if len(self._buckets) > 10_000:
            self._buckets.clear()
        self._buckets[owner] = (left - count, now)


class Limits(msgspec.Struct, frozen=True):
    """What one request may ask for. Bytes, and events a second."""

    body: int = 1 << 20
    batch: int = 8 << 20
    rate: float = 100_000.0


_lines = msgspec.json.Decoder(Line)


def routes(hub: Hub, auth: Authenticator, slots: Slots, limits: Limits | None = None) -> APIRouter:
    """The router of the native protocol."""
    limits = limits or Limits()
    rate = Rate(limits.rate)
    router = APIRouter(tags=["events"])

    @router.get(
        "/events",
        summary="Follow topics",
        response_class=Response,
        responses={
            200: {"description": "An event stream", "content": {"text/event-stream": {"schema": {"type": "string"}}}},
            204: {"description": "The topics are closed and read: do not come back."},
            **problems(),
        },
    )
    async def follow(
        request: Request,
        topic: Annotated[list[str], Query(description="A topic; repeat for more, at most 32.")],
        start: Annotated[
            str, Query(alias="from", description="`earliest`, `tail` or an offset; used without a last event ID.")
        ] = "tail",
        last_event_id: Annotated[str, Query(description="For clients that cannot send the header.")] = "",
        envelope: Annotated[bool, Query(description="Each data is {topic, offset, type, time, data}.")] = False,
    ) -> Response:
        subject = await reader(auth, request, *topic[:MAX_TOPICS])
        return EventStreamResponse(
            hub,
            topic,
            start=parse_start(start),
            last_event_id=given_id(request.scope) or last_event_id,
            format=Format(envelope=envelope),
            expires=subject.expires,
            slots=slots,
            owner=subject.name or "",
        )

    @router.get("/topics", summary="List topics", responses=problems())
    async def topics(
        request: Request,
        prefix: Annotated[str, Query(max_length=200)] = "",
        after: Annotated[str, Query(max_length=200)] = "",
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> Response:
        subject = await reader(auth, request)
        names: list[str] = []
        while len(names) < limit and (found := await hub.topics(prefix, after, limit)):
            names += filter(subject.may_subscribe, found)
            after = found[-1]
        return json_response({"topics": names[:limit]})

    @router.get("/topics/{topic}", summary="Describe a topic", responses=problems(404))
    async def describe(request: Request, topic: TopicName) -> Response:
        await reader(auth, request, topic)
        return json_response(described(topic, await hub.describe(topic)))

    @router.put("/topics/{topic}", summary="Create or configure a topic", responses=problems(409))
    async def configure(request: Request, topic: TopicName, to: Configuration) -> Response:
        await publisher(auth, request, topic)
        retention = Retention(to.max_age, to.max_events, to.max_bytes)
        return json_response(described(topic, await hub.configure(topic, retention=retention, ttl=to.ttl)))

    @router.post("/topics/{topic}/close", summary="Close a topic: no event will follow", responses=problems(404))
    async def close(request: Request, topic: TopicName) -> Response:
        await publisher(auth, request, topic)
        if await hub.describe(topic) is None:
            raise NotFound(f"There is no topic {topic}.")
        return json_response(described(topic, await hub.close_topic(topic)))

    @router.delete("/topics/{topic}", summary="Delete a topic and its events", status_code=204, responses=problems())
    async def delete(request: Request, topic: TopicName) -> Response:
        await publisher(auth, request, topic)
        await hub.delete(topic)
        return Response(status_code=204)

    @router.get("/topics/{topic}/events", summary="Read a page of events", responses=problems(404, 410))
    async def read(
        request: Request,
        topic: TopicName,
        after: Annotated[str, Query(description="An offset; without one, from the earliest event.")] = "",
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        merge: Annotated[bool, Query(description="Merge neighbouring deltas of a run's blocks.")] = False,
    ) -> Response:
        await reader(auth, request, topic)
        page = await hub.read(topic, parse_offset(after) if after else None, limit)
        if page.lost is not None:
            raise Gone(f"Events after {after} are gone: {page.lost}.", reason=page.lost, earliest=str(page.earliest))
        return json_response(page_value(page, merge))

    @router.post(
        "/topics/{topic}/events",
        summary="Publish",
        status_code=201,
        description="The body is the data of one event, any UTF-8 text. With the type `application/x-ndjson`, each "
        'line is an event `{"type"?, "data"}`, and all are stored in one commit.',
        responses={200: {"description": "The key was seen: the first offsets again."}, **problems(409, 413)},
        openapi_extra={
            "requestBody": {
                "content": {
                    "text/plain": {"schema": {"type": "string"}},
                    "application/json": {"schema": {}},
                    "application/x-ndjson": {"schema": {"type": "string"}},
                }
            },
            "parameters": [
                {"in": "header", "name": "Idempotency-Key", "schema": {"type": "string", "maxLength": 200}},
            ],
        },
    )
    async def publish(
        request: Request,
        topic: TopicName,
        type: Annotated[str, Query(description="The event's type.")] = MESSAGE,
        transient: Annotated[bool, Query(description="To whoever follows now; never stored.")] = False,
    ) -> Response:
        subject = await publisher(auth, request, topic)
        many = request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/x-ndjson"
        body = await read_body(request, limits.batch if many else limits.body)
        items = parse_lines(body) if many else [(type, utf8(body))]
        rate.spend(subject.name or "", len(items))
        key = idempotency_key(request)
        if transient:
            if key is not None:
                raise Invalid("A transient event is not stored, so it cannot have an Idempotency-Key.")
            for kind, data in items:
                await hub.cast(topic, data, kind)
            return Response(status_code=202)
        done = await hub.append(topic, items, key=key)
        value = {"offset": str(done.last), "first": str(done.first), "last": str(done.last)}
        return json_response(value, 200 if done.duplicate else 201)

    return router


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
    """Raises Invalid."""
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise Invalid(f"The body is not UTF-8: byte {error.start} cannot be read.") from None


def parse_lines(body: bytes) -> list[tuple[str, str]]:
    """The events of an ndjson body: a JSON string's text is the data, any other value's JSON text. Raises Invalid."""
    try:
        return [(line.type, _data(line.data)) for line in _lines.decode_lines(body)] or _no_lines()
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    for number, text in enumerate(body.split(b"\n"), 1):
        try:
            if text.strip():
                _data(_lines.decode(text).data)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Invalid(f"Line {number} is not an event: {error}.", line=number) from None
    raise Invalid("The body is not newline-delimited JSON: each event takes one line.")


def _no_lines() -> list[tuple[str, str]]:
    raise Invalid("The batch has no events.")


def _data(raw: msgspec.Raw) -> str:
    text = bytes(raw)
    return msgspec.json.decode(text, type=str) if text[:1] == b'"' else text.decode()


def described(topic: str, head: Head | None) -> dict[str, Any]:
    """A topic's state as JSON. Raises NotFound."""
    if head is None:
        raise NotFound(f"There is no topic {topic}.")
    return {
        "topic": topic,
        "epoch": head.epoch,
        "earliest": str(Offset(head.epoch, head.start + 1)),
        "tail": str(Offset(head.epoch, head.tail)),
        "closed": head.closed,
        "retention": head.retention._asdict(),
        "ttl": head.ttl,
    }


def page_value(page: Page, merge: bool = False) -> dict[str, Any]:
    """A page as JSON. An event's data is its JSON value if its text is JSON, else the text."""
    events: Sequence[Any] = merged_log(page.events) if merge else page.events
    return {
        "events": [
            {"offset": str(e.offset or ORIGIN), "type": e.type, "time": e.time, "data": json_value(e.data)}
            for e in events
        ],
        "next": str(page.next),
        "earliest": str(page.earliest),
        "tail": str(page.tail),
        "up_to_date": page.up_to_date,
        "closed": page.closed,
    }
