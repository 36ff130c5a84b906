"""The rooms of a hub: their states, what may be published to them, and the streams that follow them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from msgspec import UNSET

from tidings.access.guards import Items, Watch
from tidings.access.subject import Subject
from tidings.apps.files.service import Files
from tidings.apps.projection import Projection, Projections
from tidings.delivery.hub import Hub
from tidings.errors import Conflict, Forbidden, InvalidRequest, NotFound, TidingsError, TooLarge
from tidings.events import ORIGIN, Event, Offset
from tidings.log.rules import Appended
from tidings.slices import in_slices

from . import direct, facts, fold, rules
from .facts import AnswerPosted, Fact, MessageDeleted, MessageEdited, MessagePosted, Quote, ReactionAdded
from .mention_reader import MentionReader
from .mentions import Mentions
from .room import Room

PREFIX = "rooms."
MAX_ID = 64
KEPT = 5_000
"""Rooms that a process keeps at hand, of 11 to 26 KB each."""

BATCH = 1_000
"""Facts in one append. All its readers fold them before they are given any, which takes about 8 ms."""

QUOTED = 200
"""Characters of a message that a reply to it quotes."""

NOBODY = Mentions([], [])
"""The mentions of a text without any."""


class Admission(NamedTuple):
    """Facts that may be stored: checked by the room as it was at the offset `at`, and stamped."""

    facts: Sequence[Fact]
    room: Room
    at: Offset

    @property
    def changes_permissions(self) -> bool:
        """Tell whether the facts must be stored at `at` exactly."""
        return any(isinstance(fact, rules.PERMISSION_FACTS) for fact in self.facts)


class Stored(NamedTuple):
    """Facts that were stored. `facts`: those that count, with their offsets; `room`: the room with them. `refusal`: the
    reason why others, the `ignored`, do not count."""

    topic: str
    room: Room
    facts: Sequence[tuple[Offset, Fact]]
    refusal: TidingsError | None
    ignored: Sequence[tuple[Offset, Fact]] = ()


class Rooms:
    """The rooms of one hub."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.states: Projections[Room] = Projections(
            hub,
            Room,
            fold.apply,
            version=fold.VERSION,
            keep=KEPT,
            changed=self._changed,
            lasting=[fact.type for fact in (*rules.PERMISSION_FACTS, AnswerPosted)],
        )
        self.files: Files = Files(hub)
        self._mentions = MentionReader()
        self.memberships: dict[str, set[Membership]] = {}
        self.assistants: Sequence[str] = ()
        """The names by which messages ask assistants."""
        self.on_unerased: Callable[[str], None] | None = None
        """Called with the topic of a room whose log may hold texts that were edited or deleted."""

    # Reading.

    async def readable(self, subject: Subject, topic: str) -> Projection[Room]:
        """The room, if the subject may read it. Raises NotFound, Forbidden."""
        room_id(topic)
        found = await self.states.following(topic)
        # Another process may have acknowledged a removal of which this one has not heard yet.
        if found.state.private or (found.state.created and not rules.may_read(found.state, subject.name)):
            found = await self.states.get(topic)
        if not found.state.created:
            raise NotFound(f"There is no room {topic.removeprefix(PREFIX)}.", topic=topic)
        rules.check_may_read(found.state, subject.name)
        return found

    def watch(self, subject: Subject, topic: str) -> Watch:
        """Return the watch over a stream of the room, which ends it when its reader may not read the room any more.

        The state changes before any reader in this process is given the events that change it. So a reader who was
        removed gets nothing that was stored after the removal, whichever process stored it.
        """
        return Membership(self, topic, subject.name)

    def _changed(self, found: Projection[Room], events: Sequence[Event]) -> None:
        if not events or any(event.type in REMOVALS for event in events):
            for membership in list(self.memberships.get(found.topic, ())):
                membership.check()
        if found.state.unerased and self.on_unerased is not None:
            self.on_unerased(found.topic)

    # Publishing.

    async def admit(self, subject: Subject, topic: str, items: Items) -> Admission:
        """The facts as they may be stored. Raises InvalidRequest, TooLarge, NotFound, Forbidden, Conflict."""
        room_id(topic)
        by = person(subject)
        if len(items) > BATCH:
            raise TooLarge(f"A room takes at most {BATCH:,} events at once.", limit=BATCH)
        proven = subject.authenticated
        given = [facts.given(kind, data, by, proven=proven) async for kind, data in in_slices(items)]
        for fact in given:
            direct.check_id(room_id(topic), fact)
        texts = [fact.text for fact in given if isinstance(fact, MessagePosted | MessageEdited) and "@" in fact.text]
        # Permissions, and the members that a message names, are as of now. Other messages wait for no look at the log.
        fresh = bool(texts) or any(isinstance(fact, rules.PERMISSION_FACTS) for fact in given)
        found = await self.states.get(topic, fresh=fresh)
        try:
            admission = await self._admission(found, given, texts)
        except TidingsError:
            # Another process may have stored or edited the message that a fact is about. An edit redacts the old text.
            found = await self.states.get(topic)
            admission = await self._admission(found, given, texts)
        self.states.follow(found)
        return admission

    async def _admission(self, found: Projection[Room], given: Sequence[Fact], texts: Sequence[str]) -> Admission:
        """The facts as they may be stored. `texts`: those of them that may name people. Raises as `admit`."""
        at, checked = found.offset, await self._check(found.state, given)
        members = [*found.state.members]
        named = await self._mentions.read(given[0].by, texts, members, self.assistants)
        stamped = [await self._stamp(found, fact, named) async for fact in in_slices(checked)]
        return Admission(stamped, found.state, at)

    async def admit_typing(self, subject: Subject, topic: str, items: Items) -> Items:
        """The transient event of a person who writes. Raises InvalidRequest, NotFound, Forbidden, Conflict."""
        if any(kind != "typing" for kind, _ in items):
            raise InvalidRequest("In a room, only `typing` is transient.")
        await self.check_may_post(topic, by := person(subject))
        return [facts.typing(by)]

    async def check_may_post(self, topic: str, by: str) -> None:
        """Raise InvalidRequest, NotFound, Forbidden or Conflict unless the person may write in the room."""
        room_id(topic)
        found = await self.states.get(topic, fresh=False)
        try:
            rules.check_may_post(found.state, by)
        except TidingsError:
            found = await self.states.get(topic)
            if not found.state.created:
                raise NotFound(f"There is no room {topic.removeprefix(PREFIX)}.", topic=topic) from None
            rules.check_may_post(found.state, by)
        self.states.follow(found)

    async def check_may_upload(self, subject: Subject, topic: str) -> None:
        """Raise as `check_may_post`, and Forbidden for a subject without a name."""
        await self.check_may_post(topic, person(subject))

    async def stored(self, topic: str, given: Sequence[Fact | None], done: Appended, at: Offset = ORIGIN) -> Stored:
        """Tell which of the facts that were stored count. `at`: the offset at which they were checked. A fact is None
        if its event was redacted since then.

        Facts are checked by the room as this process knows it, and another's fact may come between: the author was
        removed, for example. Every fold then ignores the fact, and `refusal` says why. Raises Unavailable.
        """
        before = done.first._replace(n=done.first.n - 1)
        numbered = [(before._replace(n=n), fact) for n, fact in enumerate(given, done.first.n) if fact is not None]
        found = self.states.kept(topic)
        if (
            found is not None
            and found.offset == before == at
            and not Admission([fact for _, fact in numbered], found.state, at).changes_permissions
        ):
            # Nothing came between: the facts need not be read and checked again from their events.
            self.states.step(found, done.last, lambda room: _follow(room, numbered))
        else:
            found = await self.states.at(topic, done.last)
        numbers = set(range(done.first.n, done.last.n + 1)).intersection(found.state.ignored)
        counting = [(offset, fact) for offset, fact in numbered if offset.n not in numbers]
        ignored = [(offset, fact) for offset, fact in numbered if offset.n in numbers]
        refusal = _refusal(found.state, ignored[0][1]) if ignored else _changed_meanwhile() if numbers else None
        return Stored(topic, found.state, counting, refusal, ignored)

    async def keep_files(self, stored: Stored) -> None:
        """Keep the files of new messages. Idempotent."""
        for _, fact in stored.facts:
            if isinstance(fact, MessagePosted):
                for file in fact.attached:
                    await self.files.keep(stored.topic, file.id)

    async def _check(self, room: Room, given: Sequence[Fact]) -> list[Fact]:
        """The facts with their stamps of members, each checked by what those before it make of the room."""
        if len(given) > 1:
            room = room.trial()
        checked: list[Fact] = []
        deleted: set[str | None] = set()
        async for fact in in_slices(given):
            stamped = rules.stamped(room, fact)
            rules.check(room, stamped)
            if (at := rules.target_of(stamped)) in deleted:
                raise Conflict(rules.DELETED)
            checked.append(stamped)
            if isinstance(stamped, MessageDeleted):
                deleted.add(at)
            elif len(given) > 1 and isinstance(stamped, (*rules.PERMISSION_FACTS, ReactionAdded)):
                fold.follow(room, stamped, 0, 1.0)
        return checked

    async def _stamp(self, found: Projection[Room], fact: Fact, named: Mapping[str, Mentions]) -> Fact:
        fields: dict[str, Any] = {}
        if (at := rules.target_of(fact)) is not None:
            target = await self.target(found, Offset.parse(at))
            rules.check_target(found.state, fact, target)
            assert target is not None
            if isinstance(fact, MessageDeleted) and target.run:
                fields["run"] = target.run
            if isinstance(fact, MessagePosted):
                fields["quote"] = quote(target)
        if isinstance(fact, MessageEdited):
            message = await self.message(found, Offset.parse(fact.message))
            if message is None:
                raise _changed_meanwhile()
            edit = facts.edited(message, fact.message, fact.text, by=fact.by)
            called = named.get(fact.text, NOBODY)
            asks = [name for name in message.asks or () if name in called.assistants]
            everyone = rules.everyone(found.state, fact.by, called)
            return facts.changed(edit, mentions=called.members, everyone=everyone, asks=asks or UNSET)
        if isinstance(fact, MessagePosted):
            called = named.get(fact.text, NOBODY)
            fields |= {"mentions": called.members, "asks": called.assistants or UNSET}
            fields["everyone"] = rules.everyone(found.state, fact.by, called)
            if fact.files:
                fields["files"] = [await self.files.own(found.topic, fact.by, str(id)) for id in fact.files]
        return facts.changed(fact, **fields) if fields else fact

    async def message_or_answer(self, found: Projection[Room], at: Offset) -> MessagePosted | AnswerPosted | None:
        """The message or the answer at an offset as it reads now; None if there is none, or no more."""
        fact = await self._fact(found.topic, at)
        return fact if isinstance(fact, AnswerPosted) else await self.message(found, at)

    async def target(self, found: Projection[Room], at: Offset) -> rules.Target | None:
        """The message or the answer at an offset, as it was last edited."""
        message = await self.message_or_answer(found, at)
        if isinstance(message, AnswerPosted):
            return rules.Target(message.type, "", message.text, message.run)
        if message is None:
            return None
        return rules.Target(message.type, message.by, message.text if message.text.strip() else message.words.strip())

    async def message(self, found: Projection[Room], at: Offset) -> MessagePosted | None:
        """The message at an offset as it reads now; None if there is none, or no more."""
        last = found.state.edited.get(at.n)
        return await self.version(found.topic, at if last is None else Offset(found.offset.epoch, last))

    async def version(self, topic: str, at: Offset) -> MessagePosted | None:
        """The message as the event at an offset, its post or an edit, has left it; None if its text is gone."""
        fact = await self._fact(topic, at)
        if isinstance(fact, MessageEdited):
            return facts.restated(fact)
        return fact if isinstance(fact, MessagePosted) else None

    async def present(self, topic: str, offset: str, tail: Offset) -> str:
        """Translate an offset of an earlier life of a restored room into this life, if both lives have its event."""
        at = Offset.parse(offset)
        if at.epoch == tail.epoch:
            return offset
        head = await self.hub.log.describe(topic)
        n = head.locate(at) if head is not None else None
        return offset if head is None or n is None else str(Offset(head.epoch, n))

    async def _fact(self, topic: str, at: Offset) -> Fact | None:
        try:
            page = await self.hub.read(topic, at._replace(n=at.n - 1), 1) if at.n else None
        except NotFound:
            return None
        if page is None or page.lost is not None or not page.events:
            return None
        if page.events[0].offset != Offset.parse(await self.present(topic, str(at), page.tail)):
            return None
        if page.events[0].redacted:
            return None
        return facts.read(page.events[0].type, page.events[0].data)


