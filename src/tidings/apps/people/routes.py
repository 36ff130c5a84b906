"""People over HTTP: who is here."""

from __future__ import annotations

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import Response

from tidings.access.tokens import Authenticator
from tidings.http.request import problems, reader, shape
from tidings.http.response import json_response

from .presence import TOPIC, Presence


class Person(msgspec.Struct):
    """Somebody who has `here` streams open, on whichever process."""

    name: str
    here: int


class People(msgspec.Struct):
    """In the order of their names."""

    people: list[Person]


def routes(auth: Authenticator, presence: Presence) -> APIRouter:
    """The router of people."""
    router = APIRouter(tags=["people"])

    @router.get(
        "/people",
        summary="Who is here",
        description="Whoever has a stream open. Changes are transient events of the topic `presence`.",
        responses={200: shape(People, "They"), **problems()},
    )
    async def people(request: Request) -> Response:
        await reader(auth, request, TOPIC)
        return json_response(People([Person(name, here) for name, here in presence.people().items()]))

    return router
