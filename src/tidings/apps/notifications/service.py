"""Inboxes of notifications, and notifying people."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from tidings.access.names import slug
from tidings.apps.projection import Projections
from tidings.delivery.hub import Hub
from tidings.errors import Closed, InvalidRequest, NotFound
from tidings.events import Offset

from . import fold
from .facts import LINK, TEXT, TITLE, Created, Withdrawn, to_item, understood
from .fold import Inbox

log: logging.Logger = logging.getLogger("tidings.notifications")


class Notifications:
    """The inboxes of a hub's people, each the state of the topic `users.SLUG`."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self._folded: Projections[Inbox] = Projections(
            hub, Inbox, fold.apply, version=fold.VERSION, lasting=[Withdrawn.type]
        )

    async def inbox(self, name: str) -> tuple[Inbox, Offset]:
        """Return the person's inbox as of now, and the offset to follow from. Do not change the inbox.

        `inbox.rooms` has the read markers. Raises Unavailable.
        """
        found = await self._folded.get(topic_of(name))
        return found.state, found.offset

    async def markers(self, name: str) -> tuple[Mapping[str, str], Offset]:
        """Up to where the person has read each room, by its id, and the offset of their topic at which that is so.
        Raises Unavailable."""
        inbox, offset = await self.inbox(name)
        return inbox.rooms, offset

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

    async def withdraw(self, name: str, topic: str, event: Offset) -> bool:
        """Redact the person's notifications of an event, and take them from the inbox. True: one was unread.

        Idempotent. Raises Unavailable.
        """
        try:
            own = topic_of(name)
        except InvalidRequest:
            return False
        found = await self._folded.get(own)
        told = [item for item in found.state.items if (item.topic, item.event) == (topic, str(event))]
        offsets = [Offset.parse(item.offset) for item in told] or await self._older(own, topic, event)
        if offsets:
            withdrawn = Withdrawn([str(offset) for offset in offsets])
            await self.hub.log.append(own, [to_item(withdrawn)], expected=offsets[0].epoch)
        for offset in offsets:
            await self.hub.log.redact(own, offset)
        if offsets:
            await self._folded.get(own)  # which writes a snapshot without them
        return any(not item.read for item in told)

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


def topic_of(name: str) -> str:
    """The topic of a person."""
    return f"users.{slug(name)}"


def shortened(text: str, most: int) -> str:
    """The text on one or more lines, without control characters, in at most `most` characters."""
    shown = "".join(c if c in "\n\t" or c.isprintable() else " " for c in text)
    return shown if len(shown) <= most else shown[: most - 1].rstrip() + "…"
