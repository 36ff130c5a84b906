"""PURE: the facts of a room. Each event of the room's topic is a fact, and its data is the fact as JSON."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import msgspec
from msgspec import UNSET, UnsetType

from tidings.apps.file import File
from tidings.errors import Forbidden, InvalidRequest
from tidings.events import check_nesting

Role = Literal["owner", "member", "reader"]


class Fact(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A change of a room. `by`: the name of its publisher, which the server stamps."""

    type: ClassVar[str]
    by: str = ""


class RoomCreated(Fact, frozen=True, kw_only=True):
    """The first fact of every room. Its publisher is the room's first owner.

    `people`: all people of a direct message, which has no name, no owner and no other people. `invited`: those of them
    who are invited to it, and not members yet.
    """

    type = "room.created"
    name: str = ""
    about: str = ""
    private: bool = False
    people: list[str] | UnsetType = UNSET
    invited: list[str] | UnsetType = UNSET


class RoomRenamed(Fact, frozen=True, kw_only=True):
    """A new name, and a new topic of conversation where `about` is given."""

    type = "room.renamed"
    name: str
    about: str | UnsetType = UNSET


class RoomArchived(Fact, frozen=True, kw_only=True):
    """The room becomes read-only, until an owner restores it."""

    type = "room.archived"


class RoomRestored(Fact, frozen=True, kw_only=True):
    """The room can be written to again."""

    type = "room.restored"


class MemberJoined(Fact, frozen=True, kw_only=True):
    """A new member, who joined or whom an owner added.

    The server stamps the role of a person who joins: a reader who left comes back as a reader, and a person who was
    invited gets the role of the invitation. `invited`: the person accepts an invitation, stamped.
    """

    type = "member.joined"
    member: str
    role: Role = "member"
    invited: bool | UnsetType = UNSET


class MemberInvited(Fact, frozen=True, kw_only=True):
    """An invitation: a person who may become a member, in a private room too, once a token proves their name."""

    type = "member.invited"
    member: str
    role: Role = "member"


class MemberUninvited(Fact, frozen=True, kw_only=True):
    """The end of an invitation that an owner revokes."""

    type = "member.uninvited"
    member: str


class MemberLeft(Fact, frozen=True, kw_only=True):
    """A member who left, or whom an owner removed."""

    type = "member.left"
    member: str


class MemberRole(Fact, frozen=True, kw_only=True):
    """A member's new role."""

    type = "member.role"
    member: str
    role: Role


class MemberBanned(Fact, frozen=True, kw_only=True):
    """A person who is no member any more and cannot become one. `role`: the role that the ban took from them, stamped;
    null for a person who was no member."""

    type = "member.banned"
    member: str
    role: Role | None = None


class MemberUnbanned(Fact, frozen=True, kw_only=True):
    """A person who may be a member again, and is none yet."""

    type = "member.unbanned"
    member: str


class Quote(msgspec.Struct, frozen=True):
    """The beginning of the message that is replied to."""

    by: str
    text: str


class MessagePosted(Fact, frozen=True, kw_only=True):
    """A message. `key`: its publisher's own name for it. The server stamps `mentions`, the members that the text calls
    by name, `everyone`, the others that it calls by `@room` or in a direct message, `asks`, the assistants that it
    calls, and `quote`, the beginning of the message that it replies to. Publishers give `files` by their ids, and the
    server stamps the rest of each."""

    type = "message.posted"
    text: str
    key: str | UnsetType = UNSET
    reply: str | UnsetType = UNSET
    files: list[str | File] | UnsetType = UNSET
    mentions: list[str] = []
    everyone: list[str] | UnsetType = UNSET
    asks: list[str] | UnsetType = UNSET
    quote: Quote | UnsetType = UNSET

    @property
    def called(self) -> list[str]:
        """The members that the message calls, by name or with everyone."""
        return [*self.mentions, *(self.everyone or ())]

    @property
    def attached(self) -> list[File]:
        """The message's files, once they are stamped."""
        return [file for file in self.files or () if isinstance(file, File)]

    @property
    def words(self) -> str:
        """The text, and on a last line the names of the files."""
        return "\n".join(filter(None, [self.text, ", ".join(file.name for file in self.attached)]))


class MessageEdited(Fact, frozen=True, kw_only=True):
    """A message's new text. `message`: the offset of the message.

    The server stamps `mentions` and `everyone`, the members that the new text calls, and the rest of the message, since
    the event of the message is redacted: its `author`, `key`, `reply`, `files`, `quote`, and those of the assistants
    that it `asks` which the new text still names. An edit asks no other assistant. An edit `by` nobody is the server's:
    it takes away a quote whose message was deleted or edited.
    """

    type = "message.edited"
    message: str
    text: str
    author: str = ""
    key: str | UnsetType = UNSET
    reply: str | UnsetType = UNSET
    files: list[File] | UnsetType = UNSET
    mentions: list[str] = []
    everyone: list[str] | UnsetType = UNSET
    asks: list[str] | UnsetType = UNSET
    quote: Quote | UnsetType = UNSET


