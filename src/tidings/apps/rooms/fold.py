"""PURE: the fold of a room's events into its state. Events that break a rule are ignored."""

from __future__ import annotations

from bisect import bisect_left

import msgspec

from tidings.errors import TidingsError
from tidings.events import Event, Offset

from . import facts, rules
from .facts import (
    AnswerPosted,
    Fact,
    MemberBanned,
    MemberJoined,
    MemberLeft,
    MemberRole,
    MemberUnbanned,
    MessageDeleted,
    MessageEdited,
    MessagePosted,
    RoomArchived,
    RoomCreated,
    RoomRenamed,
    RoomRestored,
    RunCreated,
)
from .room import IGNORED, RECENT, Member, PendingRun, RecentMessage, Room

VERSION = 5
"""Version of the fold. Snapshots of other versions are not read."""


def apply(room: Room, event: Event) -> None:
    """Change the room by the next event of its topic, or by the announcement of a redaction."""
    if event.redacted:
        redacted = event.json()
        _redact(room, Offset.parse(redacted["offset"]).n, redacted["type"])
        return
    assert event.offset is not None
    try:
        fact = facts.read(event.type, event.data)
        rules.check(room, fact)
    except TidingsError:
        room.ignored = [*room.ignored[1 - IGNORED :], event.offset.n]
        return
    follow(room, fact, event.offset.n, event.time)


def follow(room: Room, fact: Fact, n: int, time: float) -> None:
    """Change the room by a fact that breaks no rule, as event number `n`."""
    match fact:
        case MessagePosted():
            _say(room, n, fact)
        case MessageEdited():
            at = Offset.parse(fact.message).n
            room.edited.setdefault(at, []).append(n)
            room.redacted.discard(at)
            if fact.author:
                _say(room, at, facts.restated(fact))
        case MessageDeleted():
            gone = Offset.parse(fact.message).n
            room.deleted.add(gone)
            room.redacted.discard(gone)
            room.files.pop(gone, None)
            room.answers.pop(gone, None)
            if isinstance(fact.run, str):
                room.runs.pop(fact.run, None)
            room.recent = [message for message in room.recent if message.n != gone]
        case RunCreated():
            room.runs[fact.run] = PendingRun(n, fact.by, fact.assistant, fact.asked)
        case AnswerPosted():
            del room.runs[fact.run]
            room.answers[n] = fact.run
            _remember(room, RecentMessage(n, "", []))
        case RoomCreated():
            room.name, room.about, room.private = fact.name, fact.about, fact.private
            room.created, room.by = time, fact.by
            room.members[fact.by] = Member("owner", n)
        case RoomRenamed():
            room.name = fact.name
            room.about = fact.about if isinstance(fact.about, str) else room.about
        case RoomArchived() | RoomRestored():
            room.archived = isinstance(fact, RoomArchived)
        case _:
            _change_members(room, fact, n)


def _redact(room: Room, n: int, type: str) -> None:
    """Take the redaction of event number `n`, which had this type.

    The edit or the deletion for which the server redacts an event is stored before the redaction, but a state that
    begins at the first event meets the redacted event first.
    """
    if type == MessageEdited.type:
        named = [at for at, edits in room.edited.items() if edits[-1] == n]
    else:
        named = [n] if type in (MessagePosted.type, AnswerPosted.type) and n not in room.edited else []
    room.redacted.update(at for at in named if at not in room.deleted)


def _change_members(room: Room, fact: Fact, n: int) -> None:
    match fact:
        case MemberJoined():
            room.members[fact.member] = Member(fact.role, n)
            room.readers.discard(fact.member)
        case MemberRole():
            room.members[fact.member] = msgspec.structs.replace(room.members[fact.member], role=fact.role)
        case MemberLeft() | MemberBanned():
            left = room.members.pop(fact.member, None)
            if left is not None and left.role == "reader":
                room.readers.add(fact.member)
            if isinstance(fact, MemberBanned):
                room.banned.add(fact.member)
        case MemberUnbanned():
            room.banned.discard(fact.member)


def _say(room: Room, n: int, message: MessagePosted) -> None:
    """Take a message, or what an edit has made of it."""
    _remember(room, RecentMessage(n, message.by, message.mentions))
    if attached := [file.id for file in message.attached]:
        room.files[n] = attached
    if isinstance(message.reply, str):
        replies = room.replies.setdefault(Offset.parse(message.reply).n, [])
        if n not in replies:
            replies.append(n)


def _remember(room: Room, message: RecentMessage) -> None:
    recent = room.recent
    if not recent or message.n > recent[-1].n:
        recent.append(message)
    else:
        # An edit of a message that is remembered, or was redacted before it was read.
        at = bisect_left(recent, message.n, key=lambda each: each.n)
        if recent[at].n == message.n:
            recent[at] = message
        elif at or len(recent) < RECENT:
            recent.insert(at, message)
    if len(recent) > RECENT:
        del recent[0]
