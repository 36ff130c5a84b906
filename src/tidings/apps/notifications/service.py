"""Inboxes of notifications, and notifying people."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping

import msgspec

from tidings.access.names import slug, unslugged
from tidings.apps.projection import Projections
from tidings.delivery.hub import Hub
from tidings.errors import Closed, Conflict, InvalidRequest, NotFound
from tidings.events import REDACTED, Offset
from tidings.log.head import Head

from . import fold
from .facts import LINK, TEXT, TITLE, Created, Withdrawn, to_item, understood
from .fold import Inbox, Notification

log: logging.Logger = logging.getLogger("tidings.notifications")

PREFIX = "users."

EXCERPT = 200
"""Characters of a message or an answer in the notification of it: the two lines that the page shows. A notification of
2,000 characters would fill a page of SQLite's file for each person whom a message names."""


class Notifications:
    """The inboxes of a hub's people, each the state of the topic `users.SLUG`."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self._folded: Projections[Inbox] = Projections(
            hub, Inbox, fold.apply, version=fold.VERSION, lasting=[Withdrawn.type, REDACTED]
        )

    async def inbox(self, name: str) -> tuple[Inbox, Offset]:
        """Return the person's inbox as of now, and the offset to follow from. Do not change the inbox.

        `inbox.rooms` has the read markers. An unread event of a room that was restored from a backup, and read since,
        is named by its offset in the room's present life, and is read if the marker is past it. Raises Unavailable.
        """
        found = await self._folded.get(topic_of(name))
        lives = _Lives(self.hub)
        items = [await self._present(item, found.state, lives) for item in found.state.items]
        return msgspec.structs.replace(found.state, items=items), found.offset

    async def _present(self, item: Notification, inbox: Inbox, lives: _Lives) -> Notification:
        marker = fold.marker(item, inbox.rooms)
        if item.read or marker is None or item.event is None or item.topic is None or _same_life(marker, item.event):
            return item
        event = await lives.present(item.topic, item.event)
        read = fold.is_read(await lives.present(item.topic, marker), event)
        return msgspec.structs.replace(item, event=event, read=read)

    async def markers(self, name: str) -> tuple[Mapping[str, str], Offset]:
        """Up to where the person has read each room, by its id, and the offset of their topic at which that is so.
        Raises Unavailable."""
        found = await self._folded.get(topic_of(name))
        return found.state.rooms, found.offset

    async def watchers(self, topic: str, *, ever: bool = False) -> list[str]:
        """Return the people who watch a topic. `ever`: also those who have watched it. Raises Unavailable."""
        watchers: list[str] = []
        after = ""
        while heads := await self.hub.log.heads(PREFIX, after, labels=[watched_label(topic)]):
            for own, _ in heads:
                if ever or topic in (await self._folded.get(own)).state.watched:
                    watchers.append(unslugged(own.removeprefix(PREFIX)))
            after = heads[-1][0]
        return watchers

    async def notify(
        self,
        name: str,
        kind: str,
        title: str,
        *,
        key: str,
        text: str = "",
        link: str | None = None,
        topic: str | None = None,
        event: Offset | str | None = None,
        by: str | None = None,
    ) -> None:
        """Tell somebody something, once for each `key`: it is stored when this returns.

        What is too long is cut, as it is told elsewhere in full. Whether it disturbs is for the reader to say, who may
        have muted the topic. Raises Unavailable.
        """
        told = Created(
            title=shortened(title, TITLE),
            kind=kind,
            text=shortened(text, TEXT) or None,
            link=link if link is None or len(link) <= LINK else None,
            topic=topic,
            event=str(event) if event is not None else None,
            by=by,
        )
        try:
            await self.hub.log.append(topic_of(name), [to_item(told)], key=key, default=None)
        except (InvalidRequest, Closed) as error:
            # A subject of a token whose name makes no topic, or a topic that its owner's program has closed: what
            # happened has happened all the same, so whoever did it is not refused.
            log.warning("%s cannot be told: %s", topic_of(name)[:80], error)

    async def withdraw(
        self, name: str, topic: str, event: Offset, instead: Callable[[int], Awaitable[None]] | None = None
    ) -> None:
        """Redact the person's notifications of an event, and take them from the inbox.

        If one of them is unread, `instead` is called before, with its number: it may notify the person of something in
        their place. A call that broke off is repeated without harm. Raises Unavailable.
        """
        try:
            own = topic_of(name)
        except InvalidRequest:
            return
        found = await self._folded.get(own)
        lives = _Lives(self.hub)
        told = [item for item in found.state.items if item.topic == topic and await lives.same(item, event)]
        offsets = [Offset.parse(item.offset) for item in told] or await self._older(own, topic, event)
        unread = max([Offset.parse(item.offset).n for item in told if not item.read], default=0)
        if unread and instead is not None:
            await instead(unread)
        if not offsets:
            return
        # The text first: whoever comes after a call that broke off finds no more of it.
        for epoch in {offset.epoch for offset in offsets}:
            await self.hub.log.redact_all(own, epoch, [offset.n for offset in offsets if offset.epoch == epoch])
        withdrawn = Withdrawn([str(offset) for offset in offsets])
        with contextlib.suppress(Conflict):  # the topic was closed by its owner's program, or has begun another life
            await self.hub.log.append(own, [to_item(withdrawn)], expected=offsets[0].epoch)
        await self._folded.get(own)  # which writes a snapshot without them

    async def _older(self, own: str, topic: str, event: Offset) -> list[Offset]:
        """Notifications of an event that the inbox does not hold any more."""
        offsets: list[Offset] = []
        after: Offset | None = None
        while True:
            try:
                page = await self.hub.log.read(own, after)
            except NotFound:
                return offsets
            for entry in page.events:
                if entry.type == Created.type and str(event) in entry.data and entry.offset is not None:
                    fact = understood(entry.type, entry.data)
                    if isinstance(fact, Created) and (fact.topic, fact.event) == (topic, str(event)):
                        offsets.append(entry.offset)
            if page.up_to_date or not page.events:
                return offsets
            after = page.next


class _Lives:
    """The lives of topics that were restored from a backup. Each topic is looked up once."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._heads: dict[str, Head | None] = {}

    async def present(self, topic: str, offset: str) -> str:
        """Translate an offset into the topic's present life, if both lives have its event."""
        if topic not in self._heads:
            self._heads[topic] = await self._hub.log.describe(topic)
        head, n = self._heads[topic], None
        with contextlib.suppress(InvalidRequest):  # a program that notifies may name anything
            n = head.locate(Offset.parse(offset)) if head is not None else None
        return offset if head is None or n is None else str(Offset(head.epoch, n))

    async def same(self, item: Notification, event: Offset) -> bool:
        """Tell whether a notification is about an event of its topic."""
        if item.event is None or item.topic is None or _same_life(item.event, str(event)):
            return item.event == str(event)
        return await self.present(item.topic, item.event) == await self.present(item.topic, str(event))


def _same_life(one: str, other: str) -> bool:
    return one.rpartition("-")[0] == other.rpartition("-")[0]


def topic_of(name: str) -> str:
    """The topic of a person."""
    return PREFIX + slug(name)


def watched_label(topic: str) -> str:
    """The label of the inboxes of people who watch a topic, or have watched it: they hold notifications of it."""
    return f"watched {topic}"


def shortened(text: str, most: int) -> str:
    """The text on one or more lines, without control characters, in at most `most` characters."""
    # Cut the text before it is read: a message of 16,000 characters may notify 1,000 people.
    cut = text[:most]
    shown = cut if cut.isprintable() else "".join([c if c in "\n\t" or c.isprintable() else " " for c in cut])
    return shown if len(text) <= most else shown[: most - 1].rstrip() + "…"
