"""Webhooks over HTTP, for administrators: addresses, secrets, and messages that could not be sent."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from tidings.access.access import Access
from tidings.access.subject import Subject
from tidings.errors import InvalidRequest
from tidings.http.openapi import problems, shape
from tidings.http.request import strict
from tidings.http.response import json_response

from .guard import check_may_change
from .routes import body_of, read
from .sender import PREFIX, Webhooks
from .webhook import WebhookMessage

WebhookId = Annotated[str, Path(pattern="^[a-f0-9]{12}$", description="A webhook's id.", examples=["1b9d6bcdbbfd"])]

TITLE = 200


class NewWebhook(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a new webhook."""

    url: str
    title: str = ""


class WebhookSecret(msgspec.Struct):
    """A webhook's id, and the secret that signs from now on. Nobody is shown the secret again."""

    id: str
    secret: str


class WebhookState(msgspec.Struct):
    """A webhook. `disabled`: the reason for which it is sent no more, null while it is; `delivered`: the number of
    messages, the last one at `last`; `waiting` and `failed`: messages that are to be sent, and that were given up."""

    id: str
    url: str
    title: str
    by: str
    saved: float
    disabled: str | None
    delivered: int
    last: float | None
    waiting: list[WebhookMessage]
    failed: list[WebhookMessage]


class WebhookList(msgspec.Struct):
    """All webhooks."""

    webhooks: list[WebhookState]


class Resend(msgspec.Struct, forbid_unknown_fields=True):
    """The body that names messages to send again; by default all that were given up."""

    ids: list[str] | None = None


class ResentMessages(msgspec.Struct):
    """The ids of the messages that are sent again."""

    ids: list[str]


def routes(webhooks: Webhooks, access: Access) -> APIRouter:
    """Return the router of webhooks."""
    router = APIRouter(tags=["alerts"], route_class=strict(access))

    async def changer(request: Request, id: str) -> Subject:
        subject = await access.publisher(request.scope["headers"], PREFIX + id)
        check_may_change(subject)
        return subject

    @router.get(
        "/alerts/webhooks", summary="List webhooks", responses={200: shape(WebhookList, "The webhooks"), **problems()}
    )
    async def listed(request: Request) -> Response:
        await access.reader(request.scope["headers"], PREFIX + "all")
        found = [
            WebhookState(
                id=id,
                url=one.url,
                title=one.title,
                by=one.by,
                saved=one.saved,
                disabled=one.reason,
                delivered=one.delivered,
                last=one.last or None,
                waiting=list(one.waiting.values()),
                failed=list(one.failed.values()),
            )
            async for id, one in webhooks.all()
        ]
        return json_response(WebhookList(found))

    @router.post(
        "/alerts/webhooks",
        summary="Make a webhook",
        status_code=201,
        openapi_extra=body_of(NewWebhook, "The address"),
        responses={201: shape(WebhookSecret, "The webhook's id, and its secret"), **problems(413)},
    )
    async def made(request: Request) -> Response:
        subject = await changer(request, "new")
        given: NewWebhook = await read(request, NewWebhook)
        if len(given.title) > TITLE or not (given.title.isprintable() or not given.title):
            raise InvalidRequest(f"`title`: A title has at most {TITLE} characters, all of them visible.")
        id, secret = await webhooks.create(given.url, given.title, subject.name)
        return json_response(WebhookSecret(id, secret), 201)

    @router.post(
        "/alerts/webhooks/{id}/secret",
        summary="Change a webhook's secret",
        description="The old secret signs beside the new one for a day.",
        responses={200: shape(WebhookSecret, "The new secret"), **problems(404)},
    )
    async def rotated(request: Request, id: WebhookId) -> Response:
        await changer(request, id)
        return json_response(WebhookSecret(id, await webhooks.rotate(id)))

    @router.post(
        "/alerts/webhooks/{id}/enable",
        summary="Enable a webhook",
        status_code=204,
        responses={204: {"description": "It is sent again"}, **problems(404)},
    )
    async def enabled(request: Request, id: WebhookId) -> Response:
        subject = await changer(request, id)
        await webhooks.enable(id, subject.name)
        return Response(status_code=204)

    @router.post(
        "/alerts/webhooks/{id}/resend",
        summary="Send messages again",
        openapi_extra=body_of(Resend, "The messages"),
        responses={200: shape(ResentMessages, "The messages"), **problems(404, 413)},
    )
    async def resent(request: Request, id: WebhookId) -> Response:
        subject = await changer(request, id)
        given: Resend = await read(request, Resend)
        return json_response(ResentMessages(await webhooks.resend(id, given.ids, subject.name)))

    @router.delete(
        "/alerts/webhooks/{id}",
        summary="Delete a webhook",
        status_code=204,
        responses={204: {"description": "Deleted"}, **problems(404)},
    )
    async def deleted(request: Request, id: WebhookId) -> Response:
        subject = await changer(request, id)
        await webhooks.delete(id, subject.name)
        return Response(status_code=204)

    return router