class Membership(Watch):
    """Watches the right behind one stream of a room: in a private room, the reader's membership."""

    def __init__(self, rooms: Rooms, topic: str, name: str | None) -> None:
        self._rooms, self._topic, self._name = rooms, topic, name
        self._end: Callable[[], None] | None = None
        self._release: Callable[[], None] | None = None

    def start(self, end: Callable[[], None]) -> None:
        self._end = end
        if (found := self._rooms.states.kept(self._topic)) is not None:
            self._release = self._rooms.states.pin(found)
        self._rooms.memberships.setdefault(self._topic, set()).add(self)
        # The reader may have left since the read was allowed. The stream is not ready to be ended before the next turn.
        asyncio.get_running_loop().call_soon(self.check)

    def check(self) -> None:
        """End the stream if its reader may not read the room any more, or may not for all that is known."""
        if self._end is not None and not self._may_read():
            self._end()

    def _may_read(self) -> bool:
        found = self._rooms.states.kept(self._topic)
        if found is None or not rules.may_read(found.state, self._name):
            return False
        # The members of a private room may have changed since its state was level.
        return found.level or not found.state.private

    def stop(self) -> None:
        self._end = None
        if self._release is not None:
            self._release()
            self._release = None
        memberships = self._rooms.memberships.get(self._topic, set())
        memberships.discard(self)
        if not memberships:
            self._rooms.memberships.pop(self._topic, None)


