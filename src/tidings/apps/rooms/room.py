"""PURE: the state of a room. It does not hold the messages, of which there may be any number."""

from __future__ import annotations

import msgspec

from .facts import Role

RECENT = 200
"""Messages whose authors are remembered, to count the unread messages of a member."""

IGNORED = 200
"""Events that broke a rule and are remembered, so that their publishers can be told."""


class Member(msgspec.Struct, frozen=True, array_like=True):
    """A member of a room. `since`: the number of the event that made them a member."""

    role: Role
    since: int


class RecentMessage(msgspec.Struct, frozen=True, array_like=True):
    """The number of a message, its author, the members that it calls, and the author of the message that it quotes. The
    author of an answer is empty."""

    n: int
    by: str
    mentions: list[str]
    quoted: str = ""


class PendingRun(msgspec.Struct, frozen=True, array_like=True):
    """A run that has not ended: the number of its announcement, its asker, the assistant, and the offset of the
    question."""

    n: int
    by: str | None
    assistant: str
    asked: str | None


class Room(msgspec.Struct):
    """The state of a room.

    `created`: Unix seconds; 0 for a room that does not exist. `readers`: people who left as readers. `invited`: people
    who may become members, each with their role then. `banned`: people who cannot be members. `answers`: the run of
    each answer, by the answer's number. `files`: the ids of the files of each message that has some; `attached`: how
    many messages attach each file. `reactions`: the emoji that were ever added to each message that has some.
    `ignored`: the numbers of the last events that broke a rule and so changed nothing. `direct`: the room is a direct
    message.

    `edited`: the number of the last edit of each edited message; `edits`: the message of each of these edits.
    `deleted`: the number of the deletion of each deleted message or answer. `redacted`: the numbers of messages and
    answers that have lost their text to a redaction and are not deleted yet. `stale`: the numbers of events that hold a
    text which was edited or deleted since, and are not redacted yet. `replies`: the numbers of the replies that quote
    each message as it is; `outdated`: those of replies that quote a text which is not there any more.
    """

    name: str = ""
    about: str = ""
    private: bool = False
    direct: bool = False
    archived: bool = False
    created: float = 0.0
    by: str = ""
    members: dict[str, Member] = msgspec.field(default_factory=dict)
    readers: set[str] = msgspec.field(default_factory=set)
    invited: dict[str, Role] = msgspec.field(default_factory=dict)
    banned: set[str] = msgspec.field(default_factory=set)
    runs: dict[str, PendingRun] = msgspec.field(default_factory=dict)
    answers: dict[int, str] = msgspec.field(default_factory=dict)
    recent: list[RecentMessage] = msgspec.field(default_factory=list)
    redacted: set[int] = msgspec.field(default_factory=set)
    deleted: dict[int, int] = msgspec.field(default_factory=dict)
    edited: dict[int, int] = msgspec.field(default_factory=dict)
    edits: dict[int, int] = msgspec.field(default_factory=dict)
    stale: set[int] = msgspec.field(default_factory=set)
    replies: dict[int, set[int]] = msgspec.field(default_factory=dict)
    outdated: set[int] = msgspec.field(default_factory=set)
    files: dict[int, list[str]] = msgspec.field(default_factory=dict)
    attached: dict[str, int] = msgspec.field(default_factory=dict)
    reactions: dict[int, list[str]] = msgspec.field(default_factory=dict)
    ignored: list[int] = msgspec.field(default_factory=list)

    def role(self, name: str | None) -> Role | None:
        """The role of a person; None for a person who is no member."""
        member = self.members.get(name) if name is not None else None
        return member.role if member else None

    def lacks(self, n: int) -> bool:
        """Tell whether the text of message or answer number `n` is gone, by a deletion or by a redaction."""
        return n in self.deleted or n in self.redacted

    @property
    def unerased(self) -> bool:
        """Tell whether the log may hold a text that was edited or deleted, or what is derived from one."""
        return bool(self.stale or self.outdated or self.redacted)

    def trial(self) -> Room:
        """Copy what decides who may do what, so that facts of members, settings and reactions change the copy alone.

        The copy shares all else that is known of messages, of which there may be any number: no other fact than those
        and reactions may change it.
        """
        return msgspec.structs.replace(
            self,
            members=dict(self.members),
            readers=set(self.readers),
            invited=dict(self.invited),
            banned=set(self.banned),
            reactions=dict(self.reactions),
        )
