"""Conversations of one person with an assistant: `conversations.ID`. Whoever asked first owns it."""

from __future__ import annotations

import msgspec

from tidings.access.guards import Admitted, Guard, Items
from tidings.access.subject import Subject
from tidings.delivery.hub import Hub
from tidings.errors import Forbidden, NotFound
from tidings.log.head import Head

REMEMBERED = 10_000
"""Conversations whose owner is kept at hand, the last ones asked for."""


class _First(msgspec.Struct):
    by: str | None = None


class ConversationsGuard(Guard):
    """A conversation is its owner's, the `by` of its first event. Where that names nobody, it is anybody's."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._owners: dict[tuple[str, str], str | None] = {}

    async def read(self, subject: Subject, topic: str) -> None:
        head = await self._hub.log.describe(topic)
        if head is None and subject.name is not None:
            # Nobody waits for a conversation to begin: it might be another's.
            raise NotFound(f"There is no conversation {topic.partition('.')[2]}.", topic=topic)
        await self._own(subject, topic, head)

    async def admit(self, subject: Subject, topic: str, items: Items, *, transient: bool) -> Admitted:
        await self.announce(subject, topic)
        return Admitted(items)

    async def manage(self, subject: Subject, topic: str) -> None:
        await self.announce(subject, topic)

    async def announce(self, subject: Subject, topic: str) -> None:
        await self._own(subject, topic, await self._hub.log.describe(topic))

    async def _own(self, subject: Subject, topic: str, head: Head | None) -> None:
        owner = await self._owner(topic, head) if head is not None else None
        if owner is not None and owner != subject.name:
            raise Forbidden("This conversation is somebody else's.", topic=topic)

    async def _owner(self, topic: str, head: Head) -> str | None:
        """Looked up once in each life of the topic: one that was deleted may be begun by another."""
        known = (topic, head.epoch)
        if known not in self._owners:
            owner = await first_by(self._hub, topic)
            if head.tail == head.start:
                return owner
            self._owners[known] = owner
            if len(self._owners) > REMEMBERED:
                del self._owners[next(iter(self._owners))]
        return self._owners[known]


async def first_by(hub: Hub, topic: str) -> str | None:
    """The name in the first event of a topic, if it is one of JSON that has a `by`. Raises Unavailable."""
    try:
        page = await hub.read(topic, limit=1)
        return msgspec.json.decode(page.events[0].data, type=_First).by if page.events else None
    except (NotFound, msgspec.DecodeError, RecursionError):
        return None
