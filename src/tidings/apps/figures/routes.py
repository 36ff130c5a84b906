"""Metrics of OpenTelemetry over HTTP (OTLP): each point becomes events of the topics `figures.NAME`."""

from __future__ import annotations

import asyncio
import hashlib
from time import time_ns
from typing import TYPE_CHECKING, Any

import msgspec
from fastapi import Request
from starlette.responses import Response

from tidings.access.access import Access
from tidings.access.subject import Subject
from tidings.api import Hub
from tidings.errors import (
    Closed,
    Forbidden,
    InvalidRequest,
    TidingsError,
    TooManyRequests,
    missing_package,
)
from tidings.http.creating import creating
from tidings.http.openapi import DirectRoute
from tidings.http.publish import guarded
from tidings.http.request import Direct, client_key, header, read_body
from tidings.log.names import valid_topic

from .figures import Figures
from .growth import Growth

if TYPE_CHECKING:
    from .otlp import Export
    from .otlp_messages import Encoding

PATH = "/v1/metrics"

EXTRA = "otlp"

LARGEST = 4 << 20
"""Bytes of a body."""

WAITING = 16
"""Requests that may wait while another is read."""

PROTOBUF: Encoding = "application/x-protobuf"
JSON: Encoding = "application/json"

_DESCRIPTION = (
    "The body is an `ExportMetricsServiceRequest` of OTLP/HTTP 1.x, as Protocol Buffers or as JSON, also by gzip. "
    "Each point becomes events of the topics `figures.NAME`. The answer has the type of the body, and `partialSuccess` "
    "counts the points that were refused, with a reason."
)
_STATUS: dict[str, Any] = {"type": "object", "properties": {"message": {"type": "string"}}}
_RESPONSE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "partialSuccess": {
            "type": "object",
            "properties": {"rejectedDataPoints": {"type": "string"}, "errorMessage": {"type": "string"}},
        }
    },
}


