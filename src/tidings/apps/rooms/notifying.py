"""Notifications of rooms: people are notified when they are mentioned, replied to, added or invited by another."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator
from itertools import islice
from typing import NamedTuple

from tidings.apps.notifications.service import EXCERPT, Notifications, shortened
from tidings.events import Offset

from .facts import Fact, MemberInvited, MemberJoined, MessagePosted
from .room import Room
from .rooms import PREFIX, Stored

AT_ONCE = 32
"""Notifications that are written at once, with one sync. They take the event loop about 5 ms, and a message may name
200 people."""


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

    async def tell(self, stored: Stored) -> None:
        """Notify people of the facts. Raises Unavailable: the publisher then repeats its request."""
        for at, fact in stored.facts:
            if isinstance(fact, MemberInvited) and not self._proven:
                continue
            each = notices(stored.room, fact)
            while some := [self._notify(stored.topic, at, fact.by, notice) for notice in islice(each, AT_ONCE)]:
                await asyncio.gather(*some)

    async def renew(
        self, topic: str, room: Room, at: Offset, message: MessagePosted, names: Collection[str], edit: str
    ) -> None:
        """Notify some people of a message as an edit has left it. `edit` is added to the key of the notification."""
        for notice in notices(room, message):
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


def notices(room: Room, fact: Fact) -> Iterator[Notice]:
    """The notifications of a fact: one for each person, and none for its author. Pure."""
    if isinstance(fact, MemberJoined):
        if fact.member != fact.by:
            yield Notice(fact.member, "invite", f"{fact.by} added you to #{room.name}", room.about)
        return
    if isinstance(fact, MemberInvited):
        yield Notice(fact.member, "invite", f"{fact.by} invited you to #{room.name}", room.about)
        return
    if not isinstance(fact, MessagePosted):
        return
    for name in fact.mentions:
        if name != fact.by:
            yield Notice(name, "mention", f"{fact.by} mentioned you in #{room.name}", fact.words)
    author = fact.quote.by if fact.quote else ""
    if author not in (fact.by, *fact.mentions) and room.role(author) is not None:
        yield Notice(author, "reply", f"{fact.by} replied to you in #{room.name}", fact.words)


def link(topic: str, at: Offset) -> str:
    """The path of the room's page, at the message."""
    return f"/r/{topic.removeprefix(PREFIX)}?at={at}"
