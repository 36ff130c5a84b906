"""The native protocol, version 1: topics and their events over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from ..auth import Authenticator
from ..errors import Gone, NotFound
from ..events import ORIGIN, Offset, Page, Retention
from ..hub import Hub
from ..log import Head, parse_offset
from ..wire.run_events import merged_log
from ..wire.sse import Format, json_value
from .request import TopicName, parse_start, problems, publisher, reader
from .response import MAX_TOPICS, PLAIN, EventStreamResponse, Slots, given_id, json_response

ENVELOPE = Format(envelope=True)


class Configuration(BaseModel):
    """What a log may forget. Absent is unlimited. Ages in seconds, sizes in bytes."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    max_age: float | None = Field(None, gt=0, le=1e12)
    max_events: int | None = Field(None, gt=0, le=1 << 53)
    max_bytes: int | None = Field(None, gt=0, le=1 << 53)
    ttl: float | None = Field(None, gt=0, le=1e12, description="The topic expires this long after its last event.")


def routes(hub: Hub, auth: Authenticator, slots: Slots) -> APIRouter:
    """The router of the native protocol's reading side and of its topics."""
    router = APIRouter(tags=["events"])

    @router.get(
        "/events",
        summary="Follow topics",
        response_class=Response,
        responses={
            200: {"description": "An event stream", "content": {"text/event-stream": {"schema": {"type": "string"}}}},
            204: {"description": "The topics are closed and read: do not come back."},
            **problems(),
        },
    )
    async def follow(
        request: Request,
        topic: Annotated[list[str], Query(description="A topic; repeat for more, at most 32.")],
        start: Annotated[
            str, Query(alias="from", description="`earliest`, `tail` or an offset; used without a last event ID.")
        ] = "tail",
        last_event_id: Annotated[str, Query(description="For clients that cannot send the header.")] = "",
        envelope: Annotated[bool, Query(description="Each data is {topic, offset, type, time, data}.")] = False,
    ) -> Response:
        subject = await reader(auth, request, *topic[:MAX_TOPICS])
        return EventStreamResponse(
            hub,
            topic,
            start=parse_start(start),
            last_event_id=given_id(request.scope) or last_event_id,
            format=ENVELOPE if envelope else PLAIN,
            expires=subject.expires,
            slots=slots,
            owner=subject.name or "",
        )

    @router.get("/topics", summary="List topics", responses=problems())
    async def topics(
        request: Request,
        prefix: Annotated[str, Query(max_length=200)] = "",
        after: Annotated[str, Query(max_length=200)] = "",
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> Response:
        subject = await reader(auth, request)
        names: list[str] = []
        while len(names) < limit and (found := await hub.topics(prefix, after, limit)):
            names += filter(subject.may_subscribe, found)
            after = found[-1]
        return json_response({"topics": names[:limit]})

    @router.get("/topics/{topic}", summary="Describe a topic", responses=problems(404))
    async def describe(request: Request, topic: TopicName) -> Response:
        await reader(auth, request, topic)
        return json_response(described(topic, await hub.describe(topic)))

    @router.put("/topics/{topic}", summary="Create or configure a topic", responses=problems(409))
    async def configure(request: Request, topic: TopicName, to: Configuration) -> Response:
        await publisher(auth, request, topic)
        retention = Retention(to.max_age, to.max_events, to.max_bytes)
        return json_response(described(topic, await hub.configure(topic, retention=retention, ttl=to.ttl)))

    @router.post("/topics/{topic}/close", summary="Close a topic: no event will follow", responses=problems(404))
    async def close(request: Request, topic: TopicName) -> Response:
        await publisher(auth, request, topic)
        if await hub.describe(topic) is None:
            raise NotFound(f"There is no topic {topic}.")
        return json_response(described(topic, await hub.close_topic(topic)))

    @router.delete("/topics/{topic}", summary="Delete a topic and its events", status_code=204, responses=problems())
    async def delete(request: Request, topic: TopicName) -> Response:
        await publisher(auth, request, topic)
        await hub.delete(topic)
        return Response(status_code=204)

    @router.get("/topics/{topic}/events", summary="Read a page of events", responses=problems(404, 410))
    async def read(
        request: Request,
        topic: TopicName,
        after: Annotated[str, Query(description="An offset; without one, from the earliest event.")] = "",
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        merge: Annotated[bool, Query(description="Merge neighbouring deltas of a run's blocks.")] = False,
    ) -> Response:
        await reader(auth, request, topic)
        page = await hub.read(topic, parse_offset(after) if after else None, limit)
        if page.lost is not None:
            raise Gone(f"Events after {after} are gone: {page.lost}.", reason=page.lost, earliest=str(page.earliest))
        return json_response(page_value(page, merge))

    return router


def described(topic: str, head: Head | None) -> dict[str, Any]:
    """A topic's state as JSON. Raises NotFound."""
    if head is None:
        raise NotFound(f"There is no topic {topic}.")
    return {
        "topic": topic,
        "epoch": head.epoch,
        "earliest": str(Offset(head.epoch, head.start + 1)),
        "tail": str(Offset(head.epoch, head.tail)),
        "closed": head.closed,
        "retention": head.retention._asdict(),
        "ttl": head.ttl,
    }


def page_value(page: Page, merge: bool = False) -> dict[str, Any]:
    """A page as JSON. An event's data is its JSON value if its text is JSON, else the text."""
    events: Sequence[Any] = merged_log(page.events) if merge else page.events
    return {
        "events": [
            {"offset": str(e.offset or ORIGIN), "type": e.type, "time": e.time, "data": json_value(e.data)}
            for e in events
        ],
        "next": str(page.next),
        "earliest": str(page.earliest),
        "tail": str(page.tail),
        "up_to_date": page.up_to_date,
        "closed": page.closed,
    }