def _answers(text: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": text, "content": {JSON: {"schema": schema}, PROTOBUF: {"schema": {"type": "string"}}}}


OPERATION: dict[str, Any] = {
    "tags": ["figures"],
    "summary": "Take metrics of OpenTelemetry",
    "description": _DESCRIPTION,
    "requestBody": {
        "required": True,
        "content": {
            JSON: {"schema": {"type": "object"}},
            PROTOBUF: {"schema": {"type": "string", "contentMediaType": PROTOBUF}},
        },
    },
    "responses": {
        200: _answers("The figures are stored, but for those that are counted.", _RESPONSE),
        **{
            status: _answers(text, _STATUS)
            for status, text in {
                400: "The body is no such request; nothing was stored.",
                401: "The request has no valid token.",
                403: "The token does not allow publishing to any of the topics.",
                408: "The request came too slowly.",
                413: "The body is over a limit.",
                415: "The body is of another type or encoding.",
                429: "The sender is over a limit, or many requests wait; `Retry-After` says how long to wait.",
                431: "The request's line and headers are over 64 KB.",
                501: "The server has no `opentelemetry-proto`.",
                503: "The store cannot be reached.",
            }.items()
        },
    },
}


class _Unsupported(TidingsError):
    status = 415
    title = "Unsupported"


class _NotInstalled(TidingsError):
    status = 501
    title = "Not installed"


class Intake:
    """Answers `POST /v1/metrics`. Figures are stored as if the sender had published them to their topics.

    A sender that had no answer sends the same bytes again: what is stored by then is not stored twice.
    """

    def __init__(self, hub: Hub, access: Access) -> None:
        self.hub = hub
        self.access = access
        self.growth: Growth = Growth()
        self._reading = asyncio.Lock()
        self._waiting = 0

    def route(self) -> DirectRoute:
        """Return the route."""
        return DirectRoute("POST", PATH, Direct(self.answer), OPERATION)

    async def answer(self, request: Request) -> Response:
        """Store the figures of the request, and answer in its encoding, also what is refused."""
        kind = (header(request.scope, b"content-type") or "").partition(";")[0].strip().lower()
        encoding: Encoding = PROTOBUF if kind == PROTOBUF else JSON
        try:
            return Response(await self._take(request, kind, encoding), media_type=encoding)
        except TidingsError as error:
            headers = {"cache-control": "no-store"}
            if error.status == 401:
                headers["www-authenticate"] = "Bearer"
            if error.status == 415:
                headers["accept-encoding"] = "gzip"
            if error.status in (429, 503):
                headers["retry-after"] = str(error.members.get("retry_after", 1))
            return Response(write_status(str(error), encoding), error.status, headers, encoding)

    async def _take(self, request: Request, kind: str, encoding: Encoding) -> bytes:
        subject = await self.access.authenticator.authenticate(request.scope["headers"], unsafe=True)
        packing = (header(request.scope, b"content-encoding") or "identity").strip().lower()
        if kind not in (PROTOBUF, JSON):
            raise _Unsupported(f"The type of the body is {PROTOBUF} or {JSON}.")
        if packing not in ("identity", "gzip"):
            raise _Unsupported("A body is sent as it is, or by gzip.")
        body = await read_body(request, LARGEST)
        if self._waiting >= WAITING:
            raise TooManyRequests("Many metrics are being read. Send these again later.", retry_after=1)
        self._waiting += 1
        try:
            async with self._reading:
                export, key = await asyncio.to_thread(self._read, body, packing == "gzip", encoding, subject)
        finally:
            self._waiting -= 1
        figures = export.figures
        if not figures.topics and isinstance(figures.error, Forbidden):
            raise figures.error
        await self._store(subject, figures, key if export.timed else None)
        self.growth.keep(export.seen)
        from .otlp_messages import write_response

        return write_response(figures.refused, figures.reason, encoding)

    def _read(self, body: bytes, packed: bool, encoding: Encoding, subject: Subject) -> tuple[Export, str]:
        """Return the figures of a body, and the key by which the same body is known again. Raises TidingsError."""
        # Imported where it is used: a server needs the library only once metrics come.
        try:
            from .otlp import Export
            from .otlp_messages import read_request, unpacked
        except ModuleNotFoundError as error:
            raise _NotInstalled(missing_package(error, EXTRA)) from None
        known: dict[str, str | TidingsError] = {}

        def check(topic: str) -> str:
            if (answer := known.get(topic)) is None:
                answer = known[topic] = self._checked(subject, topic)
            if isinstance(answer, TidingsError):
                raise answer
            return answer

        if packed:
            body = unpacked(body)
        export = Export(read_request(body, encoding), self.growth, time_ns(), check, subject.name or "")
        return export, client_key(subject.name, f"otlp {hashlib.sha256(body).hexdigest()}")

    def _checked(self, subject: Subject, topic: str) -> str | TidingsError:
        try:
            if subject.may_publish(valid_topic(topic)):
                return topic
        except InvalidRequest as error:
            return error
        return Forbidden(f"Your token does not allow publishing to {topic}.", topic=topic)

    async def _store(self, subject: Subject, figures: Figures, key: str | None) -> None:
        """Append the events of each topic; count the figures of topics that are closed. Raises TidingsError."""
        if subject.limits is not None:
            self.access.limits.spend(subject, "publishes", sum(map(len, figures.topics.values())))
        appends = [self._append(subject, topic, items, key) for topic, items in figures.topics.items()]
        # Each is waited for: what is refused by one topic does not leave the others half done.
        outcomes = await asyncio.gather(*appends, return_exceptions=True)
        closed = dict[str, TidingsError]()
        for topic, outcome in zip(figures.topics, outcomes, strict=True):
            if isinstance(outcome, Closed | InvalidRequest | Forbidden):
                closed[topic] = outcome
            elif isinstance(outcome, BaseException):
                raise outcome
        figures.refuse_topics(closed)

    async def _append(self, subject: Subject, topic: str, items: list[tuple[str, str]], key: str | None) -> None:
        if (guard := self.access.guards.of(topic)) is not None:
            await guarded(self.hub, guard, subject, topic, items, key)
        elif subject.limits is None:
            await self.hub.log.append(topic, items, key=key)
        else:
            async with creating(self.hub, self.access.limits, subject, topic) as created:
                done = await self.hub.log.append(topic, items, key=key)
                if done.first.n == 1 and not done.duplicate:
                    created()


def write_status(message: str, encoding: Encoding) -> bytes:
    """Return the message google.rpc.Status of an error, which a server without the library writes, too."""
    if encoding == JSON:
        return msgspec.json.encode({"message": message})
    text = message.encode()
    size, rest = bytearray(), len(text)
    while rest > 0x7F:
        size.append(rest & 0x7F | 0x80)
        rest >>= 7
    return b"\x12" + bytes([*size, rest]) + text
