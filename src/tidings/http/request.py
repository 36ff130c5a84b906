"""Requests: parameters, keys and bodies, read strictly and within limits."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, ClassVar, NoReturn, Self, get_origin, get_type_hints
from urllib.parse import parse_qsl, quote

import msgspec
from fastapi import Path, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from tidings.access.access import Access
from tidings.access.subject import Subject
from tidings.delivery.response import problem_response
from tidings.errors import InvalidRequest, TidingsError, TooLarge
from tidings.events import check_nesting, outside_texts, shown
from tidings.slices import beside

from .openapi import TOPIC, TOPIC_PARAMETER
from .problems import internal_error, invalid_parameters

SMALL = 16 * 1024
"""Bytes of a body that holds a few values: a configuration, a token."""

MEMBERS = 100
"""Members of a JSON object in a body. Each unknown member would become an error of its own."""

PARAMETERS = 100
"""Parameters of a query: three times the topics of a stream. It takes 7 ms to read 15,000."""

VALUES = 20_000
"""Values of a JSON body, those inside others included. Python takes 0.7 µs to make a member or an object, and its
garbage collector as long again: 1 MB of `{}` would hold the event loop for 130 ms."""

SAFE = ("GET", "HEAD")
"""Methods that change nothing, so that any page may send them."""

REMEMBERED = 200
"""Bytes of the longest query string whose reading is remembered: publishers send the same few again and again."""


def address(request: Request, path: str) -> str:
    """Return the path at which the sender reaches `path`, below the path where this app is mounted."""
    return quote(request.scope.get("root_path", "")) + path


def _decimal(value: object) -> object:
    if isinstance(value, str) and not (value.isascii() and value.isdigit()):
        raise ValueError("a whole number in decimal digits")
    return value


def _whole(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _flag(value: object) -> object:
    if isinstance(value, str) and value not in ("true", "false"):
        raise ValueError("`true` or `false`")
    return value


DECIMAL = BeforeValidator(_decimal)
"""Annotates a whole number in a query: digits only, since pydantic would also take ` 5 `, `5.0` and `1_000`. Stands
after the number's limits, which would else be missing in OpenAPI."""

WHOLE = BeforeValidator(_whole)
"""Annotates a whole number in a body: 5.0 is one in JSON, as JSON Schema says, and 5.5, `true` and "5" are none. Stands
after the number's limits, too."""

Flag = Annotated[bool, BeforeValidator(_flag)]
"""A flag in a query: `true` or `false` only, since pydantic would also take `on`, `y` and `1`."""

TopicName = Annotated[
    str, Path(description=TOPIC_PARAMETER["description"], examples=["chat.lobby"], json_schema_extra=TOPIC)
]


class Body(BaseModel):
    """A JSON body, read strictly: no unknown members, no conversions, no more than MEMBERS members."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _few(cls, value: Any) -> Any:
        if isinstance(value, Mapping) and len(value) > MEMBERS:
            raise ValueError(f"an object of at most {MEMBERS} members")
        return value


class Query(msgspec.Struct, frozen=True):
    """The query of a direct route: fields that are text, flags or tuples of text (parameters that may be repeated).

    `Query.read` refuses a parameter that is unknown, missing, repeated or not of its type; OpenAPI shows the same
    fields.
    """

    aliases: ClassVar[Mapping[str, str]] = {}
    """Further names of fields."""

    appended: ClassVar[frozenset[str]] = frozenset()
    """Fields that clients append to a URL which may have them already: the last one counts."""

    @classmethod
    def read(cls, scope: Scope) -> Self:
        """Read the query string of a request. Raises InvalidRequest or RequestValidationError."""
        query: bytes = scope["query_string"]
        read = _read_once if len(query) <= REMEMBERED else _read
        made = read(cls, query)
        assert isinstance(made, cls)
        return made

    @classmethod
    def parameters(cls) -> list[dict[str, Any]]:
        """Describe the parameters for OpenAPI."""
        schema = msgspec.json.schema(cls)["$defs"][cls.__name__]
        return [
            {
                "in": "query",
                "name": name,
                "required": name in schema.get("required", ()),
                "description": about.pop("description", ""),
                "schema": about,
            }
            for name, about in schema["properties"].items()
        ]


@functools.cache
def _fields(kind: type[Query]) -> tuple[dict[str, Any], frozenset[str]]:
    """Return the types of a query's fields, and the names of those that a request must have."""
    types = {name: type for name, type in get_type_hints(kind).items() if name in kind.__struct_fields__}
    missing = frozenset(field.name for field in msgspec.structs.fields(kind) if field.required)
    return types, missing


def _read(kind: type[Query], query: bytes) -> Query:
    if not query and not _fields(kind)[1]:
        return kind()
    types, required = _fields(kind)
    values: dict[str, Any] = {}
    repeated: dict[str, list[str]] = {}
    for given, text in pairs(query):
        name = kind.aliases.get(given, given)
        if name not in types:
            wrong(given, "There is no such parameter")
        elif types[name] == tuple[str, ...]:
            repeated.setdefault(name, []).append(text)
        elif name in values and name not in kind.appended:
            wrong(given, "The parameter is given twice")
        elif types[name] is bool and text not in ("true", "false"):
            wrong(given, "The parameter is `true` or `false`")
        else:
            values[name] = text == "true" if types[name] is bool else text
    values.update((name, tuple(texts)) for name, texts in repeated.items())
    for name in required:
        if name not in values:
            wrong(name, "Field required")
    return kind(**values)


_read_once = functools.lru_cache(maxsize=512)(_read)


