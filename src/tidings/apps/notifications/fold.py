"""What a person has been told, and what they have read: the fold of `users.SLUG`. Pure.

`web/ui/folds/notifications.js` is the same fold in the page; both are tried by the same histories
(tests/apps/notifications/histories.json).
"""

from __future__ import annotations

import msgspec

from tidings.errors import Invalid
from tidings.events import Event

from .facts import Created, DoNotDisturb, Fact, Muted, Read, RoomRead, Unmuted, understood

MOST = 100
"""Notifications that are kept at hand; of older ones only how many are unread is known."""
ROOMS = 10_000
"""Read markers that are kept, of the rooms that were read last."""
TOPICS = 1_000
"""Topics that one can have muted."""


class Notification(msgspec.Struct, frozen=True, omit_defaults=True):
    """One of them; the offset is its identity, `time` in Unix seconds."""

    offset: str
    time: float
    kind: str
    title: str
    text: str
    link: str | None
    topic: str | None
    event: str | None
    by: str | None
    read: bool = False


class Inbox(msgspec.Struct, frozen=True):
    """`items`, newest first; `older`: how many are unread of those before them. `dnd`: until when nothing disturbs, in
    Unix seconds. `rooms`: up to where each room is read."""

    items: tuple[Notification, ...] = ()
    older: int = 0
    muted: tuple[str, ...] = ()
    dnd: float | None = None
    rooms: dict[str, str] = {}

    @property
    def unread(self) -> int:
        """How many were not read."""
        return _fresh(self.items) + self.older


def fold(inbox: Inbox, event: Event) -> Inbox:
    """What there is after this event, too. What is no fact of these changes nothing."""
    if event.offset is None:
        return inbox
    try:
        fact = understood(event.type, event.data)
    except Invalid:
        return inbox
    return _after(inbox, fact, str(event.offset), event.time)


def _after(inbox: Inbox, fact: Fact, offset: str, time: float) -> Inbox:
    replace = msgspec.structs.replace
    match fact:
        case Created():
            return _add(inbox, fact, offset, time)
        case Read(offsets=None):
            return _read_up_to(inbox, fact.upto or "")
        case Read():
            return _read_some(inbox, set(fact.offsets or ()))
        case RoomRead():
            return _read_room(inbox, fact)
        case Unmuted():
            return replace(inbox, muted=tuple(topic for topic in inbox.muted if topic != fact.topic))
        case Muted():
            return replace(inbox, muted=tuple(sorted({*inbox.muted, fact.topic})[:TOPICS]))
        case DoNotDisturb():
            return replace(inbox, dnd=fact.until)
    return inbox


def _add(inbox: Inbox, fact: Created, offset: str, time: float) -> Inbox:
    if any(item.offset == offset for item in inbox.items):
        return inbox
    muted = fact.kind != "mention" and fact.topic in inbox.muted
    new = Notification(
        offset=offset,
        time=time,
        kind=fact.kind,
        title=fact.title,
        text=fact.text or "",
        link=fact.link,
        topic=fact.topic,
        event=fact.event,
        by=fact.by,
    )
    if muted or _seen(new, inbox.rooms):
        new = msgspec.structs.replace(new, read=True)
    items = (new, *inbox.items)
    return msgspec.structs.replace(inbox, items=items[:MOST], older=inbox.older + _fresh(items[MOST:]))


def _read_some(inbox: Inbox, offsets: set[str]) -> Inbox:
    items = tuple(_as_read(item) if item.offset in offsets else item for item in inbox.items)
    beyond = len(offsets - {item.offset for item in items})
    return msgspec.structs.replace(inbox, items=items, older=max(0, inbox.older - beyond))


def _read_up_to(inbox: Inbox, upto: str) -> Inbox:
    past = [is_read(upto, item.offset) for item in inbox.items]
    items = tuple(_as_read(item) if old else item for item, old in zip(inbox.items, past, strict=True))
    return msgspec.structs.replace(inbox, items=items, older=0 if any(past) else inbox.older)


def _read_room(inbox: Inbox, fact: RoomRead) -> Inbox:
    """A marker only moves on, however late an older one comes. What was told of the room up to there is read, too."""
    marker = later(inbox.rooms.get(fact.room), fact.offset)
    others = {room: offset for room, offset in inbox.rooms.items() if room != fact.room}
    rooms = {**dict(list(others.items())[-(ROOMS - 1) :]), fact.room: marker}
    items = tuple(_as_read(item) if _seen(item, rooms) else item for item in inbox.items)
    return msgspec.structs.replace(inbox, items=items, rooms=rooms)


def _seen(item: Notification, rooms: dict[str, str]) -> bool:
    """Whether it tells of what was read in its room."""
    room = (item.topic or "").removeprefix("rooms.")
    marker = rooms.get(room) if item.topic == f"rooms.{room}" else None
    return marker is not None and item.event is not None and is_read(marker, item.event)


def _as_read(item: Notification) -> Notification:
    return item if item.read else msgspec.structs.replace(item, read=True)


def _fresh(items: tuple[Notification, ...]) -> int:
    return sum(not item.read for item in items)


def is_read(position: str, offset: str) -> bool:
    """Whether whoever has read up to `position` has read `offset`. Another life of the log was not read."""
    life, _, read = position.rpartition("-")
    epoch, _, n = offset.rpartition("-")
    return epoch == life and read.isdecimal() and n.isdecimal() and int(n) <= int(read)


def later(a: str | None, b: str) -> str:
    """The later of two positions; one of another life is the later one."""
    return a if a is not None and is_read(a, b) else b
