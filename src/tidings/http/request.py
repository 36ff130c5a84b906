"""What the dialects' requests have in common: the problem responses of OpenAPI, offsets and keys in parameters."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import unquote_to_bytes

import msgspec
from fastapi import Path, Query, Request

from tidings.access.subject import Subject
from tidings.access.tokens import Authenticator
from tidings.delivery.topics import Start
from tidings.errors import Forbidden, InvalidRequest
from tidings.events import Offset
from tidings.log.names import parse_offset, valid_topic


class Problem(msgspec.Struct):
    """What is wrong (RFC 9457). Some have further members, such as `reason` and `earliest` where events are gone."""

    title: str
    status: int
    detail: str


SHAPES: set[type[msgspec.Struct]] = {Problem}
"""What answers look like: the schemas that OpenAPI refers to."""

# What OpenAPI says of parameters. What breaks it is refused by the rules of the log, in better words.
OFFSET = r"[A-Za-z0-9]{1,16}-(0|[1-9][0-9]{0,17})"
POSITIONS = f"{OFFSET}(~{OFFSET}){{0,31}}"
TOPIC = {"pattern": r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$", "minLength": 1, "maxLength": 200}

TopicName = Annotated[
    str,
    Path(
        description="Segments of `[A-Za-z0-9_-]` joined by dots, at most 200 bytes.",
        examples=["chat.lobby"],
        json_schema_extra=TOPIC,
    ),
]
StartAt = Annotated[
    str,
    Query(
        alias="from",
        description="`earliest`, `tail` or an offset; used without a last event ID.",
        json_schema_extra={"pattern": f"^(earliest|tail|{OFFSET})$"},
    ),
]
LastEventId = Annotated[
    str,
    Query(
        description="For clients that cannot send the header.",
        json_schema_extra={"pattern": f"^({POSITIONS})?$", "maxLength": 512},
    ),
]
Enveloped = Annotated[bool, Query(description="Each data is {topic, offset, type, time, data}.")]


def last_event_id(pattern: str) -> dict[str, Any]:
    """The header, for OpenAPI."""
    return {
        "in": "header",
        "name": "Last-Event-ID",
        "description": "The id of the last event that the client has: the stream goes on after it.",
        "schema": {"type": "string", "maxLength": 512, "pattern": f"^({pattern})?$"},
    }


LAST_EVENT_ID = last_event_id(POSITIONS)
KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "description": "The same key again within 24 h does nothing, and has the same answer.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[ -~]+$"},
}
"""Headers, for OpenAPI."""

Responses = dict[int | str, dict[str, Any]]
"""Of OpenAPI, by status."""

PROBLEMS: Responses = {
    status: {
        "description": text,
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for status, text in {
        400: "Something breaks a rule; nothing was stored.",
        401: "No valid token.",
        403: "The token does not allow it.",
        404: "There is no such topic.",
        409: "The topic is closed, or not in the expected state.",
        410: "Events after the offset are gone.",
        413: "Over a limit.",
        422: "A parameter is missing or of the wrong type.",
        431: "The request's line and headers are over 64 KB.",
        429: "Over a rate or a number of connections.",
        503: "The store cannot be reached.",
    }.items()
}


def shape(struct: type[msgspec.Struct], text: str) -> dict[str, Any]:
    """The OpenAPI response that is JSON of this shape."""
    SHAPES.add(struct)
    schema = {"$ref": f"#/components/schemas/{struct.__name__}"}
    return {"description": text, "content": {"application/json": {"schema": schema}}}


def stream(end: str) -> Responses:
    """The OpenAPI responses of an event stream, and of one that is read to its end already."""
    fields = {"data": "string", "event": "string", "id": "string", "retry": "integer"}
    event = {"type": "object", "properties": {name: {"type": type} for name, type in fields.items()}}
    content = {"text/event-stream": {"itemSchema": {**event, "required": ["data"]}}}
    return {200: {"description": "An event stream", "content": content}, 204: {"description": end}}


def problems(*statuses: int) -> Responses:
    """The OpenAPI responses of these problem statuses, and of those that any request may meet."""
    return {status: PROBLEMS[status] for status in (400, 401, 403, 422, 429, 431, 503, *statuses)}


async def publisher(auth: Authenticator, request: Request, *topics: str) -> Subject:
    """Who asks, being allowed by their token to publish to these topics: a guard judges what is published.

    Raises Unauthenticated, Forbidden, InvalidRequest.
    """
    check_query(request)
    subject = await auth.authenticate(request.scope["headers"], unsafe=True)
    for topic in topics:
        if not subject.may_publish(valid_topic(topic)):
            raise Forbidden(f"Your token does not allow publishing to {topic}.", topic=topic)
    return subject


async def reader(auth: Authenticator, request: Request, *topics: str) -> Subject:
    """Who asks, being allowed to read these topics, past and future.

    Raises Unauthenticated, Forbidden, InvalidRequest; NotFound of a topic that a guard speaks for.
    """
    check_query(request)
    subject = await auth.authenticate(request.scope["headers"], unsafe=False)
    for topic in topics:
        if not subject.may_subscribe(valid_topic(topic)):
            raise Forbidden(f"Your token does not allow reading {topic}.", topic=topic)
        if (guard := auth.guards.of(topic)) is not None:
            await guard.read(subject, topic)
    return subject


async def manager(auth: Authenticator, request: Request, topic: str) -> Subject:
    """Who asks, being allowed to configure, close and delete the topic. Raises as `publisher`, and NotFound."""
    subject = await publisher(auth, request, topic)
    if (guard := auth.guards.of(topic)) is not None:
        await guard.manage(subject, topic)
    return subject


def check_query(request: Request) -> None:
    """Raises InvalidRequest for a query that is no text: frameworks read U+FFFD, and it would be stored."""
    query: bytes = request.scope["query_string"]
    try:
        query.decode("ascii")
        if b"%" in query:
            unquote_to_bytes(query).decode()
    except UnicodeDecodeError:
        raise InvalidRequest("The query is not percent-encoded UTF-8.") from None


def parse_start(text: str) -> Start | Offset:
    """Raises InvalidRequest."""
    if text == "earliest":
        return "earliest"
    if text == "tail":
        return "tail"
    return parse_offset(text)


def idempotency_key(request: Request) -> str | None:
    """Raises InvalidRequest."""
    key = request.headers.get("idempotency-key")
    if key is not None and not (0 < len(key) <= 200 and key.isascii() and key.isprintable()):
        raise InvalidRequest("An Idempotency-Key is 1 to 200 printable ASCII characters.")
    return key
