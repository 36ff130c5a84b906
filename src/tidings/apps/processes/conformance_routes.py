"""Conformance over HTTP: the reference of a process, the deviations that it allows, and how the cases conform."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

import msgspec
from fastapi import APIRouter, Path, Request
from msgspec import Meta
from starlette.responses import Response

from tidings.access.access import Access
from tidings.access.subject import Subject
from tidings.errors import InvalidRequest
from tidings.events import shown
from tidings.http.openapi import problems, shape
from tidings.http.request import read_body, strict
from tidings.http.response import json_response

from .conformance import ConformanceFigures
from .deviations import Deviations
from .reference import Deviation, Kind, ReferenceSet, check_name
from .service import NAME, topic_of

LARGEST = 1 << 20
"""Bytes of a reference."""

ProcessName = Annotated[str, Path(pattern=f"^{NAME}$", description="A process's name.", examples=["orders"])]


class GivenReference(msgspec.Struct, forbid_unknown_fields=True):
    """A reference to set: `starts` and `steps`, such as those of another reference, or `above`: today's map, with what
    occurs in more than this share of the cases."""

    starts: list[str] | None = None
    steps: list[tuple[str, str]] | None = None
    above: Annotated[float, Meta(ge=0, lt=1)] | None = None


class AllowedDeviation(msgspec.Struct, forbid_unknown_fields=True):
    """A deviation that counts as none, or with `allowed` false counts again."""

    kind: Kind
    target: str = msgspec.field(name="to")
    source: str = msgspec.field(default="", name="from")
    allowed: bool = True


T = TypeVar("T")


def routes(access: Access, deviations: Deviations) -> APIRouter:
    """The router of conformance."""
    router = APIRouter(tags=["processes"], route_class=strict(access, LARGEST), prefix="/processes/{name}")

    async def manager(request: Request, name: str) -> Subject:
        return await access.manager(request.scope["headers"], topic_of(name))

    @router.get(
        "/conformance",
        summary="Get the conformance of a process",
        description="Compares all cases up to `offset` in the topic `process.NAME` with the reference. Each new "
        "deviation is an event of the topic `process.NAME.deviations`, too.",
        responses={200: shape(ConformanceFigures, "The conformance"), **problems(404)},
    )
    async def conformance(request: Request, name: ProcessName) -> Response:
        await access.reader(request.scope["headers"], topic_of(name))
        return json_response(await deviations.figures(name))

    @router.put(
        "/reference",
        summary="Set the reference of a process",
        description="Deviations of events that come from now on are published.",
        responses={200: shape(ReferenceSet, "The reference"), **problems(404, 413)},
        openapi_extra=_body(GivenReference),
    )
    async def save(request: Request, name: ProcessName) -> Response:
        subject = await manager(request, name)
        given, by = await _read(request, GivenReference), subject.name or ""
        if given.above is not None and given.starts is None and given.steps is None:
            return json_response(await deviations.set_map(name, given.above, by))
        if given.above is None and given.starts is not None and given.steps is not None:
            return json_response(await deviations.set_given(name, given.starts, given.steps, by))
        raise InvalidRequest("A reference has `starts` and `steps`, or `above`.")

    @router.delete(
        "/reference",
        summary="Remove the reference of a process",
        status_code=204,
        responses={204: {"description": "The reference is removed"}, **problems(404)},
    )
    async def remove(request: Request, name: ProcessName) -> Response:
        subject = await manager(request, name)
        await deviations.remove(name, subject.name or "")
        return Response(status_code=204)

    @router.put(
        "/allowed",
        summary="Allow a deviation",
        description="An allowed deviation counts as none and is published no more.",
        status_code=204,
        responses={204: {"description": "The deviation is allowed, or counts again"}, **problems(404)},
        openapi_extra=_body(AllowedDeviation),
    )
    async def allow(request: Request, name: ProcessName) -> Response:
        subject = await manager(request, name)
        given = await _read(request, AllowedDeviation)
        if (given.kind == "step") != bool(given.source):
            raise InvalidRequest("A step has a `from`, and other deviations have none.", field="from")
        check_name("to", given.target)
        if given.source:
            check_name("from", given.source)
        deviation = Deviation(given.kind, given.target, given.source)
        await deviations.allow(name, deviation, given.allowed, subject.name or "")
        return Response(status_code=204)

    return router


def _body(kind: type[Any]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": shape(kind, "")["content"]}}


async def _read(request: Request, kind: type[T]) -> T:
    """Return the body. Raises InvalidRequest, TooLarge."""
    try:
        return msgspec.json.decode(await read_body(request, LARGEST), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequest(f"The body is wrong: {shown(str(error))}.") from None
