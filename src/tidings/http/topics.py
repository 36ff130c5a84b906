"""The native protocol, version 1: topics and their events over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from tidings.access.tokens import Authenticator
from tidings.delivery.hub import Hub
from tidings.errors import Gone, InvalidRequest, NotFound
from tidings.events import ORIGIN, Offset, Page, Retention
from tidings.log.names import parse_offset
from tidings.log.rules import Head
from tidings.wire.run_events import merged_log
from tidings.wire.sse import json_value

from .request import OFFSET, Responses, TopicName, manager, problems, reader, shape
from .response import json_response


class Kept(msgspec.Struct):
    """What the topic keeps; null is all. Ages in seconds, sizes in bytes."""

    max_age: float | None
    max_events: int | None
    max_bytes: int | None


class TopicState(msgspec.Struct):
    """`earliest`: the offset of the first event there is, or of the next one; `tail`: of the last one."""

    topic: str
    epoch: str
    earliest: str
    tail: str
    closed: bool
    retention: Kept
    ttl: float | None


class TopicNames(msgspec.Struct):
    """In byte order; the last one is the next page's `after`."""

    topics: list[str]


class PageEvent(msgspec.Struct):
    """`time` is in Unix seconds; `data` the JSON value of the event's data if that is JSON, else its text."""

    offset: str
    type: str
    time: float
    data: Any


class EventPage(msgspec.Struct):
    """`next` is where to read on, `previous` where to read back; `up_to_date`: `next` is the tail; `closed`: no event
    will ever follow that."""

    events: list[PageEvent]
    previous: str
    next: str
    earliest: str
    tail: str
    up_to_date: bool
    closed: bool


class Configuration(BaseModel):
    """What a log may forget. Absent is unlimited. Ages in seconds, sizes in bytes."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    max_age: float | None = Field(None, gt=0, le=1e12)
    max_events: int | None = Field(None, gt=0, le=1 << 53)
    max_bytes: int | None = Field(None, gt=0, le=1 << 53)
    ttl: float | None = Field(None, ge=1, le=1e12, description="The topic expires this long after its last event.")


def routes(hub: Hub, auth: Authenticator) -> APIRouter:
    """The router of topics, and of their events in pages."""
    router = APIRouter(tags=["events"])

    @router.get("/topics", summary="List topics", responses={200: shape(TopicNames, "Topics"), **problems()})
    async def topics(
        request: Request,
        prefix: Annotated[str, Query(max_length=200)] = "",
        after: Annotated[str, Query(max_length=200)] = "",
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> Response:
        subject = await reader(auth, request)
        names: list[str] = []
        while len(names) < limit and (found := await hub.topics(prefix, after, limit)):
            names += [name for name in found if subject.may_subscribe(name) and await auth.guards.allows(subject, name)]
            after = found[-1]
        return json_response(TopicNames(names[:limit]))

    state: Responses = {200: shape(TopicState, "The topic")}

    @router.get("/topics/{topic}", summary="Describe a topic", responses={**state, **problems(404)})
    async def describe(request: Request, topic: TopicName) -> Response:
        await reader(auth, request, topic)
        return json_response(described(topic, await hub.describe(topic)))

    @router.put("/topics/{topic}", summary="Create or configure a topic", responses={**state, **problems(413)})
    async def configure(request: Request, topic: TopicName, to: Configuration) -> Response:
        await manager(auth, request, topic)
        retention = Retention(to.max_age, to.max_events, to.max_bytes)
        return json_response(described(topic, await hub.configure(topic, retention=retention, ttl=to.ttl)))

    @router.post(
        "/topics/{topic}/close", summary="Close a topic: no event will follow", responses={**state, **problems(404)}
    )
    async def close(request: Request, topic: TopicName) -> Response:
        await manager(auth, request, topic)
        if await hub.describe(topic) is None:
            raise NotFound(f"There is no topic {topic}.")
        return json_response(described(topic, await hub.close_topic(topic)))

    @router.delete(
        "/topics/{topic}",
        summary="Delete a topic and its events",
        status_code=204,
        responses={204: {"description": "There is no such topic, or no more."}, **problems()},
    )
    async def delete(request: Request, topic: TopicName) -> Response:
        await manager(auth, request, topic)
        await hub.delete(topic)
        return Response(status_code=204)

    @router.get(
        "/topics/{topic}/events",
        summary="Read a page of events",
        responses={200: shape(EventPage, "A page"), **problems(404, 410)},
    )
    async def read(
        request: Request,
        topic: TopicName,
        after: Annotated[
            str,
            Query(
                description="An offset; without one, from the earliest event.",
                json_schema_extra={"pattern": f"^({OFFSET})?$"},
            ),
        ] = "",
        before: Annotated[
            str,
            Query(
                description="An offset, or `tail`: the events that end there, to page backwards by `previous`.",
                json_schema_extra={"pattern": f"^(tail|{OFFSET})?$"},
            ),
        ] = "",
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        merge: Annotated[bool, Query(description="Merge neighbouring deltas of a run's blocks.")] = False,
    ) -> Response:
        await reader(auth, request, topic)
        if after and before:
            raise InvalidRequest("A page is either after an offset or before one.")
        if before:
            page = await hub.read_before(topic, None if before == "tail" else parse_offset(before), limit)
        else:
            page = await hub.read(topic, parse_offset(after) if after else None, limit)
        if page.lost is not None:
            where = f"before {before}" if before else f"after {after}"
            raise Gone(f"Events {where} are gone: {page.lost}.", reason=page.lost, earliest=str(page.earliest))
        return json_response(page_value(page, merge))

    return router


def described(topic: str, head: Head | None) -> TopicState:
    """A topic's state. Raises NotFound."""
    if head is None:
        raise NotFound(f"There is no topic {topic}.")
    return TopicState(
        topic=topic,
        epoch=head.epoch,
        earliest=str(Offset(head.epoch, head.start + 1)),
        tail=str(Offset(head.epoch, head.tail)),
        closed=head.closed,
        retention=Kept(*head.retention),
        ttl=head.ttl,
    )


def page_value(page: Page, merge: bool = False) -> EventPage:
    """A page as it is sent."""
    events: Sequence[Any] = merged_log(page.events) if merge else page.events
    previous = page.next._replace(n=page.next.n - len(page.events))
    return EventPage(
        events=[PageEvent(str(e.offset or ORIGIN), e.type, e.time, json_value(e.data)) for e in events],
        previous=str(previous),
        next=str(page.next),
        earliest=str(page.earliest),
        tail=str(page.tail),
        up_to_date=page.up_to_date,
        closed=page.closed,
    )
