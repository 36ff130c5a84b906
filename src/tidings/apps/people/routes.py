"""The people who are here, over HTTP."""

from __future__ import annotations

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import Response

from tidings.access.access import Access
from tidings.http.openapi import problems, shape
from tidings.http.request import strict
from tidings.http.response import json_response

from .here import Process
from .presence import TOPIC, Presence


class Person(msgspec.Struct):
    """A person with open streams. `here`: their number, on all server processes."""

    name: str
    here: int


class People(msgspec.Struct):
    """The people who are here, in the order of their names.

    `processes`: the same by server process, for clients that go on with the events of the topic `presence`.
    """

    people: list[Person]
    processes: list[Process]


def routes(access: Access, presence: Presence) -> APIRouter:
    """Return the router of people."""
    router = APIRouter(tags=["people"], route_class=strict(access))

    @router.get(
        "/people",
        summary="List the people who are here",
        description="The people with an open stream, as of half a second ago.\n\n"
        "Changes are transient events of the topic `presence`: `process`, its `version`, and in `changed` the new "
        "number of streams of each person, 0 for a person who left. An event with changes has the next version. "
        "An event with the present version and without changes comes every 5 seconds; a process without events for "
        "12 seconds is gone. After any other version, read this list again.",
        responses={200: shape(People, "The people"), **problems()},
    )
    async def people(request: Request) -> Response:
        await access.reader(request.scope["headers"], TOPIC)
        listed = [Person(name, here) for name, here in presence.people().items()]
        return json_response(People(listed, presence.processes()))

    return router
