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
    """The number of a message, its author and the members that it names. The author of an answer is empty."""

    n: int
    by: str
    mentions: list[str]


class PendingRun(msgspec.Struct, frozen=True, array_like=True):
    """A run that has not ended: the number of its announcement, its asker, the assistant, and the offset of the
    question."""

    n: int
    by: str | None
    assistant: str
    asked: str | None


class Room(msgspec.Struct):
    """The state of a room.

    `created`: Unix seconds; 0 for a room that does not exist. `readers`: people who left as readers. `banned`: people
    who cannot be members. `answers`: the run of each answer, by the answer's number. `deleted`: the numbers of deleted
    messages and answers. `redacted`: the numbers of those that have lost their text to a redaction and are not deleted
    yet. `edited`: the numbers of the edits of each edited message. `replies`: the numbers of the replies to each
    message. `files`: the ids of the files of each message that has some. `ignored`: the numbers of the last events that
    broke a rule and so changed nothing.
    """

    name: str = ""
    about: str = ""
    private: bool = False
    archived: bool = False
    created: float = 0.0
    by: str = ""
    members: dict[str, Member] = msgspec.field(default_factory=dict)
    readers: set[str] = msgspec.field(default_factory=set)
    banned: set[str] = msgspec.field(default_factory=set)
    runs: dict[str, PendingRun] = msgspec.field(default_factory=dict)
    answers: dict[int, str] = msgspec.field(default_factory=dict)
    recent: list[RecentMessage] = msgspec.field(default_factory=list)
    redacted: set[int] = msgspec.field(default_factory=set)
    deleted: set[int] = msgspec.field(default_factory=set)
    edited: dict[int, list[int]] = msgspec.field(default_factory=dict)
    replies: dict[int, list[int]] = msgspec.field(default_factory=dict)
    files: dict[int, list[str]] = msgspec.field(default_factory=dict)
    ignored: list[int] = msgspec.field(default_factory=list)

    def role(self, name: str | None) -> Role | None:
        """The role of a person; None for a person who is no member."""
        member = self.members.get(name) if name is not None else None
        return member.role if member else None

    def lacks(self, n: int) -> bool:
        """Tell whether the text of message or answer number `n` is gone, by a deletion or by a redaction."""
        return n in self.deleted or n in self.redacted

    def attaches(self, file: str) -> bool:
        """Tell whether a message of the room attaches the file."""
        return any(file in files for files in self.files.values())

    def copy(self) -> Room:
        """Copy the room, so that changes of the copy leave this one as it is."""
        return msgspec.structs.replace(
            self,
            members=dict(self.members),
            readers=set(self.readers),
            banned=set(self.banned),
            runs=dict(self.runs),
            answers=dict(self.answers),
            recent=list(self.recent),
            redacted=set(self.redacted),
            deleted=set(self.deleted),
            edited={n: list(edits) for n, edits in self.edited.items()},
            replies={n: list(replies) for n, replies in self.replies.items()},
            files=dict(self.files),
            ignored=list(self.ignored),
        )
