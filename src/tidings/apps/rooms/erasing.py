"""Erasing: deleted messages, earlier texts of edited messages, and what was derived from them, are gone for good."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import suppress
from functools import partial
from heapq import nsmallest
from weakref import WeakValueDictionary

from msgspec import UNSET

from tidings.apps.notifications.service import Notifications
from tidings.apps.projection import Projection
from tidings.delivery.hub import Hub
from tidings.errors import Conflict, TidingsError, Unavailable
from tidings.events import ORIGIN, Offset
from tidings.log.head import REMEMBERED
from tidings.runs.run import topic_of

from . import facts
from .facts import AnswerPosted, MessageDeleted, MessageEdited, MessagePosted, Quote
from .notifying import AT_ONCE, Notices, Told
from .quotes import Quotes
from .reading import facts_at
from .room import Room
from .rooms import PREFIX, Rooms, Stored, quote
from .rules import UNERASED

SOON = 0.5
"""Seconds after which a process erases what another process, which stored the deletion, should have erased by then."""

AGAIN = 10.0
"""Seconds until the next try while the store cannot be reached."""

TRIES = 5
"""Times that the label of a room is taken away again because an append came first."""

log: logging.Logger = logging.getLogger("tidings.rooms")


class Eraser:
    """Redacts the events that hold a text, before the publisher of its deletion or edit is answered.

    The state of a room knows which events are left to redact, and which replies quote such a text. So whichever process
    comes next finishes what an ended process has begun: the next that reads the room, or that starts. Each step is
    idempotent. The notifications, the files and the run of a message are found by its text and are therefore erased
    just before it. The quotes, of which there may be any number, come last.
    """

    def __init__(self, hub: Hub, rooms: Rooms, notifications: Notifications, notices: Notices) -> None:
        self._hub = hub
        self._rooms = rooms
        self._notifications = notifications
        self._notices = notices
        self._quotes = Quotes(hub, rooms)
        self._due: set[str] = set()
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def open(self) -> None:
        """Begin to finish what ended processes have left unfinished."""
        self._hub.delivery.background(self._resume())

    async def _resume(self) -> None:
        try:
            after = ""
            while heads := await self._hub.log.heads(PREFIX, after, labels=[UNERASED]):
                for topic, _ in heads:
                    await self._finish(topic)
                after = heads[-1][0]
        except Unavailable as error:
            log.warning("deleted texts that an ended process has left are erased when their rooms are read: %s", error)

    async def erase(self, stored: Stored) -> None:
        """Erase what the facts delete or edit, and the texts of those that do not count. Raises Unavailable."""
        # A reply may quote a message that was deleted a moment before, and so may an edit restate it.
        texts = [at for at, fact in stored.ignored if isinstance(fact, MessagePosted | MessageEdited)]
        if texts:
            await self._hub.log.redact_all(stored.topic, texts[0].epoch, [at.n for at in texts])
        if any(isinstance(fact, MessageEdited | MessageDeleted) for _, fact in stored.facts):
            self.erase_soon(stored.topic)
            await self.erase_all(stored.topic)

    def erase_soon(self, topic: str) -> None:
        """Do what `erase_all` does in the background, a moment later, and again until the store can be reached."""
        if topic not in self._due:
            self._due.add(topic)
            self._hub.delivery.background(self._erase_later(topic))

    async def _erase_later(self, topic: str) -> None:
        try:
            await asyncio.sleep(SOON)
        finally:
            self._due.discard(topic)
        await self._finish(topic)

    async def _finish(self, topic: str) -> None:
        while True:
            try:
                await self.erase_all(topic)
                await self._take_label(topic)
            except Unavailable as error:
                log.warning("deleted texts in %s are erased in %d s: %s", topic, AGAIN, error)
                await asyncio.sleep(AGAIN)
            except TidingsError as error:
                log.warning("deleted texts in %s are erased when the room is next read: %s", topic, error)
                return
            else:
                return

    async def _take_label(self, topic: str) -> None:
        """Take the label of rooms that have something to erase from a room that has nothing more."""
        for _ in range(TRIES):
            labelled = await self._hub.log.heads(topic, limit=1, labels=[UNERASED])
            if not labelled or labelled[0][0] != topic:
                return
            found = await self._rooms.states.get(topic)
            if found.state.unerased or found.offset == ORIGIN:
                return
            with suppress(Conflict):
                await self._hub.log.configure(topic, labels={UNERASED: False}, expected=found.offset)
                return

    async def erase_all(self, topic: str) -> None:
        """Erase all that is left to erase in a room.

        A message whose text an operator has redacted is deleted. Raises Unavailable.
        """
        turn = self._turns.setdefault(topic, asyncio.Lock())
        async with turn:
            await self._rooms.states.following(topic)
            found = await self._rooms.states.get(topic)
            deletions = [await self._erase_redacted(found, n) for n in sorted(found.state.redacted)]
            await self._erase_texts(topic)
            await self._quotes.take_outdated(topic)
            for deletion in deletions:
                await self._delete(topic, deletion)

    # ------------------------------------------------------------ texts

    async def _erase_texts(self, topic: str) -> None:
        while True:
            found = await self._rooms.states.get(topic)
            numbers = nsmallest(REMEMBERED, found.state.stale)
            if not numbers:
                return
            epoch = found.offset.epoch
            held = await facts_at(self._hub, topic, epoch, numbers)
            versions: dict[int, list[MessagePosted | AnswerPosted]] = {}
            for n, fact in held.items():
                if isinstance(fact, MessageEdited):
                    versions.setdefault(Offset.parse(fact.message).n, []).append(facts.restated(fact))
                elif isinstance(fact, MessagePosted | AnswerPosted):
                    versions.setdefault(n, []).append(fact)
            for message, texts in versions.items():
                await self._erase_derived(found, message, texts)
            texts_at = [n for n, fact in held.items() if isinstance(fact, MessageEdited | MessagePosted | AnswerPosted)]
            await self._hub.log.redact_all(topic, epoch, texts_at)
            # Events that were trimmed meanwhile are never announced as redacted.
            found.state.stale.difference_update(numbers)

    async def _erase_derived(
        self, found: Projection[Room], message: int, versions: Sequence[MessagePosted | AnswerPosted]
    ) -> None:
        """Erase what was derived from texts of a message or an answer that are deleted, or were edited since."""
        at = Offset(found.offset.epoch, message)
        posted = [version for version in versions if isinstance(version, MessagePosted)]
        if message not in found.state.deleted:
            await self._renew(found, at, posted)
            return
        for version in versions:
            if isinstance(version, AnswerPosted):
                await self._delete_run(found.topic, at, version.run)
            else:
                files = [file.id for file in version.attached if file.id not in found.state.attached]
                await self._delete_files(found.topic, files)
        if posted:
            await self._withdraw(found.topic, at, await self._told(found.topic, posted))

    async def _told(self, topic: str, versions: Iterable[MessagePosted]) -> list[str]:
        """The people who may have been notified of a message in one of these versions."""
        called = [name for version in versions for name in _called(version)]
        return [*called, *await self._notifications.watchers(topic, ever=True)]

    async def _renew(self, found: Projection[Room], at: Offset, earlier: Sequence[MessagePosted]) -> None:
        """Notify people of a message as it is now, in the place of the notifications of its earlier texts."""
        last = found.state.edited.get(at.n, at.n)
        message = await self._rooms.message(found, at)
        changed = [version for version in earlier if message is None or version.text != message.text]
        if not changed:
            return
        names = await self._told(found.topic, changed)
        if message is None:
            await self._withdraw(found.topic, at, names)
            return
        told = {*names, *(name for version in earlier for name in _called(version))}
        new = [name for name in _called(message) if name not in told]
        await self._notices.renew(found.topic, found.state, at, message, new, f".{last}")
        # A person who has not read the message yet is notified of its new text instead.
        await self._withdraw(found.topic, at, names, partial(self._tell_again, found, at, message, str(last)))
        await self._settle(found.topic, at, {*names, *_called(message)}, last)

    async def _tell_again(
        self, found: Projection[Room], at: Offset, message: MessagePosted, edit: str, name: str, number: int
    ) -> None:
        """Notify a person of a message in the place of their notification with this number."""
        await self._notices.renew(found.topic, found.state, at, message, [name], f".{edit}.{number}")

    async def _withdraw(
        self,
        topic: str,
        at: Offset,
        names: Iterable[str],
        instead: Callable[[str, int], Awaitable[None]] | None = None,
    ) -> None:
        """Withdraw the people's notifications of a message. `instead(name, number)`: see Notifications.withdraw."""
        left = list(dict.fromkeys(names))
        for start in range(0, len(left), AT_ONCE):
            await asyncio.gather(
                *[
                    self._notifications.withdraw(name, topic, at, instead and partial(instead, name))
                    for name in left[start : start + AT_ONCE]
                ]
            )

    async def _delete_files(self, topic: str, files: Iterable[str]) -> None:
        for file in files:
            await self._rooms.files.delete(topic, file)

    async def _delete_run(self, topic: str, at: Offset, run: str) -> None:
        """Delete the run of an answer, and withdraw the notification of the answer."""
        head = await self._hub.log.describe(topic_of(run))
        if head is not None:
            await self._withdraw(topic, at, filter(None, [head.owner]))
            await self._hub.log.delete(topic_of(run))

    # ------------------------------------------------------------ redactions of an operator

    async def _erase_redacted(self, found: Projection[Room], n: int) -> MessageDeleted:
        """Erase what was derived from a message or an answer whose text an operator has redacted. Return its deletion,
        which is stored last: until then every process that reads the room begins again."""
        topic, room, at = found.topic, found.state, Offset(found.offset.epoch, n)
        run = await self._run_of(topic, room, at)
        watchers = await self._notifications.watchers(topic, ever=True)
        await self._withdraw(topic, at, {*_maybe_called(room, n), *watchers})
        if run is not None:
            await self._delete_run(topic, at, run)
        await self._delete_files(topic, [file for file in room.files.get(n, ()) if room.attached[file] == 1])
        return MessageDeleted(message=str(at), run=UNSET if run is None else run)

    async def _delete(self, topic: str, deletion: MessageDeleted) -> None:
        at = Offset.parse(deletion.message)
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

    # ------------------------------------------------------------ races

    async def settle(self, stored: Stored, told: Told) -> None:
        """Mend what was derived from messages that were deleted or edited meanwhile: withdraw the notifications of
        them, of which `told` has the people, and take the quotes of them out.

        A deletion that is stored after this look at the log does so itself. Raises Unavailable.
        """
        for at, names in told.items():
            await self._settle(stored.topic, at, names, at.n)
        quoting = [(at, fact) for at, fact in stored.facts if isinstance(fact, MessagePosted | MessageEdited)]
        if any(fact.quote for _, fact in quoting):
            await self._settle_quotes(stored.topic, quoting)

    async def _settle_quotes(self, topic: str, quoting: Iterable[tuple[Offset, MessagePosted | MessageEdited]]) -> None:
        found = await self._rooms.states.get(topic)
        outdated = []
        for at, fact in quoting:
            if not (fact.quote and fact.quote.text and isinstance(fact.reply, str)):
                continue
            quoted = Offset.parse(fact.reply)
            if quoted.n in found.state.edited or found.state.lacks(quoted.n):
                target = await self._rooms.target(found, quoted)
                if found.state.lacks(quoted.n) or target is None or quote(target) != fact.quote:
                    outdated.append(Offset.parse(fact.message).n if isinstance(fact, MessageEdited) else at.n)
        if outdated:
            await self._quotes.take_out(topic, outdated)

    async def _settle(self, topic: str, at: Offset, names: Iterable[str], since: int) -> None:
        """Withdraw notifications of a message as event number `since` has left it, if a later event has changed it."""
        found = await self._rooms.states.get(topic)
        last = found.state.edited.get(at.n, 0)
        deleted = found.state.lacks(at.n)
        if not deleted and last <= since:
            return
        message = None if deleted else await self._rooms.message(found, at)
        instead = None if message is None else partial(self._tell_again, found, at, message, f"{last}.{since}")
        await self._withdraw(topic, at, names, instead)


def _called(message: MessagePosted) -> list[str]:
    """The people whom a message calls or quotes."""
    quoted = [message.quote.by] if isinstance(message.quote, Quote) and message.quote.by else []
    return [name for name in dict.fromkeys([*message.called, *quoted]) if name != message.by]


def _maybe_called(room: Room, n: int) -> Collection[str]:
    """The people whom message number `n`, whose text is gone, may have called or quoted."""
    known = next((message for message in room.recent if message.n == n), None)
    if known is not None:
        return [name for name in (*known.mentions, known.quoted) if name]
    return {*room.members, *room.readers, *room.banned}
