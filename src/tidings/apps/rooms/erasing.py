"""Erasing: deleted messages, earlier texts of edited messages, and what was derived from them, are gone for good."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from tidings.apps.notifications.service import Notifications
from tidings.apps.projection import Projection
from tidings.delivery.hub import Hub
from tidings.errors import Conflict, NotFound
from tidings.events import Offset

from . import facts
from .facts import AnswerPosted, MessageDeleted, MessageEdited, MessagePosted, Quote
from .notifying import Notices, notices
from .room import Room
from .rooms import Rooms, Stored


class Eraser:
    """Redacts the events that hold a text, before the publisher of its deletion or edit is answered.

    What is derived from a text goes first and the text last: a publisher that was not answered repeats its request, and
    what is left is found by the text. Idempotent.
    """

    def __init__(self, hub: Hub, rooms: Rooms, notifications: Notifications, notices: Notices) -> None:
        self._hub = hub
        self._rooms = rooms
        self._notifications = notifications
        self._notices = notices

    async def erase(self, stored: Stored) -> None:
        """Erase what the facts delete or edit. Raises Unavailable."""
        for at, fact in stored.facts:
            if isinstance(fact, MessageEdited):
                await self._edited(stored, at, fact)
            elif isinstance(fact, MessageDeleted):
                await self._deleted(stored, at.epoch, Offset.parse(fact.message))

    async def settle(self, stored: Stored) -> None:
        """Withdraw the notifications of messages that were deleted or edited while the notifications were written.

        A deletion that is stored after this look at the log withdraws them itself. Raises Unavailable.
        """
        for at, fact in stored.facts:
            if names := [notice.to for notice in notices(stored.room, fact)]:
                await self._settle(stored.topic, at, names, at.n)

    async def _settle(self, topic: str, at: Offset, names: Iterable[str], since: int) -> None:
        """Withdraw notifications of a message as event number `since` has left it, if a later event has changed it."""
        found = await self._rooms.states.get(topic)
        later = [n for n in found.state.edited.get(at.n, ()) if n > since]
        deleted = at.n in found.state.deleted
        if not deleted and not later:
            return
        message = None if deleted else await self._rooms.message(found, at)
        for name in names:
            if await self._notifications.withdraw(name, topic, at) and message is not None:
                await self._notices.renew(topic, found.state, at, message, name, f".{later[-1]}.{since}")

    async def _edited(self, stored: Stored, at: Offset, edit: MessageEdited) -> None:
        message, target = facts.restated(edit), Offset.parse(edit.message)
        for name in _told(message):
            # A person who has not read the message yet is notified of its new text instead.
            if await self._notifications.withdraw(name, stored.topic, target):
                await self._notices.renew(stored.topic, stored.room, target, message, name, f".{at.n}")
        await self._settle(stored.topic, target, _told(message), at.n)
        await self._unquote(stored.topic, stored.room, target)
        earlier = [n for n in stored.room.edited.get(target.n, ()) if n < at.n]
        await self._redact(stored.topic, at.epoch, (*earlier, target.n))

    async def _deleted(self, stored: Stored, epoch: str, target: Offset) -> None:
        topic, room = stored.topic, stored.room
        found = await self._rooms.states.get(topic, fresh=False)
        deleted = await self._rooms.message_or_answer(found, target)
        if isinstance(deleted, AnswerPosted):
            run = f"runs.{deleted.run}"
            head = await self._hub.log.describe(run)
            if head is not None:
                if head.owner:
                    await self._notifications.withdraw(head.owner, topic, target)
                await self._hub.log.delete(run)
        elif deleted is not None:
            for name in _told(deleted):
                await self._notifications.withdraw(name, topic, target)
        await self._unquote(topic, room, target)
        await self._redact(topic, epoch, (*room.edited.get(target.n, ()), target.n))

    async def _unquote(self, topic: str, room: Room, quoted: Offset) -> None:
        """Take the text of a deleted or edited message out of the replies that quote it."""
        replies = [n for n in room.replies.get(quoted.n, ()) if n not in room.deleted]
        if replies:
            found = await self._rooms.states.get(topic, fresh=False)
            for n in replies:
                await self._unquote_in(found, room, quoted._replace(n=n), quoted)

    async def _unquote_in(self, found: Projection[Room], room: Room, at: Offset, quoted: Offset) -> None:
        """Take the quote out of one reply."""
        reply = await self._rooms.message_or_answer(found, at)
        if isinstance(reply, MessagePosted) and isinstance(reply.quote, Quote) and reply.quote.text:
            edit = facts.edited(reply, str(at), reply.text, by="")
            without = facts.changed(edit, quote=Quote(reply.quote.by, ""))
            try:
                await self._hub.log.append(
                    found.topic, [facts.written(without)], key=f"unquote.{at.n}.{quoted.n}", expected=at.epoch
                )
            except Conflict:
                return
        await self._redact(found.topic, at.epoch, (*room.edited.get(at.n, ()), at.n))

    async def _redact(self, topic: str, epoch: str, numbers: Iterable[int]) -> None:
        for n in numbers:
            with suppress(NotFound):  # trimmed
                await self._hub.log.redact(topic, Offset(epoch, n))


def _told(message: MessagePosted) -> list[str]:
    """The people who may have been notified of a message."""
    quoted = [message.quote.by] if isinstance(message.quote, Quote) and message.quote.by else []
    return [name for name in dict.fromkeys([*message.mentions, *quoted]) if name != message.by]
