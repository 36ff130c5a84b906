"""The parts of the OpenAPI document that many routes share, and the routes that describe themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.routing import Match, Route, compile_path
from starlette.types import ASGIApp, Scope

from tidings.delivery.response import EVENT
from tidings.log.names import MAX_NAME

REF = "#/components/schemas/{name}"


class Problem(msgspec.Struct):
    """A problem document (RFC 9457). Some have further members, such as `reason` and `earliest` where events are
    gone."""

    title: str
    status: int
    detail: str


SHAPES: set[type[msgspec.Struct]] = {Problem}
"""The shapes of answers: the schemas that the document refers to."""

# These patterns only document parameters. The rules of the log refuse what breaks them, in better words.
OFFSET = r"[A-Za-z0-9]{1,16}-(0|[1-9][0-9]{0,17})"
POSITIONS = f"{OFFSET}(~{OFFSET}){{0,31}}"
START = f"^(earliest|tail|-[1-9][0-9]{{0,5}}|-1000000|{OFFSET})$"
TOPIC: dict[str, Any] = {"pattern": r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$", "minLength": 1, "maxLength": MAX_NAME}
TYPE: dict[str, Any] = {"pattern": r"^(?!tidings\.)[^\r\n\x00]+$", "minLength": 1, "maxLength": MAX_NAME}


def last_event_id(pattern: str) -> dict[str, Any]:
    """Describe the header `Last-Event-ID`, whose text matches `pattern`."""
    return {
        "in": "header",
        "name": "Last-Event-ID",
        "description": "The id of the last event that the client has: the stream goes on after it.",
        "schema": {"type": "string", "maxLength": 512, "pattern": f"^({pattern})?$"},
    }


LAST_EVENT_ID = last_event_id(POSITIONS)
KEY: dict[str, Any] = {
    "in": "header",
    "name": "Idempotency-Key",
    "description": "The same key again within 24 h does nothing, and has the same answer.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[ -~]+$"},
}

Responses = dict[int | str, dict[str, Any]]
"""Responses of OpenAPI, by status."""

PROBLEMS: Responses = {
    status: {
        "description": text,
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for status, text in {
        400: "The request breaks a rule; nothing was stored.",
        401: "The request has no valid token.",
        403: "The token does not allow the request.",
        404: "The topic, run or room does not exist.",
        408: "The request came too slowly.",
        409: "The topic is closed, or not in the expected state.",
        410: "The events after the offset are gone.",
        413: "The request is over a limit.",
        416: "The file has no byte in the range.",
        422: "A parameter is missing, unknown or of the wrong type.",
        429: "The sender is over a limit; `Retry-After` says how long to wait.",
        431: "The request's line and headers are over 64 KB.",
        503: "The store cannot be reached.",
    }.items()
}


def shape(struct: type[msgspec.Struct], text: str) -> dict[str, Any]:
    """Describe a response that is JSON of this shape."""
    SHAPES.add(struct)
    schema = {"$ref": REF.format(name=struct.__name__)}
    return {"description": text, "content": {"application/json": {"schema": schema}}}


def stream(end: str) -> Responses:
    """Describe the responses of an event stream; `end` describes the one of a stream that has been read to its end."""
    content = {"text/event-stream": {"itemSchema": EVENT}}
    return {200: {"description": "An event stream", "content": content}, 204: {"description": end}}


def problems(*statuses: int) -> Responses:
    """Describe the responses of these problem statuses, and of those that any request may meet."""
    return {status: PROBLEMS[status] for status in sorted({400, 401, 403, 408, 422, 429, 431, 503, *statuses})}


def path_parameter(name: str, text: str, schema: Mapping[str, Any], example: str) -> dict[str, Any]:
    """Describe a parameter in a path."""
    value = {"type": "string", **schema, "examples": [example]}
    return {"in": "path", "name": name, "required": True, "description": text, "schema": value}


TOPIC_PARAMETER = path_parameter(
    "topic", "Segments of `[A-Za-z0-9_-]` joined by dots, at most 200 bytes.", TOPIC, "chat.lobby"
)


class DirectRoute(Route):
    """A route that the server's app answers itself, without the stack of its framework, for every request.

    Following and publishing are such routes: of the 170 µs and 924 calls that one event cost within the stack, it
    needed 93 µs and 371 calls. The route carries its own part of the OpenAPI document.
    """

    def __init__(self, method: str, path: str, endpoint: ASGIApp, operation: Mapping[str, Any]) -> None:
        super().__init__(path, endpoint, methods=[method])
        self.method = method
        self.methods: set[str] = {method}  # Starlette adds HEAD to GET, and a HEAD must not start a run
        self.operation: dict[str, Any] = dict(operation)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        return super().matches(scope) if scope["method"] == self.method else (Match.NONE, {})

    def describe(self, paths: dict[str, Any]) -> None:
        """Add the operation to the `paths` of a document."""
        words = "".join(c if c.isalnum() else "_" for c in f"{self.operation['summary']}{self.path}".lower())
        named = {"operationId": f"{words}_{self.method.lower()}", **self.operation}
        named["responses"] = {str(status): answer for status, answer in self.operation["responses"].items()}
        paths.setdefault(self.path, {})[self.method.lower()] = named


def methods_at(paths: Mapping[str, Any], path: str) -> set[str]:
    """Return the methods that a document's `paths` allow at a request's path."""
    return {
        method.upper()
        for template, operations in paths.items()
        if compile_path(template)[0].match(path)
        for method in operations
    }
