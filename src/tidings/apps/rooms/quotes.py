"""Quotes in replies: the text of a message that was deleted or edited is taken out of the replies that quote it."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from tidings.delivery.hub import Hub
from tidings.errors import Conflict
from tidings.events import Offset
from tidings.slices import in_slices

from . import facts
from .facts import Fact, MessageEdited, MessagePosted, Quote
from .reading import facts_at
from .rooms import Rooms

AT_ONCE = 200
"""Replies that lose their quotes in one commit. Their texts take up to 3.2 million characters of memory."""


class Quotes:
    """Takes quotes out of replies: an edit of the server's says the rest of the reply, and what it says in the place of
    is redacted."""

    def __init__(self, hub: Hub, rooms: Rooms) -> None:
        self._hub = hub
        self._rooms = rooms

    async def take_outdated(self, topic: str) -> None:
        """Take the quotes out of all replies that quote a text which is not said any more. Raises Unavailable."""
        while True:
            found = await self._rooms.states.get(topic)
            replies = list(islice(found.state.outdated, AT_ONCE))
            if not replies:
                return
            await self.take_out(topic, replies)
            # Replies that were trimmed meanwhile are never edited.
            found.state.outdated.difference_update(replies)

    async def take_out(self, topic: str, replies: Iterable[int]) -> None:
        """Take the quotes out of some replies by one commit, and redact the events that hold them. Raises Unavailable.

        The edits are stored only at the offset at which the replies were read. Otherwise an edit could undo another
        that came between.
        """
        read: dict[int, Fact | None] = {}
        while True:
            found = await self._rooms.states.get(topic)
            at, room = found.offset, found.state
            present = {n: room.edited.get(n, n) for n in replies if not room.lacks(n)}
            unread = [last for last in present.values() if last not in read]
            if unread:
                read |= dict.fromkeys(unread) | await facts_at(self._hub, topic, at.epoch, unread)
                continue
            edits, replaced = [], []
            async for n, last in in_slices(present.items()):
                if edit := _unquoted(Offset(at.epoch, n), read[last]):
                    edits.append(facts.written(edit))
                    replaced.append(last)
            try:
                if edits:
                    await self._hub.log.append(topic, edits, expected=at)
            except Conflict:
                continue
            await self._hub.log.redact_all(topic, at.epoch, replaced)
            return


def _unquoted(at: Offset, fact: Fact | None) -> Fact | None:
    """The edit that takes the quote out of a reply; None if there is no quote, or no reply any more."""
    if isinstance(fact, MessageEdited):
        fact = facts.restated(fact)
    if not isinstance(fact, MessagePosted) or not isinstance(fact.quote, Quote) or not fact.quote.text:
        return None
    edit = facts.edited(fact, str(at), fact.text, by="")
    return facts.changed(edit, quote=Quote(fact.quote.by, ""))
