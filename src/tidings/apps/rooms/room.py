"""PURE: what is known of a room, but for its messages, which are as many as they are."""

from __future__ import annotations

import msgspec

from .facts import Role

RECENT = 200
"""Messages whose authors are remembered, to count what somebody has not read."""

EDITS = 10_000
"""Messages whose last edit is remembered, so that a reply quotes what they say now."""


IGNORED = 200
"""Events that broke a rule, which are remembered to tell whoever published them."""


class Member(msgspec.Struct, frozen=True, array_like=True):
    """`since`: the number of the event that made them a member."""

    role: Role
    since: int


class Said(msgspec.Struct, frozen=True, array_like=True):
    """A message or an answer, whose `by` is empty: its number, its author and the members it names."""

    n: int
    by: str
    mentions: list[str]


class Asked(msgspec.Struct, frozen=True, array_like=True):
    """A run that has not ended: the number of the event that announced it, who asked, whom, and by which message."""

    n: int
    by: str | None
    assistant: str
    asked: str | None


class Room(msgspec.Struct):
    """The state of a room. `created` is in Unix seconds, 0 before there is such a room. `deleted`: the numbers of
    messages that are no more; `edited`: those of the last edits, by those of the messages; `ignored`: those of the last
    events that changed nothing, since they broke a rule."""

    name: str = ""
    about: str = ""
    private: bool = False
    archived: bool = False
    created: float = 0.0
    by: str = ""
    members: dict[str, Member] = msgspec.field(default_factory=dict)
    runs: dict[str, Asked] = msgspec.field(default_factory=dict)
    recent: list[Said] = msgspec.field(default_factory=list)
    deleted: set[int] = msgspec.field(default_factory=set)
    edited: dict[int, int] = msgspec.field(default_factory=dict)
    ignored: list[int] = msgspec.field(default_factory=list)

    def role(self, name: str | None) -> Role | None:
        """What somebody is here; None: no member."""
        member = self.members.get(name) if name is not None else None
        return member.role if member else None

    def copy(self) -> Room:
        """Another one, to be changed apart."""
        return msgspec.structs.replace(
            self,
            members=dict(self.members),
            runs=dict(self.runs),
            recent=list(self.recent),
            deleted=set(self.deleted),
            edited=dict(self.edited),
            ignored=list(self.ignored),
        )
