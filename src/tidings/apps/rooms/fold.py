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
    MemberInvited,
    MemberJoined,
    MemberLeft,
    MemberRole,
    MemberUnbanned,
    MemberUninvited,
    MessageDeleted,
    MessageEdited,
    MessagePosted,
    Quote,
    ReactionAdded,
    RoomArchived,
    RoomCreated,
    RoomRenamed,
    RoomRestored,
    RunCreated,
)
from .room import IGNORED, RECENT, Member, PendingRun, RecentMessage, Room

VERSION = 7
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
            _end_text(room, at)
            room.edited[at] = n
            room.edits[n] = at
            if fact.by:
                room.outdated |= room.replies.pop(at, set())
            if fact.author:
                _say(room, at, facts.restated(fact))
        case MessageDeleted():
            gone = Offset.parse(fact.message).n
            _end_text(room, gone)
            room.deleted.setdefault(gone, n)
            room.edited.pop(gone, None)
            room.outdated |= room.replies.pop(gone, set())
            room.outdated.discard(gone)
            _attach(room, gone, [])
            room.reactions.pop(gone, None)
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
            room.created, room.by, room.direct = time, fact.by, bool(fact.people)
            room.invited = dict.fromkeys(fact.invited or (), "member")
            joined = [name for name in fact.people or () if name not in room.invited]
            room.members = {name: Member("member", n) for name in joined} or {fact.by: Member("owner", n)}
        case RoomRenamed():
            room.name = fact.name
            room.about = fact.about if isinstance(fact.about, str) else room.about
        case ReactionAdded():
            at = Offset.parse(fact.message).n
            used = room.reactions.get(at, [])
            if fact.emoji not in used:
                room.reactions[at] = [*used, fact.emoji]
        case RoomArchived() | RoomRestored():
            room.archived = isinstance(fact, RoomArchived)
        case _:
            _change_members(room, fact, n)


def _end_text(room: Room, message: int) -> None:
    """Take the end of a message's present text: an edit or a deletion follows."""
    last = room.edited.get(message, message)
    room.edits.pop(last, None)
    if message not in room.deleted and message not in room.redacted:
        room.stale.add(last)
    room.redacted.discard(message)


def _redact(room: Room, n: int, type: str) -> None:
    """Take the redaction of event number `n`, which had this type.

    The edit or the deletion for which the server redacts an event is stored before the redaction, but a state that
    begins at the first event meets the redacted event first.
    """
    room.stale.discard(n)
    if type == MessageEdited.type:
        message = room.edits.get(n)
    else:
        message = n if type in (MessagePosted.type, AnswerPosted.type) and n not in room.edited else None
    if message is not None and message not in room.deleted:
        room.redacted.add(message)
        room.outdated |= room.replies.pop(message, set())


def _change_members(room: Room, fact: Fact, n: int) -> None:
    match fact:
        case MemberJoined():
            room.members[fact.member] = Member(fact.role, n)
            room.readers.discard(fact.member)
            room.invited.pop(fact.member, None)
        case MemberInvited():
            room.invited[fact.member] = fact.role
        case MemberUninvited():
            room.invited.pop(fact.member, None)
        case MemberRole():
            room.members[fact.member] = msgspec.structs.replace(room.members[fact.member], role=fact.role)
        case MemberLeft() | MemberBanned():
            left = room.members.pop(fact.member, None)
            if left is not None and left.role == "reader":
                room.readers.add(fact.member)
            if isinstance(fact, MemberBanned):
                room.banned.add(fact.member)
                room.invited.pop(fact.member, None)
        case MemberUnbanned():
            room.banned.discard(fact.member)


def _say(room: Room, n: int, message: MessagePosted) -> None:
    """Take a message, or what an edit has made of it."""
    quote = message.quote if isinstance(message.quote, Quote) else Quote("", "")
    _remember(room, RecentMessage(n, message.by, message.called, quote.by))
    _attach(room, n, [file.id for file in message.attached])
    if isinstance(message.reply, str):
        quoted = Offset.parse(message.reply).n
        if not quote.text:
            room.outdated.discard(n)
            room.replies.get(quoted, set()).discard(n)
        elif room.lacks(quoted):
            room.outdated.add(n)
        elif n not in room.outdated:
            room.replies.setdefault(quoted, set()).add(n)


def _attach(room: Room, n: int, files: list[str]) -> None:
    """Take the files of message number `n`, in the place of those that it had."""
    for file in room.files.pop(n, ()):
        room.attached[file] -= 1
        if not room.attached[file]:
            del room.attached[file]
    for file in files:
        room.attached[file] = room.attached.get(file, 0) + 1
    if files:
        room.files[n] = files


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
