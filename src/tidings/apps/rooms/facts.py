"""PURE: the facts of a room, which are the events of its topic: what each of them holds, as JSON."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import msgspec
from msgspec import UNSET, UnsetType

from tidings.errors import InvalidRequest

Role = Literal["owner", "member", "reader"]


class Fact(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`by`: the name of whoever published it, which the server stamps."""

    type: ClassVar[str]
    by: str = ""


class RoomCreated(Fact, frozen=True, kw_only=True):
    """The first fact of every room. Whoever creates it is its owner."""

    type = "room.created"
    name: str
    about: str = ""
    private: bool = False


class RoomRenamed(Fact, frozen=True, kw_only=True):
    """Without `about`, what the room is about stays."""

    type = "room.renamed"
    name: str
    about: str | UnsetType = UNSET


class RoomArchived(Fact, frozen=True, kw_only=True):
    """From now on nothing is said in the room, until it is restored."""

    type = "room.archived"


class RoomRestored(Fact, frozen=True, kw_only=True):
    """The room is no longer archived."""

    type = "room.restored"


class MemberJoined(Fact, frozen=True, kw_only=True):
    """Of one's own accord, or by an owner's."""

    type = "member.joined"
    member: str
    role: Role = "member"


class MemberLeft(Fact, frozen=True, kw_only=True):
    """Of one's own accord, or by an owner's."""

    type = "member.left"
    member: str


class MemberRole(Fact, frozen=True, kw_only=True):
    """From now on the member has this role."""

    type = "member.role"
    member: str
    role: Role


class Quote(msgspec.Struct, frozen=True):
    """The beginning of the message that is replied to."""

    by: str
    text: str


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file that was uploaded to the room. `type`: its media type, as its uploader says; `size` in bytes."""

    id: str
    name: str
    type: str
    size: int


class MessagePosted(Fact, frozen=True, kw_only=True):
    """`key`: what its publisher knows it by. `mentions` and `quote` are stamped: the members who are named, and the
    beginning of the message replied to; and `files`, which are given by their ids."""

    type = "message.posted"
    text: str
    key: str | UnsetType = UNSET
    reply: str | UnsetType = UNSET
    files: list[str | File] | UnsetType = UNSET
    mentions: list[str] = []
    quote: Quote | UnsetType = UNSET

    @property
    def attached(self) -> list[File]:
        """Its files, once they are stamped."""
        return [file for file in self.files or () if isinstance(file, File)]

    @property
    def words(self) -> str:
        """All that it says: its text, and on a last line the names of its files."""
        return "\n".join(filter(None, [self.text, ", ".join(file.name for file in self.attached)]))


class MessageEdited(Fact, frozen=True, kw_only=True):
    """`message`: the offset of the message."""

    type = "message.edited"
    message: str
    text: str


class MessageDeleted(Fact, frozen=True, kw_only=True):
    """`message`: the offset of the message, or of the answer."""

    type = "message.deleted"
    message: str


class ReactionAdded(Fact, frozen=True, kw_only=True):
    """`message`: the offset of the message, or of the answer."""

    type = "reaction.added"
    message: str
    emoji: str


class ReactionRemoved(Fact, frozen=True, kw_only=True):
    """One's own."""

    type = "reaction.removed"
    message: str
    emoji: str


class RunCreated(Fact, frozen=True, kw_only=True, forbid_unknown_fields=False):
    """Of the server: an assistant begins to answer. `asked`: the offset of the message that asks."""

    type = "run.created"
    by: str | None = None  # type: ignore[assignment]
    run: str
    assistant: str = ""
    input: str | None = None
    parent: str | None = None
    asked: str | None = None


class AnswerPosted(Fact, frozen=True, kw_only=True, forbid_unknown_fields=False):
    """Of the server: what the assistant has said, once its run has ended."""

    type = "answer.posted"
    run: str
    assistant: str = ""
    text: str = ""
    outcome: str = "success"
    asked: str | None = None


SERVERS = (RunCreated, AnswerPosted)
"""What only the server says."""

FACTS: dict[str, type[Fact]] = {kind.type: kind for kind in [*Fact.__subclasses__()]}
_decoders = {name: msgspec.json.Decoder(kind).decode for name, kind in FACTS.items()}
_encode = msgspec.json.Encoder().encode


def read(type: str, data: str) -> Fact:
    """The fact that an event holds. Raises InvalidRequest."""
    decode = _decoders.get(type)
    if type == "typing":
        raise InvalidRequest("`typing` is never stored: publish it with `transient=true`.")
    if decode is None:
        raise InvalidRequest(f"A room knows no {type[:80]!r}, but {', '.join(FACTS)}.")
    try:
        return decode(data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidRequest(f"This is no {type}: {error}.") from None


def changed(fact: Fact, **fields: Any) -> Fact:
    """The fact with some of its fields changed."""
    return msgspec.structs.replace(fact, **fields)


def written(fact: Fact) -> tuple[str, str]:
    """The fact as an event: its type and its data."""
    return fact.type, _encode(fact).decode()


def typing(by: str) -> tuple[str, str]:
    """The transient event that says that somebody is writing."""
    return "typing", _encode({"by": by}).decode()
