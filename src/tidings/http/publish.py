"""Publishing over HTTP: one event, or a batch in one commit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec
from fastapi import Request
from msgspec import UNSET, Meta, UnsetType
from starlette.responses import Response

from tidings.access.access import Access
from tidings.access.guards import Guard, Items, naming
from tidings.access.subject import Subject
from tidings.delivery.hub import Hub
from tidings.errors import Closed, Conflict, InvalidRequest, TidingsError, TooLarge
from tidings.events import MESSAGE, Offset, check_nesting
from tidings.log.names import MAX_DATA
from tidings.log.rules import NEW, Appended, Expected
from tidings.slices import beside, in_slices

from .creating import creating
from .openapi import KEY, TOPIC_PARAMETER, TYPE, DirectRoute, problems, shape
from .request import Direct, Query, header, idempotency_key, read_body
from .response import json_response


class Published(msgspec.Struct):
    """The offsets of the first and the last event; `offset` is the last."""

    offset: str
    first: str
    last: str


class Line(msgspec.Struct, forbid_unknown_fields=True):
    """A line of an ndjson batch."""

    data: msgspec.Raw
    type: str | UnsetType = UNSET


class Sizes(msgspec.Struct, frozen=True):
    """The limits of one request: bytes of a body and of a batch, and lines of a batch."""

    body: int = 1 << 20
    batch: int = 8 << 20
    lines: int = 10_000


RACES = 8
"""Times that events are checked again because another append came first."""

PART = 16 * 1024
"""Bytes of a batch that are parsed in one turn of the event loop, unless one line is longer: up to 2 ms."""

LINES: dict[str, Any] = {
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
_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_string = msgspec.json.Decoder(str).decode
_any = msgspec.json.Decoder(msgspec.Raw).decode


class PublishQuery(Query, frozen=True):
    """The parameters of publishing."""

    type: Annotated[str, Meta(description="The event's type.", extra_json_schema=TYPE)] = MESSAGE
    transient: Annotated[bool, Meta(description="Send to the readers that follow now, and store nothing.")] = False
    expected: Annotated[
        str,
        Meta(
            description="The state of the topic without which nothing is stored: `new`, an epoch, or an offset.",
            extra_json_schema={"pattern": r"^([A-Za-z0-9]{1,16}(-[0-9]{1,18})?)?$"},
        ),
    ] = ""
    close: Annotated[bool, Meta(description="Close the topic with this event.")] = False


OPERATION: dict[str, Any] = {
    "tags": ["events"],
    "summary": "Publish",
    "description": "The body is the data of one event, any UTF-8 text. With the type `application/x-ndjson`, each "
    'line is an event `{"type"?, "data"}`, and all are stored in one commit.',
    "parameters": [TOPIC_PARAMETER, *PublishQuery.parameters(), KEY],
    "requestBody": {
        "content": {
            "text/plain": {"schema": {"type": "string"}},
            "application/json": {"schema": {}},
            "application/x-ndjson": {"schema": LINES},
        }
    },
    "responses": {
        200: shape(Published, "The key was seen: the first offsets again."),
        201: shape(Published, "The events are stored."),
        202: {"description": "The event was sent to its present readers."},
        **problems(409, 413),
    },
}


class Publishing:
    """Answers `POST /topics/T/events`."""

    def __init__(self, hub: Hub, access: Access, sizes: Sizes | None = None) -> None:
        self.hub = hub
        self.access = access
        self.sizes: Sizes = sizes or Sizes()

    def route(self) -> DirectRoute:
        """Return the route."""
        return DirectRoute("POST", "/topics/{topic}/events", Direct(self.publish), OPERATION)

    async def publish(self, request: Request) -> Response:
        """Store the events of the request, and answer with their offsets. Raises TidingsError."""
        topic: str = request.path_params["topic"]
        subject = await self.access.publisher(request.scope["headers"], topic)
        query = PublishQuery.read(request.scope)
        guard = self.access.guards.of(topic)
        items = await self._items(request, query.type, guard)
        if subject.limits is not None:
            self.access.limits.spend(subject, "publishes", len(items))
        key = idempotency_key(request, subject)
        if query.transient:
            if key is not None or query.expected or query.close:
                raise InvalidRequest(
                    "A transient event is not stored: it takes no Idempotency-Key, `expected` or `close`."
                )
            if guard is not None:
                with naming(topic):
                    items = (await guard.admit(subject, topic, items, transient=True)).items
            async for kind, data in in_slices(items):
                await self.hub.publish(topic, data, kind, transient=True)
            return Response(status_code=202)
        if query.close:
            await self.access.manager(request.scope["headers"], topic)
        if guard is not None and (query.expected or query.close):
            raise InvalidRequest("Events of an app take no `expected` and no `close`.")
        expected = parse_expected(query.expected)

        async def append() -> Appended:
            if guard is not None:
                return await guarded(self.hub, guard, subject, topic, items, key)
            return await self.hub.log.append(topic, items, key=key, expected=expected, close=query.close)

        if subject.limits is None:
            done = await append()
        else:
            async with creating(self.hub, self.access.limits, subject, topic) as created:
                done = await append()
                if done.first.n == 1 and not done.duplicate:
                    created()
        value = Published(offset=str(done.last), first=str(done.first), last=str(done.last))
        return json_response(value, 200 if done.duplicate else 201)

    async def _items(self, request: Request, type: str, guard: Guard | None) -> Items:
        """Read the events of the body. Raises TooLarge or InvalidRequest."""
        kind = (header(request.scope, b"content-type") or "").partition(";")[0].strip().lower()
        if kind == "application/x-ndjson":
            return await parse_lines(await read_body(request, self.sizes.batch), self.sizes.lines)
        body = await read_body(request, self.sizes.body)
        is_checked = kind != "application/json" or (guard is not None and guard.reads_json)
        return [(type, utf8(body) if is_checked else await beside(len(body), json_text, body))]


def parse_expected(text: str) -> Literal[Expected.NEW] | str | Offset | None:
    """Return the condition that the text names, or None for an empty text. Raises InvalidRequest."""
    if text == "new":
        return NEW
    if "-" in text:
        return Offset.parse(text)
    if text and not (text.isascii() and text.isalnum() and len(text) <= 16):
        raise InvalidRequest("`expected` is `new`, an epoch, or an offset.")
    return text or None


async def guarded(hub: Hub, guard: Guard, subject: Subject, topic: str, items: Items, key: str | None) -> Appended:
    """Append the events that a guard admits, and call its `published`.

    A key that was seen has its first answer, even if the guard would refuse the events by now. Raises what `admit`
    does, Conflict, Closed, Unavailable or OutcomeUnknown.
    """
    for tries in range(1, RACES + 1):
        try:
            with naming(topic):
                admitted = await guard.admit(subject, topic, items, transient=False)
        except TidingsError as refusal:
            before = await seen(hub, topic, items, key)
            if before is None and isinstance(refusal, Conflict):
                before = await guard.repeated(subject, topic, items)
            if before is None:
                raise refusal
            done = before
            break
        try:
            # A topic of an app belongs to the person who creates it. The hub's default retention is not for it.
            done = await hub.log.append(
                topic,
                admitted.items,
                key=key,
                expected=admitted.expected,
                owner=subject.name or "",
                default=None,
                labels=admitted.labels,
            )
        except Conflict as conflict:
            if admitted.expected is None or tries == RACES or isinstance(conflict, Closed):
                raise
        else:
            break
    with naming(topic):
        if done.duplicate:
            await guard.published(subject, topic, await stored(hub, topic, done), done)
        else:
            await guard.published(subject, topic, admitted.items, done, admitted.note)
    return done


async def stored(hub: Hub, topic: str, done: Appended) -> Items:
    """Read the events of an earlier append. Raises Unavailable or NotFound."""
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
    """Return the append that the key belongs to, None if the log does not know the key. Raises Unavailable."""
    if key is None:
        return None
    try:
        # No log has this epoch: nothing is appended. A key that was seen is answered before anything is expected.
        return await hub.log.append(topic, items, key=key, expected="")
    except (InvalidRequest, Conflict):
        return None


def utf8(body: bytes) -> str:
    """Decode a body. Raises InvalidRequest."""
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"The body is not UTF-8: byte {error.start} cannot be read.") from None


def json_text(body: bytes) -> str:
    """Return the text of a body that must be JSON. Raises InvalidRequest: readers would be given a string instead."""
    try:
        _any(body)
        check_nesting(text := utf8(body))
    except msgspec.DecodeError as error:
        raise InvalidRequest(f"The body is not JSON: {error}.") from None
    except RecursionError:
        raise InvalidRequest("The body is JSON that is nested too deeply.") from None
    return text


async def parse_lines(body: bytes, most: int) -> list[tuple[str, str]]:
    """Return the events of an ndjson body: the text of a JSON string is the data, else the JSON text itself.

    Other tasks have turns meanwhile. Raises TooLarge for more than `most` lines, InvalidRequest.
    """
    count = 0
    async for start in in_slices(range(0, len(body), PART)):
        count += body.count(b"\n", start, start + PART)
        if count > most:
            raise TooLarge(f"A batch has at most {most:,} lines.", limit=most)
    items, number = list[tuple[str, str]](), 1
    async for part in in_slices(_parts(body)):
        lines = part.split(b"\n")
        items += await beside(len(part), _parse, lines, number, part)
        number += len(lines)
    if not items:
        raise InvalidRequest("The batch has no events.")
    return items


def _parts(body: bytes) -> Iterator[bytes]:
    """Yield the body in parts of whole lines, which are no longer than PART by more than a line."""
    start = 0
    while start < len(body):
        end = body.find(b"\n", start + PART)
        if end < 0:
            end = len(body)
        yield body[start:end]
        start = end + 1


def _parse(lines: list[bytes], first: int, part: bytes) -> list[tuple[str, str]]:
    """Return the events of the lines of one part, which begins with line `first`. Raises InvalidRequest."""
    items, typed = list[tuple[str, str]](), 0
    for number, text in enumerate(lines, first):
        if not text or text.isspace():
            continue
        try:
            line = _line(text)
            kind = line.type
            if kind is UNSET:
                kind = MESSAGE
            else:
                typed += 1
            items.append((kind, _data(line.data)))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InvalidRequest(f"Line {number} is not an event: {str(error)[:200]}.", line=number) from None
        except RecursionError:
            raise InvalidRequest(f"Line {number} is not an event: it is nested too deeply.", line=number) from None
    # Each line has its members at least once. In almost every part the counts say that none has a member twice.
    if b"\\" in part or part.count(b'"data"') != len(items) or part.count(b'"type"') != typed:
        for number, text in enumerate(lines, first):
            if text and not text.isspace() and _is_doubled(text):
                raise InvalidRequest(f"Line {number} is not an event: it has a member twice.", line=number)
    return items


def _is_doubled(line: bytes) -> bool:
    """True for a line that has a member twice, of which the decoder takes the last.

    Only a line that looks so is read again, and then it must be as long as its members are. A name with escapes counts
    as a second one.
    """
    rest = line.replace(bytes(_line(line).data), b"", 1)
    if rest.count(b'"data"') < 2 and rest.count(b'"type"') < 2 and b"\\" not in rest:
        return False
    size = sum(len(name) + len('"":,') + len(_packed(bytes(value))) for name, value in _members(line).items())
    return len(_packed(line)) != len("{") + size


def _packed(text: bytes) -> bytes:
    return text.translate(None, b" \t\r\n")


def _data(raw: msgspec.Raw) -> str:
    text = str(raw, "utf-8")
    if text[0] == '"':
        return _string(text)
    if len(text) <= MAX_DATA:  # longer data is refused for its size
        check_nesting(text)
    return text
