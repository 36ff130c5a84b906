"""The native protocol, version 1: topics and their events over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Request
from msgspec import UNSET
from pydantic import Field
from starlette.responses import Response

from tidings.access.access import Access
from tidings.access.listing import Listing
from tidings.access.subject import Subject
from tidings.delivery.hub import Hub
from tidings.errors import Gone, InvalidRequest, NotFound
from tidings.events import ORIGIN, Offset, Page, Retention
from tidings.log.head import Head
from tidings.log.rules import NEW
from tidings.slices import beside
from tidings.wire.run_events import merged_log
from tidings.wire.sse import json_value

from .creating import creating
from .openapi import OFFSET, START, Responses, problems, shape
from .request import DECIMAL, WHOLE, Body, Flag, TopicName, strict, wrong
from .response import json_response


class Kept(msgspec.Struct):
    """The retention of a topic; null is without limit. Ages in seconds, sizes in bytes."""

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
    """Topics in byte order; the last one is the next page's `after`."""

    topics: list[str]


class PageEvent(msgspec.Struct, omit_defaults=True):
    """`time` is in Unix seconds; `data` the JSON value of the event's data if that is JSON, else its text."""

    offset: str
    type: str
    time: float
    data: Any
    redacted: bool = False


class EventPage(msgspec.Struct):
    """A page. Read on after `next`, and back before `previous`. `up_to_date`: `next` is the tail; `closed`: no event
    will ever follow the tail."""

    events: list[PageEvent]
    previous: str
    next: str
    earliest: str
    tail: str
    up_to_date: bool
    closed: bool


Count = Annotated[int, Field(gt=0, le=1 << 53), WHOLE]


class Configuration(Body):
    """The settings of a topic: its retention, in seconds, events and bytes, and its ttl.

    If any of the three limits is there, an absent one is unlimited; if none is, the topic keeps those that it has. A
    `ttl` that is absent stays as it is, null takes it away.
    """

    max_age: float | None = Field(None, gt=0, le=1e12)
    max_events: Count | None = None
    max_bytes: Count | None = None
    ttl: float | None = Field(None, ge=1, le=1e12, description="The topic expires this long after its last event.")


