"""PURE: a room's state from its topic's events. What breaks a rule is ignored."""

from __future__ import annotations

import msgspec

from tidings.errors import TidingsError
from tidings.events import Event
from tidings.log.names import parse_offset

from . import facts, rules
from .facts import (
    AnswerPosted,
    Fact,
    MemberJoined,
    MemberLeft,
    MemberRole,
    MessageDeleted,
    MessageEdited,
    MessagePosted,
    RoomArchived,
    RoomCreated,
    RoomRenamed,
    RoomRestored,
    RunCreated,
)
from .room import EDITS, IGNORED, RECENT, Asked, Member, Room, Said

VERSION = 2
"""Of the fold: a snapshot that another version has made is not read."""


def apply(room: Room, event: Event) -> None:
    """Change the room by one event of its topic, the next."""
    assert event.offset is not None
    try:
        fact = facts.read(event.type, event.data)
        rules.judge(room, fact)
    except TidingsError:
        room.ignored = [*room.ignored[1 - IGNORED :], event.offset.n]
        return
    follow(room, fact, event.offset.n, event.time)


def follow(room: Room, fact: Fact, n: int, time: float) -> None:
    """Change the room by a fact that may follow, as event number `n`."""
    match fact:
        case RoomCreated():
            room.name, room.about, room.private = fact.name, fact.about, fact.private
            room.created, room.by = time, fact.by
            room.members[fact.by] = Member("owner", n)
        case RoomRenamed():
            room.name = fact.name
            room.about = fact.about if isinstance(fact.about, str) else room.about
        case RoomArchived() | RoomRestored():
            room.archived = isinstance(fact, RoomArchived)
        case MemberJoined():
            room.members[fact.member] = Member(fact.role, n)
        case MemberRole():
            room.members[fact.member] = msgspec.structs.replace(room.members[fact.member], role=fact.role)
        case MemberLeft():
            del room.members[fact.member]
        case MessagePosted():
            _said(room, Said(n, fact.by, fact.mentions))
        case MessageEdited():
            edited = parse_offset(fact.message).n
            room.edited.pop(edited, None)
            room.edited[edited] = n
            if len(room.edited) > EDITS:
                del room.edited[next(iter(room.edited))]
        case MessageDeleted():
            gone = parse_offset(fact.message).n
            room.deleted.add(gone)
            room.edited.pop(gone, None)
            room.recent = [said for said in room.recent if said.n != gone]
        case RunCreated():
            room.runs[fact.run] = Asked(n, fact.by, fact.assistant, fact.asked)
        case AnswerPosted():
            del room.runs[fact.run]
            _said(room, Said(n, "", []))


def _said(room: Room, said: Said) -> None:
    room.recent.append(said)
    if len(room.recent) > RECENT:
        del room.recent[0]
