"""PURE: what a person has been told, and what they have read, by the events of `users.SLUG`.

`web/ui/notifications/fold.js` is the same fold in the page; both are tried by the same histories
(tests/apps/notifications/histories.json).
"""

from __future__ import annotations

import msgspec

from tidings.errors import InvalidRequest
from tidings.events import Event

from .facts import (
    Created,
    DoNotDisturb,
    Muted,
    Read,
    RoomRead,
    RoomUnread,
    Unmuted,
    Unwatched,
    Watched,
    Withdrawn,
    understood,
)

MOST = 100
"""Notifications that are kept at hand; of older ones only how many are unread is known."""
ROOMS = 10_000
"""Read markers that are kept, of the rooms that were read last."""
TOPICS = 1_000
"""Topics that a person has muted, or watches, at most."""


class Notification(msgspec.Struct, frozen=True):
    """A notification. The offset is its identity; `time` is in Unix seconds."""

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


VERSION = 3
"""The version of the fold. Snapshots of other versions are not read."""


class Inbox(msgspec.Struct):
    """`items`, newest first; `older`: how many are unread of those before them. `muted` and `watched`: topics, in
    order. `dnd`: until when nothing disturbs, in Unix seconds. `rooms`: up to where each room is read, the last one
    last."""

    items: list[Notification] = msgspec.field(default_factory=list)
    older: int = 0
    muted: list[str] = msgspec.field(default_factory=list)
    watched: list[str] = msgspec.field(default_factory=list)
    dnd: float | None = None
    rooms: dict[str, str] = msgspec.field(default_factory=dict)

    @property
    def unread(self) -> int:
        """The number of unread notifications."""
        return _fresh(self.items) + self.older


def apply(inbox: Inbox, event: Event) -> None:
    """Change the inbox by the next event of its topic, or by the announcement of a redaction. An event that is no fact
    changes nothing."""
    if event.redacted:
        redacted = event.json()["offset"]
        inbox.items = [item for item in inbox.items if item.offset != redacted]
        return
    assert event.offset is not None
    try:
        fact = understood(event.type, event.data)
    except InvalidRequest:
        return
    match fact:
        case Created():
            _add(inbox, fact, str(event.offset), event.time)
        case Read(offsets=None):
            _read_up_to(inbox, fact.upto or "")
        case Read():
            _read_some(inbox, set(fact.offsets or ()))
        case Withdrawn():
            inbox.items = [item for item in inbox.items if item.offset not in set(fact.offsets)]
        case RoomUnread():
            _unread_room(inbox, fact)
        case RoomRead():
            _read_room(inbox, fact)
        case Muted():
            _choose_level(inbox, fact)
        case DoNotDisturb():
            inbox.dnd = fact.until


def _add(inbox: Inbox, fact: Created, offset: str, time: float) -> None:
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
    if _seen(new, inbox.rooms) or (fact.kind != "mention" and fact.topic in inbox.muted):
        new = _as_read(new)
    items = [new, *inbox.items]
    inbox.items = items[:MOST]
    inbox.older += _fresh(items[MOST:])


def _read_some(inbox: Inbox, offsets: set[str]) -> None:
    beyond = len(offsets - {item.offset for item in inbox.items})
    inbox.items = [_as_read(item) if item.offset in offsets else item for item in inbox.items]
    inbox.older = max(0, inbox.older - beyond)


def _read_up_to(inbox: Inbox, upto: str) -> None:
    past = [is_read(upto, item.offset) for item in inbox.items]
    inbox.items = [_as_read(item) if old else item for item, old in zip(inbox.items, past, strict=True)]
    if any(past):
        inbox.older = 0


def _read_room(inbox: Inbox, fact: RoomRead) -> None:
    """A marker only moves on, however late an older one comes. What was told of the room up to there is read, too."""
    before = inbox.rooms.pop(fact.room, None)
    inbox.rooms[fact.room] = later(before, fact.offset)
    if len(inbox.rooms) > ROOMS:
        del inbox.rooms[next(iter(inbox.rooms))]
    inbox.items = [_as_read(item) if _seen(item, inbox.rooms) else item for item in inbox.items]


def _choose_level(inbox: Inbox, fact: Muted) -> None:
    """Mute or watch a topic, or end that. A topic that is muted is not watched, and the other way round."""
    if not isinstance(fact, Unwatched):
        inbox.muted = [topic for topic in inbox.muted if topic != fact.topic]
    if not isinstance(fact, Unmuted):
        inbox.watched = [topic for topic in inbox.watched if topic != fact.topic]
    if isinstance(fact, Watched):
        inbox.watched = sorted([*inbox.watched, fact.topic])[:TOPICS]
    elif not isinstance(fact, Unmuted | Unwatched):
        inbox.muted = sorted([*inbox.muted, fact.topic])[:TOPICS]


def _unread_room(inbox: Inbox, fact: RoomUnread) -> None:
    """Move the marker of a room back to just before the offset. Notifications that were read stay so."""
    epoch, _, n = fact.offset.rpartition("-")
    before = inbox.rooms.get(fact.room)
    if n.isdecimal() and (before is None or is_read(before, fact.offset)):
        inbox.rooms[fact.room] = f"{epoch}-{max(0, int(n) - 1)}"


def _seen(item: Notification, rooms: dict[str, str]) -> bool:
    """Return whether the event that the notification is about was read in its room."""
    at = marker(item, rooms)
    return at is not None and item.event is not None and is_read(at, item.event)


def marker(item: Notification, rooms: dict[str, str]) -> str | None:
    """Return up to where the room of a notification is read; None if it is unread, or there is no room."""
    room = (item.topic or "").removeprefix("rooms.")
    return rooms.get(room) if item.topic == f"rooms.{room}" else None


def _as_read(item: Notification) -> Notification:
    return item if item.read else msgspec.structs.replace(item, read=True)


def _fresh(items: list[Notification]) -> int:
    return sum(not item.read for item in items)


def is_read(position: str, offset: str) -> bool:
    """Return whether reading up to `position` includes `offset`. Events of another life of the log are unread."""
    life, _, read = position.rpartition("-")
    epoch, _, n = offset.rpartition("-")
    return epoch == life and read.isdecimal() and n.isdecimal() and int(n) <= int(read)


def later(a: str | None, b: str) -> str:
    """The later of two positions; one of another life is the later one."""
    return a if a is not None and is_read(a, b) else b
