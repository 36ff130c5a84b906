"""People over HTTP: who is here."""

from __future__ import annotations

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import Response

from tidings.access.access import Access
from tidings.http.openapi import problems, shape
from tidings.http.request import strict
from tidings.http.response import json_response

from .presence import TOPIC, Presence


class Person(msgspec.Struct):
    """Somebody who has `here` streams open, on whichever process."""

    name: str
    here: int


class People(msgspec.Struct):
    """In the order of their names."""

    people: list[Person]


def routes(access: Access, presence: Presence) -> APIRouter:
    """The router of people."""
    router = APIRouter(tags=["people"], route_class=strict(access))

    @router.get(
        "/people",
        summary="List the people who are here",
        description="The people with an open stream. Changes are transient events of the topic `presence`.",
        responses={200: shape(People, "The people"), **problems()},
    )
    async def people(request: Request) -> Response:
        await access.reader(request.scope["headers"], TOPIC)
        return json_response(People([Person(name, here) for name, here in presence.people().items()]))

    return router
