"""Search over HTTP: the messages of rooms and the texts of conversations that a person may read."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from tidings.access.access import Access
from tidings.access.subject import Subject
from tidings.apps.file import File
from tidings.apps.rooms.service import Index, Rooms
from tidings.apps.scripts import begins
from tidings.delivery.hub import Hub
from tidings.events import Offset
from tidings.http.openapi import problems, shape
from tidings.http.request import strict
from tidings.http.response import json_response
from tidings.log.head import UNOWNED, owned_by
from tidings.slices import in_slices

from .conversation_texts import still_said
from .index import CONVERSATIONS, HITS, ROOMS, Found, Search
from .query import parse

ID = "[A-Za-z0-9_-]{1,64}"


class Neighbour(msgspec.Struct):
    """The beginning of the text before a hit, or after it."""

    by: str
    assistant: str | None
    text: str


class Hit(msgspec.Struct):
    """A message of `room`, or a question or an answer of `conversation`, that matches.

    `text`: the part of the text around the first match; `marks`: the places of the matches in `text`, as pairs of
    positions in UTF-16 units. `offset`: of the message, or of the event that announces the `run`. `by`: the author,
    empty for an answer of `assistant`. `time` in Unix seconds. `previous`, `following`: the texts before and after.
    """

    room: str | None
    conversation: str | None
    offset: str
    run: str | None
    by: str
    assistant: str | None
    time: float
    text: str
    marks: list[tuple[int, int]]
    files: list[File]
    previous: Neighbour | None
    following: Neighbour | None


class Hits(msgspec.Struct):
    """Hits, the newest first. `next`: the `before` of the next page, or null on the last page."""

    hits: list[Hit]
    next: str | None


def routes(hub: Hub, rooms: Rooms, index: Index, access: Access, search: Search) -> APIRouter:
    """Return the router of the search."""
    router = APIRouter(tags=["search"], route_class=strict(access))

    async def readable_rooms(subject: Subject, place: str | None) -> dict[str, Offset]:
        """Return the topics of the rooms that the subject may read, with their tails. `place` narrows the rooms."""
        return {
            ROOMS + found.id: found.entry.tail
            async for found in in_slices(await index.readable_by(subject))
            if place is None or found.id == place or begins(found.entry.name, place)
        }

    async def own_conversations(subject: Subject) -> dict[str, Offset]:
        """Return the topics of the subject's own conversations, with their tails. A subject with a name does not search
        conversations without an owner."""
        labels = [owned_by(subject.name)] if subject.name else [UNOWNED] if subject.session is None else []
        topics: dict[str, Offset] = {}
        after = ""
        while labels and (heads := await hub.log.heads(CONVERSATIONS, after, labels=labels)):
            async for topic, head in in_slices(heads):
                if subject.may_subscribe(topic) and await access.guards.allows(subject, topic, head):
                    topics[topic] = Offset(head.epoch, head.tail)
            after = heads[-1][0]
        return topics

    @router.get(
        "/search",
        summary="Search messages and conversations",
        description="A text matches if it has every word, or words that begin so. Text in quotes matches exactly. "
        "`from:NAME`, `in:ROOM`, `in:conversations`, `before:2026-11-29`, `has:file`, `has:image` and "
        "`has:link` are conditions.",
        responses={200: shape(Hits, "The matches"), **problems(404)},
    )
    async def searched(
        request: Request,
        q: Annotated[
            str, Query(min_length=1, max_length=200, description="The search.", examples=["deploy from:mara"])
        ],
        room: Annotated[
            str, Query(description="The id of the only room to search.", json_schema_extra={"pattern": f"^({ID})?$"})
        ] = "",
        before: Annotated[str, Query(pattern="^([0-9]{1,19})?$", description="The `next` of a page.")] = "",
    ) -> Response:
        subject = await access.reader(request.scope["headers"], *([ROOMS + room] if room else []))
        query = parse(q, subject.name)
        if room:
            found = await rooms.states.get(ROOMS + room)
            topics = {ROOMS + room: found.offset}
        else:
            topics = await readable_rooms(subject, query.place)
            own = await own_conversations(subject)
            await search.keep_only(subject.name or "", own)
            if query.place is None or "conversations".startswith(query.place.casefold()):
                topics |= own
        hits = await search.find(query, topics, int(before) if before else None)
        more = len(hits) > HITS
        shown = [hit(found, topics[found.topic].epoch) for found in hits[:HITS] if await said(found, topics)]
        return json_response(Hits(shown, str(hits[HITS - 1].id) if more else None))

    async def said(found: Found, topics: dict[str, Offset]) -> bool:
        """Return True if a text still exists. The index learns of all deletions in rooms by itself."""
        if found.run is None:
            return True
        return await still_said(hub, found.topic, topics[found.topic].epoch, found.n, found.run)

    return router


def hit(found: Found, epoch: str) -> Hit:
    """Return a hit in the shape of the answer."""
    inside = found.topic.startswith(CONVERSATIONS)
    id = found.topic.partition(".")[2]
    return Hit(
        room=None if inside else id,
        conversation=id if inside else None,
        offset=str(Offset(epoch, found.n // 2 if inside else found.n)),
        run=found.run,
        by=found.by,
        assistant=found.assistant,
        time=found.time,
        text=found.text,
        marks=found.marks,
        files=found.files,
        previous=Neighbour(*found.previous) if found.previous else None,
        following=Neighbour(*found.following) if found.following else None,
    )
