"""PURE: the rules of a room. The guard refuses facts that break a rule, and the fold ignores them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from tidings.access.names import valid_name
from tidings.apps.file import ID as FILE_ID
from tidings.errors import Conflict, Forbidden, InvalidRequest, NotFound, TooLarge
from tidings.events import Offset
from tidings.log.head import UNOWNED

from . import direct
from .emoji import is_emoji
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
    ReactionAdded,
    ReactionRemoved,
    RoomArchived,
    RoomCreated,
    RoomRenamed,
    RoomRestored,
    RunCreated,
)
from .mentions import Mentions
from .room import Room

MAX_TEXT = 16_000
MAX_NAME = 80
MAX_ABOUT = 500
"""Limits of texts, in characters."""

EVERYONE, EVERYONE_BY_OWNER = 50, 200
"""People of a room in which a member, or an owner, may call everyone by `@room`. Each of them is notified, and their
names are stored with the message."""

MAX_FILES = 10
"""Files that one message attaches at most."""

MAX_REACTIONS = 50
"""Different emoji that people add to one message at most, those that were taken back included."""

KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")
CONTROL = re.compile(r"[\0-\x08\x0b-\x1f\x7f-\x9f]")

MEMBER_FACTS = (
    MemberJoined,
    MemberInvited,
    MemberUninvited,
    MemberLeft,
    MemberRole,
    MemberBanned,
    MemberUnbanned,
)

SETTINGS = (RoomRenamed, RoomArchived, RoomRestored, *MEMBER_FACTS)
"""Facts that a direct message refuses, but for a person who accepts an invitation."""

PERMISSION_FACTS = (RoomCreated, RoomRenamed, RoomArchived, RoomRestored, *MEMBER_FACTS)
"""Facts that change permissions. They are appended at an exact offset, so two that race are checked one after the
other."""

REMOVALS = (MemberLeft, MemberBanned)
"""Facts that may end a person's right to read."""


PUBLIC = "public"
"""The label of public rooms. A room is public or private for good."""

UNERASED = "unerased"
"""The label of rooms in which a text was edited or deleted, until it is erased: a process that starts finds them."""


class Target(NamedTuple):
    """The message or the answer that a fact names. The author of an answer is empty, and so is the run of a message."""

    type: str
    by: str
    text: str
    run: str = ""


def may_read(room: Room, name: str | None) -> bool:
    """Tell whether a person may read the room. A person without a name is None."""
    return bool(room.created) and (not room.private or room.role(name) is not None)


def check_may_read(room: Room, name: str | None) -> None:
    """Raise Forbidden unless the person may read the room, which exists."""
    if not may_read(room, name):
        raise Forbidden(BANNED if name in room.banned else PRIVATE)


def labels_of(name: str | None) -> list[str]:
    """The labels of the rooms that a person may read. A room that a program made has no owner, and may be any."""
    return [PUBLIC, UNOWNED] if name is None else [PUBLIC, UNOWNED, member_label(name)]


def member_label(name: str) -> str:
    """The label of the private rooms of a member."""
    return f"for {name}"


def invited_label(name: str) -> str:
    """The label of the rooms to which a person is invited."""
    return f"invited {name}"


def labels(room: Room, facts: Sequence[Fact]) -> dict[str, bool]:
    """The labels that a room gets (True) and loses (False) with facts that follow in it."""
    private, labels = room.private, dict[str, bool]()
    for fact in facts:
        match fact:
            case RoomCreated():
                private = fact.private
                if not private:
                    labels[PUBLIC] = True
                for name in (fact.people or [fact.by]) if private else ():
                    labels[invited_label(name) if name in (fact.invited or ()) else member_label(name)] = True
            case MemberJoined() | MemberLeft() | MemberBanned() if private:
                labels[member_label(fact.member)] = isinstance(fact, MemberJoined)
            case MessageEdited() | MessageDeleted():
                labels[UNERASED] = True
        match fact:
            case MemberInvited():
                labels[invited_label(fact.member)] = True
            case MemberJoined() | MemberUninvited() | MemberBanned():
                if fact.member in room.invited or invited_label(fact.member) in labels:
                    labels[invited_label(fact.member)] = False
    return labels


def target_of(fact: Fact) -> str | None:
    """The offset of the message that a fact names; None if it names no message."""
    if isinstance(fact, MessageEdited | MessageDeleted | ReactionAdded | ReactionRemoved):
        return fact.message
    return fact.reply if isinstance(fact, MessagePosted) and isinstance(fact.reply, str) else None


def stamped(room: Room, fact: Fact) -> Fact:
    """Complete a fact about a member by what the room knows of them.

    A role outlives leaving: a reader who left and joins again is a reader, until an owner changes that. A person who
    accepts an invitation gets its role.
    """
    if isinstance(fact, MemberJoined) and fact.invited is True:
        if (role := room.invited.get(fact.member)) is not None:
            return replace(fact, role=role)
        fact = replace(fact, invited=UNSET)
    match fact:
        case MemberJoined(role="member") if fact.by == fact.member and fact.member in room.readers:
            return replace(fact, role="reader")
        case MemberBanned():
            return replace(fact, role=room.role(fact.member))
    return fact


