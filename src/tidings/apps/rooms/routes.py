"""Rooms over HTTP: which there are, and how one is now. All else is the native protocol, in the topic `rooms.ID`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from tidings.access.access import Access
from tidings.access.subject import Subject
from tidings.events import Event, Offset
from tidings.http.openapi import problems, shape
from tidings.http.request import strict
from tidings.http.response import json_response
from tidings.slices import in_slices
from tidings.wire.sse import json_value

from . import direct, facts
from .index import Index, Readable
from .room import Room
from .rooms import PREFIX, Rooms, person

PAGE = 100
"""Events of a room that is opened."""

KNOWN = 20
"""Names in a list of known people."""

UNREAD = 100
"""Unread messages are counted up to here."""

Markers = Callable[[str], Awaitable[tuple[Mapping[str, str], Offset]]]
"""Up to which offset somebody has read each room, by its id, and the offset of their own topic at which that is so."""

ID = "[A-Za-z0-9_-]{1,64}"
RoomId = Annotated[str, Path(pattern=f"^{ID}$", description="A room's id.", examples=["lobby"])]


class RoomSummary(msgspec.Struct):
    """A room as a person sees it. `role`: the person's, null for no member; `invited`: the role that the person gets by
    joining, null without an invitation; `people`: all people of a direct message, which has no name; `members`: their
    number; `unread`: messages of others after `read`, the read marker, at most 100; `mentions`: those of them that call
    the person; `tail`: the offset of the room's last event."""

    id: str
    name: str
    about: str
    private: bool
    archived: bool
    role: facts.Role | None
    invited: facts.Role | None
    people: list[str]
    members: int
    unread: int
    mentions: int
    read: str | None
    tail: str


class RoomList(msgspec.Struct):
    """The rooms that a person may read, or is invited to. `offset`: where the person's own topic is followed from, null
    for a person without a name."""

    rooms: list[RoomSummary]
    offset: str | None


class RoomMember(msgspec.Struct):
    """A member of a room, or a person who is invited to the room."""

    name: str
    role: facts.Role


class RoomState(msgspec.Struct):
    """A room. `direct`: it is a direct message; `created` in Unix seconds; `runs`: the ids of those that have not
    ended."""

    id: str
    name: str
    about: str
    private: bool
    direct: bool
    archived: bool
    created: float
    by: str
    role: facts.Role | None
    members: list[RoomMember]
    invited: list[RoomMember]
    banned: list[str]
    runs: list[str]


class KnownPeople(msgspec.Struct):
    """Names, in their order."""

    people: list[str]


class DirectRoom(msgspec.Struct):
    """The id of a direct message's room. `exists`: the room was created."""

    room: str
    exists: bool


class RoomEvent(msgspec.Struct):
    """An event as in a page of the topic's: `time` in Unix seconds, `data` the JSON value."""

    offset: str
    type: str
    time: float
    data: Any


class OpenedRoom(msgspec.Struct):
    """A room and its last `events`, oldest first. `previous`: the offset before which to read on, null if the first
    event is among them; `read`: the read marker; `offset`: the offset after which to follow; `max_file`: bytes of the
    largest file that the room takes."""

    room: RoomState
    events: list[RoomEvent]
    previous: str | None
    read: str | None
    offset: str
    max_file: int


