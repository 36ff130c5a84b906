"""Erasing: deleted messages, earlier texts of edited messages, and what was derived from them, are gone for good."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from contextlib import suppress

from msgspec import UNSET

from tidings.apps.notifications.service import Notifications
from tidings.delivery.hub import Hub
from tidings.errors import Conflict, NotFound, TidingsError
from tidings.events import Offset
from tidings.runs.run import topic_of

from . import facts
from .facts import AnswerPosted, MessageDeleted, MessageEdited, MessagePosted, Quote
from .notifying import Notices, notices
from .room import Room
from .rooms import Rooms, Stored, quote, room_id

log: logging.Logger = logging.getLogger("tidings.rooms")


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
        self._due: set[str] = set()
        self._turn = asyncio.Lock()

    async def erase(self, stored: Stored) -> None:
        """Erase what the facts delete or edit, and the texts of those that do not count. Raises Unavailable."""
        for at, fact in stored.facts:
            if isinstance(fact, MessageEdited):
                await self._edited(stored, at, fact)
            elif isinstance(fact, MessageDeleted):
                await self._deleted(stored, fact)
        # A reply may quote a message that was deleted a moment before, and so may an edit restate it.
        texts = [at for at, fact in stored.ignored if isinstance(fact, MessagePosted | MessageEdited)]
        for at in texts:
            await self._redact(stored.topic, at.epoch, [at.n])

    def erase_redacted_soon(self, topic: str) -> None:
        """Do what `erase_redacted` does in the background."""
        if topic not in self._due:
            self._due.add(topic)
            self._hub.delivery.background(self._erase_due(topic))

    async def _erase_due(self, topic: str) -> None:
        self._due.discard(topic)
        try:
            await self.erase_redacted(topic)
        except TidingsError as error:
            log.warning("what was redacted in %s is erased when the room is next read: %s", topic, error)

    async def erase_redacted(self, topic: str) -> None:
        """Delete the messages and answers whose text an operator has redacted, with all that was derived from them.

        The deletion is stored last: until then every process that reads the room begins again. Raises Unavailable.
        """
        async with self._turn:
            found = await self._rooms.states.get(topic)
            for n in sorted(found.state.redacted):
                await self._erase_redacted(topic, found.state, Offset(found.offset.epoch, n))

    async def _erase_redacted(self, topic: str, room: Room, at: Offset) -> None:
        run = await self._run_of(topic, room, at)
        await self._erase_derived(topic, room, at, await self._maybe_told(topic, room, at), run)
        others = {file for n, files in room.files.items() if n != at.n for file in files}
        for file in room.files.get(at.n, ()):
            if file not in others:
                await self._rooms.files.delete(room_id(topic), file)
        deletion = MessageDeleted(message=str(at), run=UNSET if run is None else run)
        with suppress(Conflict):  # the room was restored meanwhile
            await self._hub.log.append(topic, [facts.written(deletion)], key=f"redacted.{at.n}", expected=at.epoch)

    async def _run_of(self, topic: str, room: Room, at: Offset) -> str | None:
        """The run of a redacted answer; None for a message.

        A state without a snapshot does not know the run. It is then the first run that was announced before, has
        ended, and has no answer in the room.
        """
        if at.n in room.answers:
            return room.answers[at.n]
        page = await self._hub.read(topic, at._replace(n=at.n - 1), 1)
        event = page.events[0]
        if event.offset == at and event.redacted and event.json()["type"] == AnswerPosted.type:
            for run, pending in list(room.runs.items()):
                head = await self._hub.log.describe(topic_of(run)) if pending.n < at.n else None
                if head is not None and head.closed:
                    return run
        return None

    async def _maybe_told(self, topic: str, room: Room, at: Offset) -> Iterable[str]:
        """The people who may have been notified of a message whose text is gone."""
        known = next((message for message in room.recent if message.n == at.n), None)
        quoted = next((n for n, replies in room.replies.items() if at.n in replies), None)
        if known is not None:
            if quoted is None:
                return known.mentions
            target = await self._rooms.target(await self._rooms.states.get(topic), at._replace(n=quoted))
            if target is not None:
                return {*known.mentions, *filter(None, [target.by])}
        return {*room.members, *room.readers, *room.banned}

    async def settle(self, stored: Stored) -> None:
        """Mend what was derived from messages that were deleted or edited meanwhile: withdraw the notifications of
        them, and take the quotes of them out.

        A deletion that is stored after this look at the log does so itself. Raises Unavailable.
        """
        for at, fact in stored.facts:
            if names := [notice.to for notice in notices(stored.room, fact)]:
                await self._settle(stored.topic, at, names, at.n)
        quoting = [(at, fact) for at, fact in stored.facts if isinstance(fact, MessagePosted | MessageEdited)]
        if any(fact.quote for _, fact in quoting):
            await self._settle_quotes(stored.topic, quoting)

    async def _settle_quotes(self, topic: str, quoting: Iterable[tuple[Offset, MessagePosted | MessageEdited]]) -> None:
        found = await self._rooms.states.get(topic)
        for at, fact in quoting:
            if not (fact.quote and fact.quote.text and isinstance(fact.reply, str)):
                continue
            quoted = Offset.parse(fact.reply)
            if quoted.n in found.state.edited or found.state.lacks(quoted.n):
                target = await self._rooms.target(found, quoted)
                if target is None or quote(target) != fact.quote:
                    await self._unquote_in(topic, Offset.parse(fact.message) if isinstance(fact, MessageEdited) else at)

    async def _settle(self, topic: str, at: Offset, names: Iterable[str], since: int) -> None:
        """Withdraw notifications of a message as event number `since` has left it, if a later event has changed it."""
        found = await self._rooms.states.get(topic)
        later = [n for n in found.state.edited.get(at.n, ()) if n > since]
        deleted = found.state.lacks(at.n)
        if not deleted and not later:
            return
        message = None if deleted else await self._rooms.message(found, at)
        for name in names:
            if await self._notifications.withdraw(name, topic, at) and message is not None:
                await self._notices.renew(topic, found.state, at, message, [name], f".{later[-1]}.{since}")

    async def _edited(self, stored: Stored, at: Offset, edit: MessageEdited) -> None:
        message, target = facts.restated(edit), Offset.parse(edit.message)
        earlier = [target.n, *(n for n in stored.room.edited.get(target.n, ()) if n < at.n)]
        versions = [await self._rooms.version(stored.topic, at._replace(n=n)) for n in earlier]
        told = {name for version in versions if version for name in _told(version)}
        # Once the earlier texts are gone, everybody was notified.
        due = {name for name in _told(message) if name not in told and any(versions)}
        for name in sorted(told):
            # A person who has not read the message yet is notified of its new text instead.
            if await self._notifications.withdraw(name, stored.topic, target):
                due.add(name)
        await self._notices.renew(stored.topic, stored.room, target, message, due, f".{at.n}")
        await self._settle(stored.topic, target, _told(message), at.n)
        await self._unquote(stored.topic, stored.room, target)
        await self._redact(stored.topic, at.epoch, earlier)

    async def _deleted(self, stored: Stored, deletion: MessageDeleted) -> None:
        target = Offset.parse(deletion.message)
        found = await self._rooms.states.get(stored.topic, fresh=False)
        message = await self._rooms.message(found, target)
        run = deletion.run if isinstance(deletion.run, str) else None
        await self._erase_derived(stored.topic, stored.room, target, _told(message) if message else (), run)

    async def _erase_derived(self, topic: str, room: Room, at: Offset, names: Iterable[str], run: str | None) -> None:
        """Erase a message, or the answer of a run, and what was derived from it: the people's notifications of it, the
        quotes, and the run."""
        head = await self._hub.log.describe(topic_of(run)) if run is not None else None
        for name in dict.fromkeys([*names, *filter(None, [head.owner if head is not None else ""])]):
            await self._notifications.withdraw(name, topic, at)
        if run is not None:
            await self._hub.log.delete(topic_of(run))
        await self._unquote(topic, room, at)
        await self._redact(topic, at.epoch, (*room.edited.get(at.n, ()), at.n))

    async def _unquote(self, topic: str, room: Room, quoted: Offset) -> None:
        """Take the text of a deleted or edited message out of the replies that quote it."""
        for n in [n for n in room.replies.get(quoted.n, ()) if not room.lacks(n)]:
            await self._unquote_in(topic, quoted._replace(n=n))

    async def _unquote_in(self, topic: str, at: Offset) -> None:
        """Take the quote out of one reply, and redact the events that hold it.

        The edit is stored only at the offset at which the reply was read. Otherwise the edit could undo one that came
        between.
        """
        while True:
            found = await self._rooms.states.get(topic)
            epoch = found.offset.epoch
            held = [at.n, *found.state.edited.get(at.n, ())]
            reply = await self._rooms.message(found, at)
            if reply is None or not isinstance(reply.quote, Quote):
                return
            if not reply.quote.text:
                await self._redact(topic, epoch, held[:-1])
                return
            edit = facts.edited(reply, str(at), reply.text, by="")
            without = facts.changed(edit, quote=Quote(reply.quote.by, ""))
            try:
                await self._hub.log.append(
                    topic, [facts.written(without)], key=f"unquote.{held[-1]}", expected=found.offset
                )
            except Conflict:
                continue
            await self._redact(topic, epoch, held)
            return

    async def _redact(self, topic: str, epoch: str, numbers: Iterable[int]) -> None:
        for n in numbers:
            with suppress(NotFound):  # trimmed
                await self._hub.log.redact(topic, Offset(epoch, n))


def _told(message: MessagePosted) -> list[str]:
    """The people who may have been notified of a message."""
    quoted = [message.quote.by] if isinstance(message.quote, Quote) and message.quote.by else []
    return [name for name in dict.fromkeys([*message.mentions, *quoted]) if name != message.by]