def check(room: Room, fact: Fact) -> None:
    """Raise InvalidRequest, TooLarge, NotFound, Forbidden or Conflict unless the fact may follow in the room."""
    check_form(fact)
    if isinstance(fact, RoomCreated):
        if room.created:
            raise Conflict("A room with this id exists already.")
        return
    if not room.created:
        raise NotFound("There is no such room.")
    if isinstance(fact, RunCreated | AnswerPosted):
        if (fact.run in room.runs) != isinstance(fact, AnswerPosted):
            raise Conflict("The run is not in the state that this would follow.")
        return
    if isinstance(fact, MessageEdited | MessageDeleted) and not fact.by:
        return  # the server's own, in an archived or private room, too
    # An outsider of a private room must not learn who its members are, or that it is archived.
    if not _accepts(room, fact):
        check_may_read(room, fact.by)
    if room.direct and isinstance(fact, SETTINGS):
        _check_direct(room, fact)
        return
    if room.archived != isinstance(fact, RoomRestored):
        raise Conflict(ARCHIVED if room.archived else "This room is not archived.")
    if isinstance(fact, MEMBER_FACTS):
        _check_member(room, fact)
    elif isinstance(fact, RoomRenamed | RoomArchived | RoomRestored):
        _check_owner(room, fact.by, "do that")
    else:
        check_may_post(room, fact.by)
        if (at := target_of(fact)) is not None and Offset.parse(at).n in room.deleted:
            raise Conflict(DELETED)
        if isinstance(fact, ReactionAdded):
            used = room.reactions.get(Offset.parse(fact.message).n, ())
            if len(used) >= MAX_REACTIONS and fact.emoji not in used:
                raise Conflict(f"A message takes at most {MAX_REACTIONS} different reactions. Add one that is there.")


def check_target(room: Room, fact: Fact, target: Target | None) -> None:
    """Raise NotFound or Forbidden unless the message exists and the fact may be published about it."""
    if target is None:
        raise NotFound("There is no such message in this room.")
    if isinstance(fact, MessageEdited) and (target.by != fact.by or target.type != MessagePosted.type):
        raise Forbidden("Only its author may edit a message.")
    if isinstance(fact, MessageDeleted) and target.by != fact.by and room.role(fact.by) != "owner":
        raise Forbidden("Only its author or an owner of the room may delete a message.")


def check_may_post(room: Room, name: str | None) -> None:
    """Raise Forbidden unless the person may write in the room, and Conflict if it is archived."""
    role = room.role(name)
    if role is None:
        raise Forbidden(BANNED if name in room.banned else "You are not a member of this room. Join it to write.")
    if role == "reader":
        raise Forbidden("You may only read in this room. Ask an owner for permission to post.")
    if room.archived:
        raise Conflict(ARCHIVED)


def everyone(room: Room, by: str, called: Mentions) -> list[str] | UnsetType:
    """The members whom a message calls without their names: by `@room`, or as people of a direct message.

    Raises Forbidden for a call of more people than the author may call.
    """
    if not (called.everyone or room.direct):
        return UNSET
    owner = room.role(by) == "owner"
    most = EVERYONE_BY_OWNER if owner else EVERYONE
    if len(room.members) > most:
        who = "An owner" if owner else "A member"
        raise Forbidden(f"{who} calls @room in rooms of up to {most} people, and this room has {len(room.members):,}.")
    return [name for name in room.members if name != by and name not in called.members] or UNSET


DELETED = "This message was deleted."
ARCHIVED = "This room is archived. An owner may restore it."
PRIVATE = "This room is private. Ask an owner to add you."
BANNED = "You are banned from this room. An owner may lift the ban."


def check_form(fact: Fact) -> None:
    """Raise InvalidRequest or TooLarge for a fact that no room could take."""
    match fact:
        case MessagePosted() | MessageEdited():
            _check_message(fact)
        case RoomCreated() if fact.people or fact.invited:
            direct.check_form(fact)
        case RoomCreated() | RoomRenamed():
            _check_line(fact.name, MAX_NAME, "A room's name")
            if isinstance(fact.about, str) and fact.about:
                _check_line(fact.about, MAX_ABOUT, "The topic of a room")
        case ReactionAdded() | ReactionRemoved():
            if not is_emoji(fact.emoji):
                raise InvalidRequest("A reaction is one emoji, such as \N{THUMBS UP SIGN}.")
    if isinstance(fact, MEMBER_FACTS):
        valid_name(fact.member)
    if (at := target_of(fact)) is not None:
        Offset.parse(at)


