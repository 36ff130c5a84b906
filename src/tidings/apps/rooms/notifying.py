"""Notifications of rooms: people are notified when another calls them, replies to them, adds or invites them, writes to
them in a direct message, or writes in a room of which they want every message."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import islice
from typing import NamedTuple

from tidings.apps.notifications.service import EXCERPT, Notifications, shortened
from tidings.events import Offset

from .facts import Fact, MemberInvited, MemberJoined, MessagePosted, RoomCreated
from .room import Room
from .rooms import PREFIX, Stored

AT_ONCE = 32
"""Notifications that are written at once, with one sync. They take the event loop about 5 ms, and a message may name
200 people."""


Told = Mapping[Offset, Iterable[str]]
"""The people who were notified of the event at each offset."""


class Notice(NamedTuple):
    """A notification of one person."""

    to: str
    kind: str
    title: str
    text: str


class Notices:
    """Notifies before the publisher is answered. Idempotent: the key is derived from the message's offset.

    `proven`: tokens prove the names of people. Otherwise an invitation notifies nobody, since everybody can choose the
    name and read of the room.
    """

    def __init__(self, notifications: Notifications, *, proven: bool = True) -> None:
        self._notifications = notifications
        self._proven = proven

    async def tell(self, stored: Stored) -> Told:
        """Notify people of the facts, and return who was told of each.

        Raises Unavailable: the publisher then repeats its request.
        """
        told: dict[Offset, list[str]] = {}
        watchable = not stored.room.direct and any(isinstance(fact, MessagePosted) for _, fact in stored.facts)
        watchers = await self._notifications.watchers(stored.topic) if watchable else []
        for at, fact in stored.facts:
            if isinstance(fact, MemberInvited | RoomCreated) and not self._proven:
                continue
            each = notices(stored.room, fact, watchers)
            while some := list(islice(each, AT_ONCE)):
                await asyncio.gather(*[self._notify(stored.topic, at, fact.by, notice) for notice in some])
                told.setdefault(at, []).extend(notice.to for notice in some)
        return told

    async def renew(
        self, topic: str, room: Room, at: Offset, message: MessagePosted, names: Collection[str], edit: str
    ) -> None:
        """Notify some people of a message as an edit has left it. `edit` is added to the key of the notification."""
        watchers = await self._notifications.watchers(topic)
        for notice in notices(room, message, watchers):
            if notice.to in names:
                await self._notify(topic, at, message.by, notice, edit=edit)

    async def _notify(self, topic: str, at: Offset, by: str, notice: Notice, edit: str = "") -> None:
        await self._notifications.notify(
            notice.to,
            notice.kind,
            notice.title,
            text=shortened(notice.text, EXCERPT),
            link=link(topic, at),
            topic=topic,
            event=at,
            by=by,
            key=f"{topic}.{at}{edit}",
        )


def notices(room: Room, fact: Fact, watchers: Iterable[str] = ()) -> Iterator[Notice]:
    """The notifications of a fact: one for each person, and none for its author. `watchers`: people who want every
    message of the room. Pure."""
    match fact:
        case MemberJoined():
            if fact.member != fact.by:
                yield Notice(fact.member, "invite", f"{fact.by} added you to {place(room)}", room.about)
        case MemberInvited():
            yield Notice(fact.member, "invite", f"{fact.by} invited you to {place(room)}", room.about)
        case RoomCreated():
            for name in fact.invited or ():
                yield Notice(name, "invite", f"{fact.by} invited you to {place(room)}", "")
        case MessagePosted():
            told = {fact.by}
            for notice in _of_message(room, fact, watchers):
                if notice.to not in told:
                    told.add(notice.to)
                    yield notice


def _of_message(room: Room, message: MessagePosted, watchers: Iterable[str]) -> Iterator[Notice]:
    """The notifications of a message. The first of a person's counts."""
    by, words = message.by, message.words
    for name in message.mentions:
        yield Notice(name, "mention", f"{by} mentioned you in {place(room)}", words)
    everyone = f"{by} sent you a direct message" if room.direct else f"{by} mentioned everyone in {place(room)}"
    for name in message.everyone or ():
        yield Notice(name, "message" if room.direct else "everyone", everyone, words)
    if message.quote and room.role(message.quote.by) is not None:
        yield Notice(message.quote.by, "reply", f"{by} replied to you in {place(room)}", words)
    for name in watchers:
        if room.role(name) is not None:
            yield Notice(name, "message", f"{by} wrote in {place(room)}", words)


def place(room: Room) -> str:
    """The room in the title of a notification."""
    return "a direct message" if room.direct else f"#{room.name}"


def link(topic: str, at: Offset) -> str:
    """The path of the room's page, at the message."""
    return f"/r/{topic.removeprefix(PREFIX)}?at={at}"
