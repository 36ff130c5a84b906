"""Processes over HTTP: the figures of a map, and the way from an edge to its cases and their events."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import Field
from starlette.responses import Response

from tidings.access.access import Access
from tidings.errors import InvalidRequest
from tidings.http.openapi import problems, shape
from tidings.http.request import strict
from tidings.http.response import json_response

from .facts import LONGEST_NAME
from .figures import ProcessFigures
from .filters import CONDITIONS, Filter, parse
from .service import NAME, PREFIX, CaseHistory, FoundCases, Processes, is_process, topic_of

TOP, MOST_TOP = 20, 1_000
"""Variants that a map lists, and the most that it lists when asked for more."""

PAGE, MOST = 50, 200
"""Cases, or events of a case, in a page."""

TIME = r"^([0-9]{4}-[0-9]{2}-[0-9]{2}.*|-?[0-9]+(\.[0-9]+)?)$"
"""Times of a filter: ISO 8601 with a day, or Unix seconds."""

ActivityName = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
ProcessName = Annotated[str, Path(pattern=f"^{NAME}$", description="A process's name.", examples=["orders"])]
Skip = Annotated[int, Query(ge=0, le=10_000_000, description="The number of first entries to leave out.")]
Limit = Annotated[int, Query(ge=1, le=MOST, description="The most entries to list.")]


class ProcessEntry(msgspec.Struct):
    """A process. `topic` holds its events; `tail`: the offset of the last of them."""

    name: str
    topic: str
    tail: str


class ProcessList(msgspec.Struct):
    """Processes in the order of their names. `next`: the name after which the list goes on, null at its end."""

    processes: list[ProcessEntry]
    next: str | None


def _filter(
    variant: Annotated[
        list[Annotated[str, Field(pattern=r'^\[".+"\]$')]],
        Query(
            max_length=CONDITIONS,
            description="A variant that selected cases have, as a JSON array of its activities. Repeat the parameter "
            "for further ones, of which a case has one.",
            examples=[['["ordered","paid"]']],
        ),
    ] = [],  # noqa: B006  FastAPI copies it
    since: Annotated[
        str | None,
        Query(
            pattern=TIME,
            description="The time before which selected cases have no event, in ISO 8601 or in Unix seconds.",
            examples=["2026-11-01"],
        ),
    ] = None,
    until: Annotated[
        str | None,
        Query(
            pattern=TIME,
            description="The time after which selected cases have no event. A date alone is the end of the day in UTC.",
            examples=["2026-11-30"],
        ),
    ] = None,
    present: Annotated[
        list[ActivityName],
        Query(
            alias="with",
            max_length=CONDITIONS,
            description="An activity that selected cases have. Repeat the parameter for further ones.",
        ),
    ] = [],  # noqa: B006
    absent: Annotated[
        list[ActivityName],
        Query(
            alias="without",
            max_length=CONDITIONS,
            description="An activity that selected cases do not have. Repeat the parameter for further ones.",
        ),
    ] = [],  # noqa: B006
    attribute: Annotated[
        list[Annotated[str, Field(pattern="^[^=]+=")]],
        Query(
            max_length=CONDITIONS,
            description="A field that an event of each selected case has, as NAME=TEXT. Repeat the parameter for "
            "further ones.",
            examples=[["resource=Pete"]],
        ),
    ] = [],  # noqa: B006
) -> Filter:
    """Return the filter of a request. Raises InvalidRequest."""
    return parse(variant, since, until, present, absent, attribute)


Selection = Annotated[Filter, Depends(_filter)]


def routes(access: Access, processes: Processes) -> APIRouter:
    """Return the router of processes."""
    router = APIRouter(tags=["processes"], route_class=strict(access), prefix="/processes")

    async def reader(request: Request, name: str) -> None:
        await access.reader(request.scope["headers"], topic_of(name))

    @router.get(
        "",
        summary="List the processes",
        description="The topics `process.NAME` that you may read.",
        responses={200: shape(ProcessList, "The processes"), **problems()},
    )
    async def listed(
        request: Request,
        after: Annotated[str, Query(pattern=f"^({NAME})?$", description="The name after which the list begins.")] = "",
    ) -> Response:
        subject = await access.reader(request.scope["headers"])
        found: list[ProcessEntry] = []
        last = topic_of(after) if after else ""
        while len(found) < MOST and (heads := await processes.hub.log.heads(PREFIX, last, MOST)):
            for topic, head in heads:
                last = topic
                if is_process(topic) and subject.may_subscribe(topic):
                    found.append(ProcessEntry(topic.removeprefix(PREFIX), topic, f"{head.epoch}-{head.tail}"))
        more = found[MOST - 1].name if len(found) >= MOST else None
        return json_response(ProcessList(found[:MOST], more))

    @router.get(
        "/{name}",
        summary="Get the figures of a process",
        description="Every figure is of all events up to `offset` in the topic `process.NAME`. With a filter, every "
        "figure is of the selected cases alone, as if the topic had no others; `whole` then has the counts of all. A "
        "case is selected if it meets every condition.",
        responses={200: shape(ProcessFigures, "The figures"), **problems(404)},
    )
    async def figures(
        request: Request,
        name: ProcessName,
        filter: Selection,
        variants: Annotated[int, Query(ge=0, le=MOST_TOP, description="The number of variants to list.")] = TOP,
    ) -> Response:
        await reader(request, name)
        return json_response(await processes.figures(name, variants, filter))

    @router.get(
        "/{name}/cases",
        summary="List cases",
        description="With `from` and `to`: the cases in which an event of the one activity is directly followed by one "
        "of the other, the slowest first. With `at`: the cases whose last event is of this activity, those first that "
        "have been there for longest. A filter is that of the figures.",
        responses={200: shape(FoundCases, "The cases"), **problems(404)},
    )
    async def cases(
        request: Request,
        name: ProcessName,
        filter: Selection,
        source: Annotated[str | None, Query(alias="from", description="An activity.")] = None,
        target: Annotated[str | None, Query(alias="to", description="The following activity of the edge.")] = None,
        at: Annotated[str | None, Query(description="The activity of the last event.")] = None,
        skip: Skip = 0,
        limit: Limit = PAGE,
    ) -> Response:
        await reader(request, name)
        if source is not None and target is not None and at is None:
            return json_response(await processes.cases(name, source, target, skip, limit, filter))
        if at is not None and source is None and target is None:
            return json_response(await processes.waiting(name, at, skip, limit, filter))
        raise InvalidRequest("Name an edge by `from` and `to`, or an activity by `at`.")

    @router.get(
        "/{name}/cases/{case:path}",
        summary="Get the events of a case",
        description="In the order of their time, each with its offset in the topic `process.NAME`.",
        responses={200: shape(CaseHistory, "The case"), **problems(404)},
    )
    async def case(
        request: Request,
        name: ProcessName,
        case: Annotated[str, Path(description="The case.", examples=["4711"])],
        skip: Skip = 0,
        limit: Limit = PAGE,
    ) -> Response:
        await reader(request, name)
        return json_response(await processes.case(name, case, skip, limit))

    return router
