"""The rooms of a hub: their state, what may be published to them, and who reads them now."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from tidings.access.guards import Admitted, Items, Watch
from tidings.access.subject import Subject
from tidings.apps.projection import Projection, Projections
from tidings.delivery.hub import Hub
from tidings.errors import Conflict, Forbidden, InvalidRequest, NotFound, TidingsError
from tidings.events import Event, Offset
from tidings.log.names import parse_offset
from tidings.log.rules import NEW, Appended

from . import facts, fold, rules
from .facts import AnswerPosted, Fact, File, MessageDeleted, MessageEdited, MessagePosted, Quote
from .files import Files
from .mentions import mentioned
from .room import Room

PREFIX = "rooms."
MAX_ID = 64
KEPT = 5_000
"""Rooms that a process knows at once, 11 to 26 KB each. With 2,000, of which it knew 1,024, a list took 1.5 s: it asked
the store for each of them, every time. Now it takes 45 ms."""

QUOTED = 200
"""Characters of a message that a reply to it quotes."""

Published = Callable[[str, Room, Sequence[tuple[Offset, Fact]]], Awaitable[None]]
"""Told of a room's new facts, with their offsets: the topic, and the room as it is now."""


class Rooms:
    """`published` are called, in order, after facts were committed and before their publisher is answered. They may be
    called again with the same facts, and do nothing twice. `judges` are called before the commit, and may refuse."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.folded = Projections(hub, Room, fold.apply, version=fold.VERSION, keep=KEPT)
        self.folded.changed.append(self._changed)
        self.files = Files(hub)
        self.published: list[Published] = [self._keep_files]
        self.judges: list[Callable[[Room, Sequence[Fact]], None]] = []
        self.watched: dict[str, set[Membership]] = {}

    # Reading.

    async def readable(self, subject: Subject, topic: str) -> Projection[Room]:
        """The room, which the subject may read. Raises NotFound, Forbidden."""
        room_id(topic)
        found = await self.folded.get(topic, fresh=False)
        if not rules.may_read(found.state, subject.name):
            found = await self.folded.get(topic)
        if not found.state.created:
            raise NotFound(f"There is no room {topic.removeprefix(PREFIX)}.", topic=topic)
        if not rules.may_read(found.state, subject.name):
            raise Forbidden("This room is private: one of its owners may add you.", topic=topic)
        return found

    async def readable_by(self, subject: Subject) -> list[tuple[str, Room, Offset]]:
        """All rooms that the subject may read: their ids, what they are and their tails, in the order of the ids."""
        found: list[tuple[str, Room, Offset]] = []
        after = ""
        while heads := await self.hub.heads(PREFIX, after):
            for topic, head in heads:
                if subject.may_subscribe(topic):
                    folding = await self.folded.at(topic, Offset(head.epoch, head.tail))
                    if rules.may_read(folding.state, subject.name):
                        found.append((topic.removeprefix(PREFIX), folding.state, folding.offset))
            after = heads[-1][0]
        return found

    def watch(self, subject: Subject, topic: str) -> Watch | None:
        """Return what ends a stream of a private room when its reader leaves; None for a room that all may read."""
        found = self.folded.kept(topic)
        return None if found is None or not found.state.private else Membership(self, found, subject.name)

    def _changed(self, found: Projection[Room], events: Sequence[Event]) -> None:
        if not events or any(event.type == facts.MemberLeft.type for event in events):
            for membership in list(self.watched.get(found.topic, ())):
                membership.check()

    # Publishing.

    async def admit(self, subject: Subject, topic: str, items: Items) -> Admitted:
        """The facts as they may be stored. Raises InvalidRequest, TooLarge, NotFound, Forbidden, Conflict."""
        room_id(topic)
        by = person(subject)
        given = [self._given(kind, data, by) for kind, data in items]
        ruling = any(isinstance(fact, rules.RULING) for fact in given)
        # Whom a message names, and how many answers are under way, is as of now; other messages wait for no look.
        naming = any(isinstance(fact, MessagePosted) and "@" in fact.text for fact in given)
        found = await self.folded.get(topic, fresh=ruling or naming)
        try:
            self._judge(found.state, given)
        except TidingsError:
            found = await self.folded.get(topic)
            self._judge(found.state, given)
        self.judged(found.state, given)
        self.folded.follow(found)
        stamped = [await self._stamped(found, fact) for fact in given]
        if not ruling:
            return Admitted(stamped)
        return Admitted(stamped, found.offset if found.state.created else NEW)

    def judged(self, room: Room, given: Sequence[Fact]) -> None:
        """What the room's rules allow may still be too much for others. Raises TooManyRequests."""
        for judge in self.judges:
            judge(room, given)

    async def admit_typing(self, subject: Subject, topic: str, items: Items) -> Admitted:
        """Transient: that somebody who may write does. Raises InvalidRequest, NotFound, Forbidden, Conflict."""
        room_id(topic)
        by = person(subject)
        if any(kind != "typing" for kind, _ in items):
            raise InvalidRequest("In a room, only `typing` is transient.")
        await self.check_may_post(topic, by)
        return Admitted([facts.typing(by)])

    async def check_may_post(self, topic: str, by: str) -> None:
        """Raises InvalidRequest, NotFound, Forbidden, Conflict."""
        room_id(topic)
        found = await self.folded.get(topic, fresh=False)
        try:
            rules.check_may_post(found.state, by)
        except TidingsError:
            found = await self.folded.get(topic)
            if not found.state.created:
                raise NotFound(f"There is no room {topic.removeprefix(PREFIX)}.", topic=topic) from None
            rules.check_may_post(found.state, by)
        self.folded.follow(found)

    async def tell(self, topic: str, items: Items, done: Appended) -> None:
        """Call `published` with those of the facts stored that count. Raises what the others are refused with.

        Facts are admitted by the room as this process knows it, and another's fact may come between: its author was
        removed, say. Then every fold ignores it, and whoever published it is told so.
        """
        before = done.first._replace(n=done.first.n - 1)
        said = [(before._replace(n=n), facts.read(*item)) for n, item in enumerate(items, done.first.n)]
        # What others are judged by counts once it is acknowledged, though what follows the topic may hear it later.
        judging = any(isinstance(fact, (*rules.RULING, MessageEdited, MessageDeleted)) for _, fact in said)
        found = self.folded.kept(topic)
        if judging or found is None or found.offset != before or not self._follows(found.state, said):
            found = await self.folded.at(topic, done.last)
        ignored = [fact for at, fact in said if at.n in found.state.ignored]
        counting = [(at, fact) for at, fact in said if at.n not in found.state.ignored]
        for hear in self.published:
            await hear(topic, found.state, counting)
        if ignored:
            rules.judge(found.state, ignored[0])
            raise Conflict("The room changed while this was on its way, and it was not taken. Try again.")

    def _given(self, kind: str, data: str, by: str) -> Fact:
        fact = facts.read(kind, data)
        if isinstance(fact, facts.SERVERS):
            raise Forbidden(f"Only the server says {kind}.")
        if fact.by or (isinstance(fact, MessagePosted) and (fact.mentions or fact.quote or fact.attached)):
            raise InvalidRequest(
                "Who publishes, whom a message names, what it quotes and what its files are is stamped by the server: "
                "leave it out, and give the ids of files."
            )
        return facts.changed(fact, by=by)

    def _judge(self, room: Room, given: Sequence[Fact]) -> None:
        """Each by what those before it have made of the room."""
        if len(given) > 1:
            room = room.copy()
        for i, fact in enumerate(given):
            rules.judge(room, fact)
            if i + 1 < len(given):
                fold.follow(room, fact, 0, 1.0)

    def _follows(self, room: Room, said: Sequence[tuple[Offset, Fact]]) -> bool:
        try:
            self._judge(room, [fact for _, fact in said])
        except TidingsError:
            return False
        return True

    async def _stamped(self, found: Projection[Room], fact: Fact) -> tuple[str, str]:
        fields: dict[str, Any] = {}
        if (at := rules.target_of(fact)) is not None:
            target = await self._target(found, parse_offset(at))
            rules.judge_target(found.state, fact, target)
            assert target is not None
            if isinstance(fact, MessagePosted):
                fields["quote"] = Quote(target.by, target.text[:QUOTED])
        if isinstance(fact, MessagePosted):
            fields["mentions"] = mentioned(fact.text, found.state.members)
            if fact.files:
                fields["files"] = [await self._attached(room_id(found.topic), fact.by, id) for id in fact.files]
        return facts.written(facts.changed(fact, **fields))

    async def _attached(self, room: str, by: str, id: str | File) -> File:
        assert isinstance(id, str)
        whole = await self.files.whole(room, id)
        if whole.by != by:
            raise NotFound("There is no such file of yours in this room.")
        return whole.file

    async def _keep_files(self, topic: str, _: Room, said: Sequence[tuple[Offset, Fact]]) -> None:
        """A file is as long there as the message that names it."""
        room = room_id(topic)
        for _at, fact in said:
            if isinstance(fact, MessagePosted):
                for file in fact.attached:
                    await self.files.keep(room, file.id)
            elif isinstance(fact, MessageDeleted):
                gone = await self._fact(topic, parse_offset(fact.message))
                for file in gone.attached if isinstance(gone, MessagePosted) else ():
                    await self.files.delete(room, file.id)

    async def _target(self, found: Projection[Room], at: Offset) -> rules.Target | None:
        """The message, or the answer, at an offset, as it was last edited."""
        fact = await self._fact(found.topic, at)
        if isinstance(fact, AnswerPosted):
            return rules.Target(fact.type, "", fact.text)
        if not isinstance(fact, MessagePosted):
            return None
        edit = found.state.edited.get(at.n)
        last = await self._fact(found.topic, at._replace(n=edit)) if edit else None
        text = last.text if isinstance(last, MessageEdited) else fact.text
        return rules.Target(fact.type, fact.by, text if text.strip() else fact.words.strip())

    async def _fact(self, topic: str, at: Offset) -> Fact | None:
        try:
            page = await self.hub.read(topic, at._replace(n=at.n - 1), 1) if at.n else None
        except NotFound:
            return None
        if page is None or page.lost is not None or not page.events or page.events[0].offset != at:
            return None
        return facts.read(page.events[0].type, page.events[0].data)