def routes(hub: Hub, access: Access) -> APIRouter:
    """Return the router of topics, and of their events in pages."""
    router = APIRouter(tags=["events"], route_class=strict(access))

    async def may_read(request: Request, topic: TopicName) -> None:
        await access.reader(request.scope["headers"], topic)

    async def may_manage(request: Request, topic: TopicName) -> tuple[Subject, Head | None]:
        # The head comes first: the right that is then checked holds for the life of the topic that is changed.
        head = await hub.log.describe(topic)
        return await access.manager(request.scope["headers"], topic), head

    async def may_redact(request: Request, topic: TopicName) -> None:
        await access.redactor(request.scope["headers"], topic)

    reading = [Depends(may_read)]

    @router.get("/topics", summary="List topics", responses={200: shape(TopicNames, "Topics"), **problems()})
    async def topics(
        request: Request,
        prefix: Annotated[str, Query(max_length=200, description="The beginning of the names.")] = "",
        after: Annotated[str, Query(max_length=200, description="The name after which the list begins.")] = "",
        limit: Annotated[int, Query(ge=1, le=1000, description="The most names to list."), DECIMAL] = 100,
    ) -> Response:
        subject = await access.reader(request.scope["headers"])
        listing = Listing(hub.log, access.guards, subject, limit)
        await listing.fill(prefix, after)
        return json_response(TopicNames(listing.names))

    state: Responses = {200: shape(TopicState, "The topic")}

    @router.get(
        "/topics/{topic}", summary="Describe a topic", dependencies=reading, responses={**state, **problems(404)}
    )
    async def describe(topic: TopicName) -> Response:
        return json_response(described(topic, await hub.log.describe(topic)))

    @router.put(
        "/topics/{topic}",
        summary="Create or configure a topic",
        responses={**state, **problems(409, 413)},
    )
    async def configure(
        topic: TopicName, to: Configuration, by: tuple[Subject, Head | None] = Depends(may_manage)
    ) -> Response:
        subject, head = by
        if head is not None:
            return await set_up(topic, to, subject, head)
        async with creating(hub, access.limits, subject, topic) as created:
            response = await set_up(topic, to, subject, None)
            created()
            return response

    async def set_up(topic: str, to: Configuration, subject: Subject, head: Head | None) -> Response:
        """Configure a topic, which had this head when the right to it was checked."""
        limits = to.model_fields_set - {"ttl"}
        retention = Retention(to.max_age, to.max_events, to.max_bytes) if limits else UNSET
        ttl = to.ttl if "ttl" in to.model_fields_set else UNSET
        if access.guards.of(topic) is None:
            return json_response(described(topic, await hub.log.configure(topic, retention=retention, ttl=ttl)))
        # A topic of an app belongs to the person who creates it. The hub's default retention is not for it.
        configured = await hub.log.configure(
            topic,
            retention=retention,
            ttl=ttl,
            expected=NEW if head is None else head.epoch,
            owner=subject.name or "",
            default=None,
        )
        return json_response(described(topic, configured))

    @router.post(
        "/topics/{topic}/close",
        summary="Close a topic: no event will follow",
        responses={**state, **problems(404, 409)},
    )
    async def close(topic: TopicName, by: tuple[Subject, Head | None] = Depends(may_manage)) -> Response:
        head = by[1]
        if head is None:
            raise NotFound(f"There is no topic {topic}.")
        return json_response(described(topic, await hub.log.close_topic(topic, expected=head.epoch)))

    @router.delete(
        "/topics/{topic}",
        summary="Delete a topic and its events",
        status_code=204,
        responses={204: {"description": "The topic does not exist any more."}, **problems(409)},
    )
    async def delete(topic: TopicName, by: tuple[Subject, Head | None] = Depends(may_manage)) -> Response:
        if (head := by[1]) is not None:
            if (guard := access.guards.of(topic)) is not None:
                await guard.deleting(topic, head)
            await hub.log.delete(topic, expected=head.epoch)
        return Response(status_code=204)

    @router.get(
        "/topics/{topic}/events",
        summary="Read a page of events",
        dependencies=reading,
        responses={200: shape(EventPage, "A page"), **problems(404, 410)},
    )
    async def read(
        topic: TopicName,
        after: Annotated[
            str,
            Query(
                description="An offset, `earliest` (the default), `tail`, or `-N` for the last N events. `from` is "
                "another name.",
                json_schema_extra={"pattern": f"{START}|^$"},
            ),
        ] = "",
        after_: Annotated[str, Query(alias="from", include_in_schema=False)] = "",
        before: Annotated[
            str,
            Query(
                description="An offset, or `tail`: the events that end there, to page backwards by `previous`.",
                json_schema_extra={"pattern": f"^(tail|{OFFSET})?$"},
            ),
        ] = "",
        limit: Annotated[int, Query(ge=1, le=1000), DECIMAL] = 100,
        merge: Annotated[Flag, Query(description="Merge neighbouring deltas of a run's blocks.")] = False,
    ) -> Response:
        if after and after_:
            wrong("from", "`from` is another name for `after`: give one of them")
        after = after or after_
        if after and before:
            raise InvalidRequest("A page is either after an offset or before one.")
        if before:
            page = await hub.log.read_before(topic, None if before == "tail" else Offset.parse(before), limit)
        else:
            page = await hub.read(topic, after or "earliest", limit)
        if page.lost is not None:
            where = f"before {before}" if before else f"after {after}"
            raise Gone(f"Events {where} are gone: {page.lost}.", reason=page.lost, earliest=str(page.earliest))
        size = sum([len(event.data) for event in page.events])
        return await beside(size, lambda: json_response(page_value(page, merge)))

    @router.delete(
        "/topics/{topic}/events/{offset}",
        summary="Redact an event: remove its content for good",
        status_code=204,
        dependencies=[Depends(may_redact)],
        responses={204: {"description": "The event has no content any more."}, **problems(404)},
    )
    async def redact(
        topic: TopicName, offset: Annotated[str, Path(json_schema_extra={"pattern": f"^{OFFSET}$"})]
    ) -> Response:
        await hub.redact(topic, Offset.parse(offset))
        return Response(status_code=204)

    return router


def described(topic: str, head: Head | None) -> TopicState:
    """Return the state of a topic as it is sent. Raises NotFound."""
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
    """Return a page as it is sent."""
    events: Sequence[Any] = merged_log(page.events) if merge else page.events
    previous = page.next._replace(n=page.next.n - len(page.events))
    return EventPage(
        events=[PageEvent(str(e.offset or ORIGIN), e.type, e.time, json_value(e.data), e.redacted) for e in events],
        previous=str(previous),
        next=str(page.next),
        earliest=str(page.earliest),
        tail=str(page.tail),
        up_to_date=page.up_to_date,
        closed=page.closed,
    )
