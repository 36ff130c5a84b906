"""PURE: what may be done in a room, and by whom. The guard refuses what breaks a rule, and the fold ignores it."""

from __future__ import annotations

import re
from typing import NamedTuple

from tidings.access.names import valid_name
from tidings.errors import Conflict, Forbidden, InvalidRequest, NotFound, TooLarge
from tidings.log.names import parse_offset

from .facts import (
    AnswerPosted,
    Fact,
    MemberJoined,
    MemberLeft,
    MemberRole,
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
from .room import Room

MAX_TEXT = 16_000
MAX_EMOJI = 16
MAX_NAME = 80
MAX_ABOUT = 500
"""Characters."""

MAX_FILES = 10
"""Files of a message."""

KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")
FILE = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")
CONTROL = re.compile(r"[\0-\x08\x0b-\x1f\x7f-\x9f]")

RULING = (RoomCreated, RoomRenamed, RoomArchived, RoomRestored, MemberJoined, MemberLeft, MemberRole)
"""Facts that others are judged by: no two of them are judged by the same state."""


class Target(NamedTuple):
    """The message, or answer, that a fact speaks of. An answer's `by` is empty."""

    type: str
    by: str
    text: str


def may_read(room: Room, name: str | None) -> bool:
    """Whether somebody may read the room; None is whoever has no name."""
    return bool(room.created) and (not room.private or room.role(name) is not None)


def target_of(fact: Fact) -> str | None:
    """The offset of the message that a fact speaks of, if it speaks of one."""
    if isinstance(fact, MessageEdited | MessageDeleted | ReactionAdded | ReactionRemoved):
        return fact.message
    return fact.reply if isinstance(fact, MessagePosted) and isinstance(fact.reply, str) else None


def judge(room: Room, fact: Fact) -> None:
    """Nothing, if the fact may follow in the room. Raises InvalidRequest, TooLarge, NotFound, Forbidden or Conflict."""
    check_form(fact)
    if isinstance(fact, RoomCreated):
        if room.created:
            raise Conflict("There is a room of this id already.")
        return
    if not room.created:
        raise NotFound("There is no such room.")
    if isinstance(fact, RunCreated | AnswerPosted):
        _judge_run(room, fact)
        return
    if room.archived != isinstance(fact, RoomRestored):
        raise Conflict("This room is archived: an owner may restore it." if room.archived else "It is not archived.")
    match fact:
        case MemberJoined() | MemberLeft() | MemberRole():
            _judge_member(room, fact)
        case RoomRenamed() | RoomArchived() | RoomRestored():
            _owner(room, fact.by, "do that")
        case _:
            check_may_post(room, fact.by)
            if (at := target_of(fact)) is not None and parse_offset(at).n in room.deleted:
                raise Conflict("That message was deleted.")


def judge_target(room: Room, fact: Fact, target: Target | None) -> None:
    """Nothing, if there is the message that the fact speaks of and it may be done to it. Raises NotFound, Forbidden."""
    if target is None:
        raise NotFound("There is no such message in this room.")
    if isinstance(fact, MessageEdited) and (target.by != fact.by or target.type != MessagePosted.type):
        raise Forbidden("Only its author may edit a message.")
    if isinstance(fact, MessageDeleted) and target.by != fact.by and room.role(fact.by) != "owner":
        raise Forbidden("Only its author or an owner of the room may delete a message.")


def check_may_post(room: Room, name: str | None) -> None:
    """Raises Forbidden, or Conflict in an archived room."""
    role = room.role(name)
    if role is None:
        raise Forbidden("You are not a member of this room: join it first.")
    if role == "reader":
        raise Forbidden("You may read in this room, but not write: an owner may change that.")
    if room.archived:
        raise Conflict("This room is archived: an owner may restore it.")


def check_form(fact: Fact) -> None:
    """Whether a fact is one at all, in whichever room. Raises InvalidRequest or TooLarge."""
    match fact:
        case RoomCreated() | RoomRenamed():
            _line(fact.name, MAX_NAME, "A room's name")
            if isinstance(fact.about, str) and fact.about:
                _line(fact.about, MAX_ABOUT, "What a room is about")
        case MemberJoined() | MemberLeft() | MemberRole():
            valid_name(fact.member)
        case MessagePosted() | MessageEdited():
            _check_message(fact)
        case ReactionAdded() | ReactionRemoved():
            emoji = fact.emoji
            if not 0 < len(emoji) <= MAX_EMOJI or any(c.isspace() or c < " " or c in "\x7f<>&" for c in emoji):
                raise InvalidRequest(f"A reaction is an emoji, of at most {MAX_EMOJI} characters.")
    if (at := target_of(fact)) is not None:
        parse_offset(at)


def _check_message(fact: MessagePosted | MessageEdited) -> None:
    files = (isinstance(fact, MessagePosted) and fact.files) or []
    if not fact.text.strip() and not files:
        raise InvalidRequest("A message has some text, or a file.")
    if len(fact.text) > MAX_TEXT:
        raise TooLarge(f"A message has at most {MAX_TEXT:,} characters; this one has {len(fact.text):,}.")
    if CONTROL.search(fact.text):
        raise InvalidRequest("A message holds no control characters but line feeds and tabs.")
    if isinstance(fact, MessagePosted) and isinstance(fact.key, str) and not KEY.fullmatch(fact.key):
        raise InvalidRequest("A message's key is 1 to 64 letters, digits, '_' and '-'.")
    ids = [file if isinstance(file, str) else file.id for file in files]
    if len(ids) > MAX_FILES or len(set(ids)) < len(ids):
        raise InvalidRequest(f"A message has at most {MAX_FILES} files, each of them once.")
    if not all(map(FILE.fullmatch, ids)):
        raise InvalidRequest("A file is named by the id that its upload was answered with.")


def _line(text: str, most: int, what: str) -> None:
    if not 0 < len(text) <= most:
        raise InvalidRequest(f"{what} has 1 to {most} characters.")
    if not text.isprintable() or text != text.strip():
        raise InvalidRequest(f"{what} is one line, without spaces around it.")


def _judge_run(room: Room, fact: RunCreated | AnswerPosted) -> None:
    if (fact.run in room.runs) != isinstance(fact, AnswerPosted):
        raise Conflict("The run is not in the state that this would follow.")


def _judge_member(room: Room, fact: MemberJoined | MemberLeft | MemberRole) -> None:
    here = room.role(fact.member)
    own = fact.by == fact.member
    if isinstance(fact, MemberJoined):
        if here is not None:
            raise Conflict("You are a member already." if own else f"{fact.member} is a member already.")
        if not (own and not room.private and fact.role == "member"):
            _owner(room, fact.by, "add members" if not own else "add you" if room.private else "give you this role")
        return
    if here is None and not room.private:
        raise NotFound(f"{fact.member} is no member of this room.")
    if isinstance(fact, MemberRole) or not own:
        _owner(room, fact.by, "change roles" if isinstance(fact, MemberRole) else "remove others")
    if here is None:
        raise NotFound(f"{fact.member} is no member of this room.")
    owners = sum(member.role == "owner" for member in room.members.values())
    if here == "owner" and owners == 1 and (isinstance(fact, MemberLeft) or fact.role != "owner"):
        raise Conflict("This room has no other owner: make somebody an owner first.")


def _owner(room: Room, name: str, what: str) -> None:
    if room.role(name) != "owner":
        raise Forbidden(f"Only an owner of the room may {what}.")
