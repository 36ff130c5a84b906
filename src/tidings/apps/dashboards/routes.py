"""Dashboards over HTTP."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from tidings.access.access import Access
from tidings.events import Offset
from tidings.http.openapi import OFFSET, problems, shape
from tidings.http.request import strict
from tidings.http.response import json_response

from .document import Dashboard, check
from .service import PREFIX, Dashboards, Kept, Listed

BODY = 256 * 1024
"""Bytes of the largest document: 40 cards of 5 series and 4,000 characters."""

Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,60}$", examples=["server"])]


class Listing(msgspec.Struct):
    """The dashboards that you may look at, by title."""

    dashboards: list[Listed]


def routes(access: Access, dashboards: Dashboards) -> APIRouter:
    """Return the router of dashboards."""
    router = APIRouter(prefix="/dashboards", tags=["dashboards"], route_class=strict(access, BODY))

    @router.get("", summary="List dashboards", responses={200: shape(Listing, "Dashboards"), **problems()})
    async def listed(request: Request) -> Response:
        subject = await access.reader(request.scope["headers"])
        return json_response(Listing(await dashboards.listed(subject)))

    @router.get("/{id}", summary="Get a dashboard", responses={200: shape(Kept, "The dashboard"), **problems(404)})
    async def get(request: Request, id: Id) -> Response:
        await access.reader(request.scope["headers"], PREFIX + id)
        return json_response(await dashboards.get(id))

    @router.put(
        "/{id}",
        summary="Save a dashboard",
        description="The body is the member `dashboard` of the answer to `GET`. An export is imported as it is.",
        responses={200: shape(Kept, "The dashboard"), **problems(404, 409, 413)},
    )
    async def save(
        request: Request,
        id: Id,
        dashboard: Dashboard,
        expected: Annotated[
            str,
            Query(
                description="The offset of the version that was changed, or `new`. Another version is not overwritten.",
                pattern=f"^(new|{OFFSET})$",
            ),
        ],
    ) -> Response:
        await access.manager(request.scope["headers"], PREFIX + id)
        check(dashboard)
        offset = await dashboards.save(id, dashboard, None if expected == "new" else Offset.parse(expected))
        return json_response(Kept(id, PREFIX + id, str(offset), dashboard.model_dump(exclude_defaults=True)))

    return router