class MessageDeleted(Fact, frozen=True, kw_only=True):
    """The end of a message. `message`: the offset of the message, or of the answer. `run`: the run of an answer, which
    the server stamps, since the event of the answer is redacted. A deletion `by` nobody is the server's: an operator
    has redacted the message."""

    type = "message.deleted"
    message: str
    run: str | UnsetType = UNSET


class ReactionAdded(Fact, frozen=True, kw_only=True):
    """A reaction, by one emoji. `message`: the offset of the message, or of the answer."""

    type = "reaction.added"
    message: str
    emoji: str


class ReactionRemoved(Fact, frozen=True, kw_only=True):
    """A reaction that its author takes back."""

    type = "reaction.removed"
    message: str
    emoji: str


class RunCreated(Fact, frozen=True, kw_only=True, forbid_unknown_fields=False):
    """The beginning of an assistant's answer, published by the server alone. `asked`: the offset of the question."""

    type = "run.created"
    by: str | None = None  # type: ignore[assignment]
    run: str
    assistant: str = ""
    input: str | None = None
    parent: str | None = None
    asked: str | None = None


class AnswerPosted(Fact, frozen=True, kw_only=True, forbid_unknown_fields=False):
    """An assistant's answer, published by the server alone once its run has ended."""

    type = "answer.posted"
    run: str
    assistant: str = ""
    text: str = ""
    outcome: str = "success"
    asked: str | None = None


STAMPED = ("author", "key", "reply", "files", "mentions", "everyone", "asks", "quote")
"""Fields of an edit that the server stamps."""


def restated(edit: MessageEdited) -> MessagePosted:
    """The message as an edit leaves it."""
    return MessagePosted(
        by=edit.author,
        text=edit.text,
        key=edit.key,
        reply=edit.reply,
        files=list(edit.files) if edit.files else UNSET,
        mentions=edit.mentions,
        everyone=edit.everyone,
        asks=edit.asks,
        quote=edit.quote,
    )


def edited(message: MessagePosted, offset: str, text: str, *, by: str) -> MessageEdited:
    """The edit that gives a message another text, with the rest of the message."""
    return MessageEdited(
        by=by,
        message=offset,
        text=text,
        author=message.by,
        key=message.key,
        reply=message.reply,
        files=message.attached or UNSET,
        mentions=message.mentions,
        everyone=message.everyone,
        asks=message.asks,
        quote=message.quote,
    )


SERVERS = (RunCreated, AnswerPosted)
"""Facts that only the server publishes."""

FACTS: dict[str, type[Fact]] = {kind.type: kind for kind in [*Fact.__subclasses__()]}
_decoders = {name: msgspec.json.Decoder(kind).decode for name, kind in FACTS.items()}
_encode = msgspec.json.Encoder().encode


def read(type: str, data: str) -> Fact:
    """Decode the fact of an event. Raises InvalidRequest."""
    decode = _decoders.get(type)
    if type == "typing":
        raise InvalidRequest("`typing` is never stored: publish it with `transient=true`.")
    if decode is None:
        raise InvalidRequest(f"A room knows no {type[:80]!r}, but {', '.join(FACTS)}.")
    try:
        check_nesting(data)
        return decode(data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidRequest(f"This is no {type}: {error}.") from None


def given(type: str, data: str, by: str, *, proven: bool) -> Fact:
    """Decode the fact that a client publishes. `proven`: a token proves the name `by`, which may accept an invitation.

    Raises InvalidRequest, Forbidden.
    """
    fact = read(type, data)
    if isinstance(fact, SERVERS):
        raise Forbidden(f"Only the server publishes {type}.")
    if (
        fact.by
        or (isinstance(fact, MessagePosted) and (fact.called or fact.asks or fact.quote or fact.attached))
        or (isinstance(fact, MemberBanned) and fact.role)
        or (isinstance(fact, MemberJoined) and fact.invited is not UNSET)
        or (isinstance(fact, MessageDeleted) and fact.run)
        or (isinstance(fact, MessageEdited) and any(getattr(fact, name) for name in STAMPED))
    ):
        raise InvalidRequest(
            "The server stamps the publisher, the members and the assistants that a message calls, its quote, its "
            "files, the role that a ban takes and the acceptance of an invitation. Leave them out, and give files by "
            "their ids."
        )
    if isinstance(fact, MemberJoined) and fact.member == by and proven:
        return changed(fact, by=by, invited=True)
    return changed(fact, by=by)


def changed(fact: Fact, **fields: Any) -> Fact:
    """Copy a fact with some of its fields changed."""
    return msgspec.structs.replace(fact, **fields)


def written(fact: Fact) -> tuple[str, str]:
    """Encode a fact as the type and the data of its event."""
    return fact.type, _encode(fact).decode()


def typing(by: str) -> tuple[str, str]:
    """Encode the transient event of a person who is writing."""
    return "typing", _encode({"by": by}).decode()
