"""Series over HTTP: the history of a series in one answer, with the offset after which live events follow."""

from __future__ import annotations

from time import time
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from tidings.access.access import Access
from tidings.errors import InvalidRequest
from tidings.http.openapi import TOPIC, problems, shape
from tidings.http.request import DECIMAL, strict
from tidings.http.response import json_response

from .bucket import ADDED, QUANTILES
from .fold import HOUR, KEPT, Spec
from .service import Answer, SeriesService

Aggregation = Literal["rate", "count", "sum", "mean", "min", "max", "last", "p50", "p99"]

PATH = r"^([^.]+(\.[^.]+){0,7})?$"
"""The path of a field: at most 8 names between dots."""

LONGEST = 200
"""Characters of the path of a field."""

FUTURE = 60.0
"""Seconds by which a client's clock may be ahead."""


def routes(access: Access, service: SeriesService) -> APIRouter:
    """Return the router of series."""
    router = APIRouter(tags=["series"], route_class=strict(access))

    @router.get(
        "/series",
        summary="Read a series: the values in the events of a topic, by time",
        responses={200: shape(Answer, "The series"), **problems()},
    )
    async def series(
        request: Request,
        topic: Annotated[str, Query(json_schema_extra=TOPIC)],
        field: Annotated[
            str,
            Query(
                description="The path of a number in the data, such as `cpu.user`. Absent: the events are counted.",
                pattern=PATH,
                max_length=LONGEST,
            ),
        ] = "",
        agg: Annotated[
            Aggregation | None, Query(description="By default `mean` of a field, and the `rate` of events a second.")
        ] = None,
        by: Annotated[
            str,
            Query(
                description="The path of the field that names the group of an event.", pattern=PATH, max_length=LONGEST
            ),
        ] = "",
        start: Annotated[
            float,
            Query(
                alias="from", description="Unix seconds, or, as a negative number, seconds from now.", ge=-1e10, le=1e10
            ),
        ] = -300.0,
        end: Annotated[float, Query(alias="to", description="As `from`; 0 is now.", ge=-1e10, le=1e10)] = 0.0,
        points: Annotated[int, Query(ge=2, le=2000), DECIMAL] = 1000,
    ) -> Response:
        await access.reader(request.scope["headers"], topic)
        aggregation = agg or ("mean" if field else "rate")
        if not field and aggregation not in ADDED - {"sum"}:
            raise InvalidRequest(
                f"`agg={aggregation}` needs a `field`. Without a field, events have a `rate` and a `count`."
            )
        now = time()
        first, last = (at if at > 0 else now + at for at in (start, end))
        if not first < last:
            raise InvalidRequest("`from` must be before `to`.")
        if last > now + FUTURE:
            raise InvalidRequest("`to` must not be in the future.")
        if first < now - KEPT[HOUR]:
            raise InvalidRequest(f"`from` must be at most {KEPT[HOUR] // 86_400} days ago.")
        spec = Spec(topic, field, by, aggregation in QUANTILES)
        return json_response(await service.answer(spec, aggregation, first, last, points))

    return router