def quote(target: rules.Target) -> Quote:
    """The quote of a message or an answer in a reply to it."""
    return Quote(target.by, target.text[:QUOTED])


REMOVALS = frozenset(fact.type for fact in rules.REMOVALS)


def _follow(room: Room, numbered: Sequence[tuple[Offset, Fact]]) -> None:
    for offset, fact in numbered:
        fold.follow(room, fact, offset.n, 0.0)


def _refusal(room: Room, fact: Fact) -> TidingsError:
    """The reason why a fact that was stored does not count."""
    try:
        rules.check(room, fact)
    except TidingsError as error:
        return error
    return _changed_meanwhile()


def _changed_meanwhile() -> Conflict:
    return Conflict("The room changed while this was on its way, and it was not taken. Try again.")


def room_id(topic: str) -> str:
    """The id of the room with this topic. Raises InvalidRequest."""
    id = topic.removeprefix(PREFIX)
    if not topic.startswith(PREFIX) or "." in id or len(id) > MAX_ID or id == "search":
        raise InvalidRequest(
            f"A room's topic is `rooms.ID`. The ID has 1 to {MAX_ID} letters, digits, '_' and '-', but not `search`.",
            topic=topic,
        )
    return id


def person(subject: Subject) -> str:
    """The name of the subject. Raises Forbidden if it has none."""
    if subject.name is None:
        raise Forbidden('Choose a name first: `POST /session` with {"name": …}.')
    return subject.name
