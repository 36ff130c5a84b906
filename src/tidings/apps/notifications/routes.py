"""A person's notifications over HTTP."""

from __future__ import annotations

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import Response

from tidings.access.access import Access
from tidings.errors import Forbidden
from tidings.http.openapi import problems, shape
from tidings.http.request import strict
from tidings.http.response import json_response

from .fold import Notification
from .service import Notifications, topic_of


class Notified(msgspec.Struct):
    """A person's notifications, newest first, at most 100. `unread` counts all unread ones.

    `muted`: topics of which only mentions notify; `watched`: rooms of which every message does. `dnd`: Unix seconds
    until which notifications stay off the screen. Follow `topic` from `offset` on."""

    notifications: list[Notification]
    unread: int
    muted: list[str]
    watched: list[str]
    dnd: float | None
    topic: str
    offset: str


def routes(access: Access, notifications: Notifications) -> APIRouter:
    """The router of notifications."""
    router = APIRouter(tags=["notifications"], route_class=strict(access))

    @router.get(
        "/notifications",
        summary="List your notifications",
        description="The state of your own topic `users.SLUG`, to be followed from `offset` on.",
        responses={200: shape(Notified, "Your notifications"), **problems()},
    )
    async def listed(request: Request) -> Response:
        subject = await access.reader(request.scope["headers"])
        if subject.name is None:
            raise Forbidden("Choose a name to get notifications.")
        topic = topic_of(subject.name)
        await access.reader(request.scope["headers"], topic)
        inbox, offset = await notifications.inbox(subject.name)
        levels = (inbox.muted, inbox.watched)
        return json_response(Notified(inbox.items, inbox.unread, *levels, inbox.dnd, topic, str(offset)))

    return router
