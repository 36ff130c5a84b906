"""PURE: the facts of a person's topic `users.SLUG`: what each of them holds, as JSON, and what is refused."""

from __future__ import annotations

import re
from typing import ClassVar
from urllib.parse import urlsplit

import msgspec

from tidings.access.names import valid_name
from tidings.errors import InvalidRequest, TooLarge
from tidings.events import Offset, check_nesting, shown
from tidings.log.names import valid_topic

CREATED = "notification.created"
TITLE, TEXT, LINK, KIND = 200, 2000, 2000, 40
"""Characters of a notification's title, text, link and kind."""
MANY = 1000
"""Offsets that one `notification.read` may name."""

_KIND = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
_ROOM = re.compile(r"[A-Za-z0-9_-]{1,64}")
_UNSEEN = re.compile(r"[\x00-\x20\x7f-\xa0\\\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Fact(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A fact of a person's topic. `check` raises InvalidRequest for what its shape alone does not forbid."""

    type: ClassVar[str]

    def check(self) -> None:
        """Raises InvalidRequest or TooLarge."""


class Created(Fact, frozen=True, kw_only=True):
    """Something to be told. `kind` is a word: mention, everyone, reply, message, answer, invite, or the sender's own.
    `link` leads to a page of ours (`/r/lobby`) or of another site (`https://…`). `topic`: what it is about, which can
    be muted; `event`: the offset there of what it tells of. `by`: the name of who published it."""

    type: ClassVar[str] = CREATED
    title: str
    kind: str = "notice"
    text: str | None = None
    link: str | None = None
    topic: str | None = None
    event: str | None = None
    by: str | None = None

    def check(self) -> None:
        _plain("title", self.title, TITLE)
        if not self.title.strip():
            raise InvalidRequest("A notification needs a title.")
        _plain("text", self.text or "", TEXT)
        if not _KIND.fullmatch(self.kind) or len(self.kind) > KIND:
            raise InvalidRequest(
                f"A kind is a word of at most {KIND} letters, such as mention: {shown(self.kind)} is none."
            )
        if self.link is not None:
            check_link(self.link)
        if self.topic is not None:
            valid_topic(self.topic)
        if self.event is not None:
            Offset.parse(self.event)
            if self.topic is None:
                raise InvalidRequest("`event` is an offset in `topic`, which is missing.")
        if self.by is not None:
            valid_name(self.by)


class Read(Fact, frozen=True):
    """Some notifications are read, by their offsets, or all of them up to one."""

    type: ClassVar[str] = "notification.read"
    offsets: list[str] | None = None
    upto: str | None = None

    def check(self) -> None:
        if (self.offsets is None) == (self.upto is None):
            raise InvalidRequest("Give either `offsets` or `upto`.")
        if len(self.offsets or ()) > MANY:
            raise TooLarge(f"At most {MANY} offsets at once. `upto` takes all before one.")
        for offset in self.offsets or [self.upto or ""]:
            Offset.parse(offset)


class Withdrawn(Fact, frozen=True):
    """Notifications of a message that was deleted or edited, by their offsets. Only the server publishes it, and it
    redacts them."""

    type: ClassVar[str] = "notification.withdrawn"
    offsets: list[str]

    def check(self) -> None:
        if not 0 < len(self.offsets) <= MANY:
            raise InvalidRequest(f"A withdrawal names 1 to {MANY} offsets.")
        for offset in self.offsets:
            Offset.parse(offset)


class RoomRead(Fact, frozen=True):
    """The room is read up to an offset of it."""

    type: ClassVar[str] = "room.read"
    room: str
    offset: str

    def check(self) -> None:
        if not _ROOM.fullmatch(self.room):
            raise InvalidRequest(f"There is no room {shown(self.room)}.")
        Offset.parse(self.offset)


class RoomUnread(RoomRead, frozen=True):
    """The room is unread from an offset of it on: the one act that moves a read marker back."""

    type: ClassVar[str] = "room.unread"


class Muted(Fact, frozen=True):
    """Mute a topic: only its mentions notify from now on. A topic that is muted is not watched."""

    type: ClassVar[str] = "topic.muted"
    topic: str

    def check(self) -> None:
        valid_topic(self.topic)


class Unmuted(Muted, frozen=True):
    """Unmute a topic: every event of it that can notify does so again."""

    type: ClassVar[str] = "topic.unmuted"


class Watched(Muted, frozen=True):
    """Watch a topic: every message of a room notifies from now on. A topic that is watched is not muted."""

    type: ClassVar[str] = "topic.watched"


class Unwatched(Muted, frozen=True):
    """Watch a topic no more."""

    type: ClassVar[str] = "topic.unwatched"


class DoNotDisturb(Fact, frozen=True):
    """Hold notifications back from the screen until a time, in Unix seconds; null ends that."""

    type: ClassVar[str] = "dnd.set"
    until: float | None

    def check(self) -> None:
        if self.until is not None and not 0 <= self.until < 1e12:
            raise InvalidRequest("`until` is a time in Unix seconds, or null.")


FACTS: dict[str, type[Fact]] = {
    fact.type: fact
    for fact in (Created, Read, Withdrawn, RoomRead, RoomUnread, Muted, Unmuted, Watched, Unwatched, DoNotDisturb)
}
_DECODERS = {type: msgspec.json.Decoder(fact) for type, fact in FACTS.items()}
_encode = msgspec.json.Encoder().encode


def parse(type: str, data: str) -> Fact:
    """The fact that an event of this type and data says. Raises InvalidRequest, or TooLarge, for what says none."""
    fact = understood(type, data)
    fact.check()
    return fact


def understood(type: str, data: str) -> Fact:
    """The fact, by its shape alone, as readers of the log take it. Raises InvalidRequest."""
    decoder = _DECODERS.get(type)
    if decoder is None:
        raise InvalidRequest(f"A person's topic has no events of the type {shown(type)}, but {', '.join(FACTS)}.")
    try:
        check_nesting(data)
        return decoder.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        said = "it is nested too deeply" if isinstance(error, RecursionError) else shown(str(error)).rstrip(".")
        raise InvalidRequest(f"This is no {type}: {said}.") from None


def to_item(fact: Fact) -> tuple[str, str]:
    """The type and the data of the event that says it."""
    return fact.type, _encode(fact).decode()


def check_link(link: str) -> None:
    """Raises InvalidRequest for a link that is neither a path of ours nor an https URL: a browser could run or hide
    others."""
    kind = "A link is a path such as /r/lobby, or an https URL"
    if not 0 < len(link) <= LINK:
        raise InvalidRequest(f"{kind}, of at most {LINK} characters.")
    if _UNSEEN.search(link):
        raise InvalidRequest(f"{kind}, without spaces, backslashes or invisible characters.")
    if link.startswith("/") and not link.startswith("//"):
        return
    try:
        url = urlsplit(link)
        plain = url.scheme == "https" and bool(url.hostname) and url.username is None
    except ValueError:
        plain = False
    if not plain:
        raise InvalidRequest(f"{kind}: {shown(link)} is neither.")


def _plain(what: str, text: str, most: int) -> None:
    if len(text) > most:
        raise TooLarge(f"A {what} has at most {most:,} characters; this has {len(text):,}.")
    if _CONTROL.search(text):
        raise InvalidRequest(f"A {what} holds no control characters.")
