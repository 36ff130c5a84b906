"""One's notifications over HTTP."""

from __future__ import annotations

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import Response

from tidings.access.tokens import Authenticator
from tidings.errors import Forbidden
from tidings.http.request import problems, reader, shape
from tidings.http.response import json_response

from .fold import Notification
from .service import Notifications, topic_of


class Notified(msgspec.Struct):
    """What one was told, newest first, at most 100, and how many are `unread` of all. `muted`: topics of which only
    mentions are told. `dnd`: until when nothing shall pop up, in Unix seconds. Follow `topic` from `offset` on."""

    notifications: list[Notification]
    unread: int
    muted: list[str]
    dnd: float | None
    topic: str
    offset: str


def routes(auth: Authenticator, notifications: Notifications) -> APIRouter:
    """The router of notifications."""
    router = APIRouter(tags=["notifications"])

    @router.get(
        "/notifications",
        summary="What you were told",
        description="The state of your own topic `users.SLUG`, to be followed from `offset` on.",
        responses={200: shape(Notified, "Yours"), **problems()},
    )
    async def listed(request: Request) -> Response:
        subject = await reader(auth, request)
        if subject.name is None:
            raise Forbidden("Choose a name first: notifications are a person's.")
        topic = topic_of(subject.name)
        await reader(auth, request, topic)
        inbox, offset = await notifications.inbox(subject.name)
        return json_response(Notified(inbox.items, inbox.unread, inbox.muted, inbox.dnd, topic, str(offset)))

    return router