def routes(rooms: Rooms, index: Index, access: Access, markers: Markers, max_file: int) -> APIRouter:
    """The router of rooms."""
    router = APIRouter(tags=["rooms"], route_class=strict(access))

    async def marked(subject: Subject) -> tuple[Mapping[str, str], Offset | None]:
        return ({}, None) if subject.name is None else await markers(subject.name)

    async def present(room: str, read: Mapping[str, str], tail: Offset) -> str | None:
        """The marker of a room, as an offset of the room's present life."""
        marker = read.get(room)
        return None if marker is None else await rooms.present(PREFIX + room, marker, tail)

    @router.get("/rooms", summary="List rooms", responses={200: shape(RoomList, "The rooms"), **problems()})
    async def listed(request: Request) -> Response:
        subject = await access.reader(request.scope["headers"])
        read, offset = await marked(subject)
        readable = await index.readable_by(subject)
        ids = {found.id for found in readable}
        readable += [found for found in await index.invitations(subject) if found.id not in ids]
        summaries = [
            summary(found, subject, await present(found.id, read, found.entry.tail))
            async for found in in_slices(sorted(readable, key=lambda found: found.id))
        ]
        return json_response(RoomList(summaries, str(offset) if offset else None))

    @router.get(
        "/people/known",
        summary="List the people of your rooms",
        description="The members of the rooms that you may read, at most 20. A word of each name begins with the "
        "letters `q`, in any case.",
        responses={200: shape(KnownPeople, "The people"), **problems()},
    )
    async def known(
        request: Request, q: Annotated[str, Query(max_length=60, description="Letters.", examples=["mar"])] = ""
    ) -> Response:
        subject = await access.reader(request.scope["headers"])
        return json_response(KnownPeople((await index.known_to(subject, q))[:KNOWN]))

    @router.get(
        "/people/direct",
        summary="Find a direct message",
        description="The room of the direct message between you and the people in `name`. To begin it, publish "
        '`room.created` there with `{"private": true, "people": […]}`; a 409 means that the room exists already.',
        responses={200: shape(DirectRoom, "The room"), **problems()},
    )
    async def direct_room(
        request: Request,
        name: Annotated[list[str], Query(description="The name of each other person.", examples=[["Mara"]])],
    ) -> Response:
        subject = await access.reader(request.scope["headers"])
        id = direct.id_of(direct.check_people(list(dict.fromkeys([person(subject), *name]))))
        found = await rooms.states.get(PREFIX + id)
        return json_response(DirectRoom(id, bool(found.state.created)))

    @router.get("/rooms/{room}", summary="Open a room", responses={200: shape(OpenedRoom, "The room"), **problems(404)})
    async def opened(request: Request, room: RoomId) -> Response:
        topic = PREFIX + room
        subject = await access.reader(request.scope["headers"], topic)
        read, _ = await marked(subject)
        page = await rooms.hub.log.read_before(topic, None, PAGE)
        found = await rooms.states.at(topic, page.tail)
        state, offset = described(room, found.state, subject.name), found.offset
        events = [event for event in page.events if event.offset and event.offset <= offset]
        first = page.next.n - len(page.events)
        return json_response(
            OpenedRoom(
                room=state,
                events=[shown(event) for event in events],
                previous=str(page.next._replace(n=first)) if first >= page.earliest.n else None,
                read=await present(room, read, page.tail),
                offset=str(page.tail),
                max_file=max_file,
            )
        )

    return router


def summary(found: Readable, subject: Subject, read: str | None) -> RoomSummary:
    """A room as the subject sees it, who has read it up to `read`."""
    name = subject.name
    entry, room = found.entry, found.room
    unread, mentions = unread_of(room, entry.tail, name, read) if room is not None else (0, 0)
    return RoomSummary(
        id=found.id,
        name=entry.name,
        about=entry.about,
        private=entry.private,
        archived=entry.archived,
        role=room.role(name) if room is not None else None,
        invited=entry.invited.get(name or "") if subject.authenticated else None,
        people=sorted(entry.members.union(entry.invited)) if entry.direct else [],
        members=len(entry.members),
        unread=unread,
        mentions=mentions,
        read=read,
        tail=str(entry.tail),
    )


def unread_of(room: Room, tail: Offset, name: str | None, read: str | None) -> tuple[int, int]:
    """Count the unread messages of others for a member, at most 100, and those among them that call the member.

    A member begins to read where they joined. They are counted among the room's last 200 messages.
    """
    member = room.members.get(name) if name is not None else None
    if member is None:
        return 0, 0
    marker = Offset.parse(read) if read else None
    after = max(member.since, marker.n if marker and marker.epoch == tail.epoch else 0)
    unread = [message for message in room.recent if message.n > after and message.by != name][-UNREAD:]
    return len(unread), sum(name in message.mentions for message in unread)


def described(id: str, room: Room, name: str | None) -> RoomState:
    """A room, to `name`."""
    return RoomState(
        id=id,
        name=room.name,
        about=room.about,
        private=room.private,
        direct=room.direct,
        archived=room.archived,
        created=room.created,
        by=room.by,
        role=room.role(name),
        members=[RoomMember(who, member.role) for who, member in room.members.items()],
        invited=[RoomMember(who, role) for who, role in room.invited.items()],
        banned=sorted(room.banned),
        runs=list(room.runs),
    )


def shown(event: Event) -> RoomEvent:
    """An event as it is sent."""
    return RoomEvent(str(event.offset), event.type, event.time, json_value(event.data))