def _check_message(fact: MessagePosted | MessageEdited) -> None:
    files = (isinstance(fact, MessagePosted) and fact.files) or []
    if not fact.text.strip() and not files:
        raise InvalidRequest("A message needs a text or a file.")
    if len(fact.text) > MAX_TEXT:
        raise TooLarge(f"A message has at most {MAX_TEXT:,} characters; this one has {len(fact.text):,}.")
    if CONTROL.search(fact.text):
        raise InvalidRequest("A message holds no control characters but line feeds and tabs.")
    if isinstance(fact, MessagePosted) and isinstance(fact.key, str) and not KEY.fullmatch(fact.key):
        raise InvalidRequest("A message's key is 1 to 64 letters, digits, '_' and '-'.")
    ids = [file if isinstance(file, str) else file.id for file in files]
    if len(ids) > MAX_FILES or len(set(ids)) < len(ids):
        raise InvalidRequest(f"A message has at most {MAX_FILES} files, each of them once.")
    if not all(map(FILE_ID.fullmatch, ids)):
        raise InvalidRequest("Name a file by the id in the answer to its upload.")


def _check_line(text: str, most: int, what: str) -> None:
    if not 0 < len(text) <= most:
        raise InvalidRequest(f"{what} has 1 to {most} characters.")
    if not text.isprintable() or text != text.strip():
        raise InvalidRequest(f"{what} is one line, without spaces around it.")


def _check_member(room: Room, fact: Fact) -> None:
    assert isinstance(fact, MEMBER_FACTS)
    match fact:
        case MemberJoined():
            _check_joining(room, fact)
        case MemberBanned():
            _check_owner(room, fact.by, "ban people")
            if fact.by == fact.member:
                raise Conflict("You cannot ban yourself. Leave the room instead.")
            if fact.member in room.banned:
                raise Conflict(f"{fact.member} is banned already.")
        case MemberInvited():
            _check_inviting(room, fact)
        case MemberUninvited():
            _check_owner(room, fact.by, "revoke an invitation")
            if fact.member not in room.invited:
                raise NotFound(f"{fact.member} is not invited to this room.")
        case MemberUnbanned():
            _check_owner(room, fact.by, "lift a ban")
            if fact.member not in room.banned:
                raise NotFound(f"{fact.member} is not banned from this room.")
        case MemberLeft() | MemberRole():
            _check_leaving(room, fact)


def _check_joining(room: Room, fact: MemberJoined) -> None:
    own = fact.by == fact.member
    if room.role(fact.member) is not None:
        raise Conflict("You are a member already." if own else f"{fact.member} is a member already.")
    if own and fact.member in room.banned:
        raise Forbidden(BANNED)
    if _accepts(room, fact):
        return
    if fact.invited is True:
        raise Forbidden("You are not invited to this room.")
    if not (own and fact.role == ("reader" if fact.member in room.readers else "member")):
        _check_owner(room, fact.by, "give you this role" if own else "add members")
    if fact.member in room.banned:
        raise Conflict(f"{fact.member} is banned from this room. Lift the ban first.")


def _accepts(room: Room, fact: Fact) -> bool:
    """Tell whether a person becomes a member by an invitation that the room holds."""
    return (
        isinstance(fact, MemberJoined)
        and fact.invited is True
        and fact.by == fact.member
        and room.invited.get(fact.member) == fact.role
    )


def _check_inviting(room: Room, fact: MemberInvited) -> None:
    _check_owner(room, fact.by, "invite people")
    if room.role(fact.member) is not None:
        raise Conflict(f"{fact.member} is a member already.")
    if fact.member in room.banned:
        raise Conflict(f"{fact.member} is banned from this room. Lift the ban first.")
    if fact.member in room.invited:
        raise Conflict(f"{fact.member} is invited already.")


def _check_direct(room: Room, fact: Fact) -> None:
    """A direct message keeps its people. Those who are invited become members by themselves, or by a member."""
    if not isinstance(fact, MemberJoined) or fact.member not in room.invited:
        raise Forbidden(direct.KEEPS)
    if fact.role != "member":
        raise InvalidRequest("All people of a direct message are members.")


def _check_leaving(room: Room, fact: MemberLeft | MemberRole) -> None:
    own = fact.by == fact.member
    role = room.role(fact.member)
    if role is None:
        raise NotFound(f"{fact.member} is no member of this room.")
    if isinstance(fact, MemberRole) or not own:
        _check_owner(room, fact.by, "change roles" if isinstance(fact, MemberRole) else "remove others")
    owners = sum(member.role == "owner" for member in room.members.values())
    if role == "owner" and owners == 1 and (isinstance(fact, MemberLeft) or fact.role != "owner"):
        raise Conflict("This room has no other owner. Make another member an owner first.")


def _check_owner(room: Room, name: str, what: str) -> None:
    if room.role(name) != "owner":
        raise Forbidden(f"Only an owner of the room may {what}.")
