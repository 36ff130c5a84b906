"""Following topics over HTTP: `GET /events`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from fastapi import Request
from msgspec import Meta

from tidings.access.access import Access
from tidings.delivery.hub import Hub
from tidings.delivery.response import MAX_TOPICS, PLAIN
from tidings.wire.sse import Format

from .openapi import LAST_EVENT_ID, POSITIONS, START, TOPIC, DirectRoute, problems, stream
from .request import Direct, Query
from .response import ServedStreamResponse, Slots

ENVELOPE = Format(envelope=True)
TOPICS: dict[str, Any] = {
    "items": {"type": "string", **TOPIC},
    "minItems": 1,
    "maxItems": MAX_TOPICS,
    "uniqueItems": True,
}

After = Annotated[
    str,
    Meta(
        description="The start without a last event ID: `earliest`, `tail`, an offset, or `-N` for the last "
        "N events. `from` is another name for it.",
        extra_json_schema={"pattern": START},
    ),
]
LastEventId = Annotated[
    str,
    Meta(
        description="The last event ID, for clients that cannot send the header. `lastEventId` is another name for it.",
        extra_json_schema={"pattern": f"^({POSITIONS})?$", "maxLength": 512},
    ),
]
Enveloped = Annotated[bool, Meta(description="Each data is {topic, offset, type, time, data}.")]

ALIASES = {"from": "after", "lastEventId": "last_event_id"}
APPENDED = frozenset({"last_event_id"})


class FollowQuery(Query, frozen=True):
    """The parameters of following."""

    aliases: ClassVar[Mapping[str, str]] = ALIASES
    appended: ClassVar[frozenset[str]] = APPENDED
    topic: Annotated[
        tuple[str, ...], Meta(description="A topic; repeat for more, at most 32.", extra_json_schema=TOPICS)
    ]
    after: After = "tail"
    last_event_id: LastEventId = ""
    envelope: Enveloped = False


OPERATION: dict[str, Any] = {
    "tags": ["events"],
    "summary": "Follow topics",
    "parameters": [*FollowQuery.parameters(), LAST_EVENT_ID],
    "responses": {**stream("The topics are closed and read: do not come back."), **problems()},
}


class Following:
    """Answers `GET /events`. When 2,000 clients come back at once, each one costs a millisecond."""

    def __init__(self, hub: Hub, access: Access, slots: Slots) -> None:
        self.hub = hub
        self.access = access
        self.slots = slots

    def route(self) -> DirectRoute:
        """Return the route."""
        return DirectRoute("GET", "/events", Direct(self.follow), OPERATION)

    async def follow(self, request: Request) -> ServedStreamResponse:
        """Return the stream after the client's last event. Raises TidingsError."""
        query = FollowQuery.read(request.scope)
        subject = await self.access.reader(request.scope["headers"], *query.topic[:MAX_TOPICS])
        return ServedStreamResponse(
            self.hub,
            query.topic,
            after=query.after,
            format=ENVELOPE if query.envelope else PLAIN,
            expires=subject.expires,
            watch=self.access.watch(subject, query.topic),
            slots=self.slots,
            owner=subject.name or "",
        )
