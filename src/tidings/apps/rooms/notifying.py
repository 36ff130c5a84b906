"""Who is told of what happens in a room: those who are mentioned, replied to, or added by another."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tidings.apps.notifications.service import Notifications
from tidings.events import Offset

from .facts import Fact, MemberJoined, MessagePosted
from .room import Room
from .rooms import PREFIX, Rooms


class Notice(NamedTuple):
    """What one person is told."""

    to: str
    kind: str
    title: str
    text: str


class Notices:
    """Tells them before the publisher is answered: what is acknowledged is notified. Twice told is once stored."""

    def __init__(self, rooms: Rooms, notifications: Notifications) -> None:
        self._notifications = notifications
        rooms.published.append(self.tell)

    async def tell(self, topic: str, room: Room, said: Sequence[tuple[Offset, Fact]]) -> None:
        """Raises Unavailable: then whoever published comes again."""
        await asyncio.gather(
            *[self._tell(topic, at, fact.by, notice) for at, fact in said for notice in notices(room, fact)]
        )

    async def _tell(self, topic: str, at: Offset, by: str, notice: Notice) -> None:
        await self._notifications.notify(
            notice.to,
            notice.kind,
            notice.title,
            text=notice.text,
            link=link(topic, at),
            topic=topic,
            event=at,
            by=by,
            key=f"{topic}.{at}",
        )


def notices(room: Room, fact: Fact) -> Iterator[Notice]:
    """Who is told of a fact, each of them once, and never whoever says it. Pure."""
    if isinstance(fact, MemberJoined):
        if fact.member != fact.by:
            yield Notice(fact.member, "invite", f"{fact.by} added you to #{room.name}", room.about)
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
    """The page of the room, at the message."""
    return f"/r/{topic.removeprefix(PREFIX)}?at={at}"
