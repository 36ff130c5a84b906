"""The index of rooms: the rooms that a person may read, without the states of all rooms at hand."""

from __future__ import annotations

from collections.abc import Mapping
from sys import intern
from typing import NamedTuple

from tidings.access.subject import Subject
from tidings.apps.scripts import begins
from tidings.events import Offset
from tidings.slices import in_slices

from .facts import Role
from .room import Room
from .rooms import PREFIX, Rooms
from .rules import invited_label, labels_of


class Entry(NamedTuple):
    """A room as it was at `tail`: what a list of rooms shows of it, and who may read it."""

    tail: Offset
    name: str
    about: str
    private: bool
    archived: bool
    direct: bool
    members: frozenset[str]
    invited: Mapping[str, Role]


class Readable(NamedTuple):
    """A room that a person may read. `room`: its state, for a member."""

    id: str
    entry: Entry
    room: Room | None


class Index:
    """Entries for the rooms of a hub that were in a list. A list of rooms reads the heads of those that the person may
    read, and the states of those that changed or that the person is a member of."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._entries: dict[str, Entry] = {}

    async def readable_by(self, subject: Subject) -> list[Readable]:
        """All rooms that the subject may read, in the order of their ids. Raises Unavailable."""
        readable: list[Readable] = []
        after, labels = "", labels_of(subject.name)
        while heads := await self._rooms.hub.log.heads(PREFIX, after, labels=labels):
            async for topic, head in in_slices(heads):
                if subject.may_subscribe(topic):
                    entry = await self._entry(topic, Offset(head.epoch, head.tail))
                    member = subject.name in entry.members
                    if entry.members and (member or not entry.private):
                        room = (await self._rooms.states.at(topic, entry.tail)).state if member else None
                        readable.append(Readable(topic.removeprefix(PREFIX), entry, room))
            after = heads[-1][0]
        return readable

    async def invitations(self, subject: Subject) -> list[Readable]:
        """The rooms to which the subject is invited, in the order of their ids; none unless a token proves its name.

        Raises Unavailable.
        """
        inviting: list[Readable] = []
        name = subject.name if subject.authenticated else None
        after, labels = "", [invited_label(name or "")]
        while name and (heads := await self._rooms.hub.log.heads(PREFIX, after, labels=labels)):
            async for topic, head in in_slices(heads):
                if subject.may_publish(topic):
                    entry = await self._entry(topic, Offset(head.epoch, head.tail))
                    if name in entry.invited and not entry.archived:
                        inviting.append(Readable(topic.removeprefix(PREFIX), entry, None))
            after = heads[-1][0]
        return inviting

    async def known_to(self, subject: Subject, letters: str) -> list[str]:
        """The members of the rooms that the subject may read, in the order of their names. A word of each name begins
        with the letters. Raises Unavailable."""
        names = {name async for found in in_slices(await self.readable_by(subject)) for name in found.entry.members}
        return sorted([name async for name in in_slices(names) if begins(name, letters)])

    async def _entry(self, topic: str, tail: Offset) -> Entry:
        entry = self._entries.get(topic)
        if entry is None or entry.tail != tail:
            found = await self._rooms.states.at(topic, tail)
            room = found.state
            # Names are shared: the same people are in many rooms.
            members = frozenset(map(intern, room.members))
            invited = dict(room.invited)
            about = (room.name, room.about, room.private, room.archived, room.direct)
            entry = Entry(found.offset, *about, members, invited)
            self._entries[topic] = entry
        return entry