def wrong(name: str, message: str) -> NoReturn:
    """Raise RequestValidationError for a parameter of the query."""
    raise RequestValidationError([{"loc": ("query", shown(name)), "msg": message, "type": "query"}])


def pairs(query: bytes) -> list[tuple[str, str]]:
    """Return the names and values of a query string.

    Raises RequestValidationError for more than PARAMETERS, and InvalidRequest for a query that is not text: frameworks
    would read U+FFFD, which would be stored.
    """
    if not query:
        return []
    if query.count(b"&") >= PARAMETERS:
        message = f"A query has at most {PARAMETERS} parameters"
        raise RequestValidationError([{"loc": ("query",), "msg": message, "type": "query"}])
    try:
        return parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        raise InvalidRequest("The query is not percent-encoded UTF-8.") from None


def strict(access: Access | None, body: int = SMALL) -> type[APIRoute]:
    """Return the class of FastAPI's routes here: `APIRouter(route_class=strict(access))`.

    It authenticates a request before its body is read, reads at most `body` bytes of that, and refuses a query with
    unknown parameters, or with repeated ones that are no lists. Parameters may be those of the route's dependencies.
    Without `access`, it authenticates nobody: the routes of signing in.
    """

    class Strict(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
            handle = super().get_route_handler()
            parts = [self.dependant, *self.dependant.dependencies]
            parameters = [field for part in parts for field in part.query_params]
            known = frozenset(field.alias for field in parameters)
            lists = frozenset(field.alias for field in parameters if get_origin(field.field_info.annotation) is list)

            async def checked(request: Request) -> Response:
                if access is not None:
                    headers = request.scope["headers"]
                    await access.authenticator.authenticate(headers, unsafe=request.method not in SAFE)
                seen = set()
                for name, _ in pairs(request.scope["query_string"]):
                    if name not in known:
                        wrong(name, "There is no such parameter")
                    if name in seen and name not in lists:
                        wrong(name, "The parameter is given twice")
                    seen.add(name)
                return await handle(BoundedRequest(request.scope, limited(request.receive, body)))

            return checked

    return Strict


class BoundedRequest(Request):
    """A request of bounded JSON.

    `json` raises a 413 for more than VALUES, and a 400 for more than NESTING levels or an object that has a member
    twice, of which Python would take the last.
    """

    async def json(self) -> Any:
        body = await self.body()
        return await beside(len(body), _json, body)


def _json(body: bytes) -> Any:
    if _has_many_values(body):
        raise HTTPException(413, f"A body has at most {VALUES:,} values.")
    try:
        check_nesting(body.decode("utf-8", "replace"))
    except RecursionError as error:
        raise HTTPException(400, f"{error}.") from None
    return json.loads(body, object_pairs_hook=_object)


def _has_many_values(body: bytes) -> bool:
    """Tell whether JSON has more than VALUES. Each but the first follows a comma or the beginning of another."""
    if _begun(body) <= VALUES:
        return False
    # A value has two texts at most, its name and itself. A body of more is not taken apart.
    return body.count(b'"') - body.count(b'\\"') > 4 * VALUES or _begun(outside_texts(body)) > VALUES


def _begun(json: bytes) -> int:
    return sum(map(json.count, (b",", b"[", b"{")))


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(members)
    if len(made) == len(members):
        return made
    seen: set[str] = set()
    for name, _ in members:
        if name in seen:
            break
        seen.add(name)
    raise HTTPException(400, f"An object of the body has the member {shown(name)} twice.")


def limited(receive: Receive, most: int) -> Receive:
    """Return a `receive` that raises a 413 once the body is over `most` bytes: FastAPI reads whatever comes."""
    size = 0

    async def counted() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > most:
            raise HTTPException(413, f"A body is at most {most:,} bytes.")
        return message

    return counted


class Direct:
    """The ASGI endpoint of a DirectRoute: writes the response that `answer` returns, or the problem that it raises."""

    def __init__(self, answer: Callable[[Request], Awaitable[Response]]) -> None:
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except TidingsError as error:
            response = problem_response(None, error)
        except RequestValidationError as error:
            response = await invalid_parameters(request, error)
        except ClientDisconnect:
            return
        except Exception as error:
            await (await internal_error(request, error))(scope, receive, send)
            raise
        del request
        await response(scope, receive, send)


def idempotency_key(request: Request, subject: Subject) -> str | None:
    """Return the key under which a log remembers the request's Idempotency-Key, None without one.

    The key is the subject's own: it equals neither another subject's nor one of the server's. Raises InvalidRequest.
    """
    key = header(request.scope, b"idempotency-key")
    return None if key is None else client_key(subject.name, key)


def header(scope: Scope, name: bytes) -> str | None:
    """Return the first header of this lower-case name. Starlette's mapping of headers costs four times as much."""
    for key, value in scope["headers"]:
        if key == name:
            text: str = value.decode("latin-1")
            return text
    return None


def client_key(name: str | None, key: str) -> str:
    """Return the key of a log for the idempotency key that `name` sent. Raises InvalidRequest."""
    if not (0 < len(key) <= 200 and key.isascii() and key.isprintable()):
        raise InvalidRequest("An Idempotency-Key is 1 to 200 printable ASCII characters.")
    digest = hashlib.sha256(f"{name or ''}\0{key}".encode()).hexdigest()
    return f"client:{digest}"


async def read_body(request: Request, limit: int) -> bytes:
    """Return the whole body. Raises TooLarge as soon as it is over `limit` bytes, without reading the rest."""
    announced = header(request.scope, b"content-length") or ""
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