class Membership(Watch):
    """Watches the membership behind a stream of a private room: the stream ends when its reader leaves the room."""

    def __init__(self, rooms: Rooms, found: Projection[Room], name: str | None) -> None:
        self._rooms, self._found, self._name = rooms, found, name
        self._end: Callable[[], None] | None = None
        self._release: Callable[[], None] | None = None

    def start(self, end: Callable[[], None]) -> None:
        self._end = end
        self._release = self._rooms.folded.pin(self._found)
        self._rooms.watched.setdefault(self._found.topic, set()).add(self)
        # The reader may have left since the read was allowed. The stream is not ready to be ended before the next turn.
        self._rooms.hub.loop.call_soon(self.check)

    def check(self) -> None:
        """End the stream if its reader may not read the room any more."""
        if self._end is not None and not rules.may_read(self._found.state, self._name):
            self._end()

    def stop(self) -> None:
        self._end = None
        if self._release is not None:
            self._release()
            self._release = None
        watched = self._rooms.watched.get(self._found.topic, set())
        watched.discard(self)
        if not watched:
            self._rooms.watched.pop(self._found.topic, None)


def room_id(topic: str) -> str:
    """The id of the room whose topic this is. Raises InvalidRequest."""
    id = topic.removeprefix(PREFIX)
    if not topic.startswith(PREFIX) or "." in id or len(id) > MAX_ID or id == "search":
        raise InvalidRequest(
            f"A room is `rooms.ID`, where ID is 1 to {MAX_ID} letters, digits, '_' and '-', but not `search`.",
            topic=topic,
        )
    return id


def person(subject: Subject) -> str:
    """The name of who asks. Raises Forbidden if they have none."""
    if subject.name is None:
        raise Forbidden('Choose a name first: `POST /session` with {"name": …}.')
    return subject.name
