"""The guard of a person's topic `users.SLUG` and of the list of their conversations below it."""

from __future__ import annotations

import msgspec

from tidings.access.guards import Admitted, Guard, Items
from tidings.access.names import slug
from tidings.access.subject import Subject
from tidings.errors import Forbidden, InvalidRequest

from .facts import Created, Fact, Watched, Withdrawn, parse, to_item
from .service import watched_label

CONVERSATIONS = "conversations"
"""The last segment of the topic with the list of a person's conversations."""


class PeopleGuard(Guard):
    """`users.SLUG` and `users.SLUG.conversations` are read by that person only. Whoever may publish to `users.SLUG` may
    notify; all else is said by the person. What else programs keep below `users.` is the token's matter alone."""

    async def read(self, subject: Subject, topic: str) -> None:
        if _is_inbox(topic):
            _person(subject)
        if _is_guarded(topic) and subject.name is not None and not _owns(subject, topic):
            raise Forbidden(f"{topic} belongs to someone else.", topic=topic)

    async def admit(self, subject: Subject, topic: str, items: Items, *, transient: bool) -> Admitted:
        if not _is_inbox(topic):
            await self.read(subject, topic)
            return Admitted(items)
        if transient:
            raise InvalidRequest("What a person is told is stored: publish it without `transient`.")
        facts = [_stamped(subject, topic, parse(type, data)) for type, data in items]
        labels = {watched_label(fact.topic): True for fact in facts if isinstance(fact, Watched)}
        return Admitted([to_item(fact) for fact in facts], labels=labels)

    async def manage(self, subject: Subject, topic: str) -> None:
        if _is_inbox(topic):
            raise Forbidden("A person's topic is kept by the server.", topic=topic)
        await self.read(subject, topic)

    async def announce(self, subject: Subject, topic: str) -> None:
        if _is_inbox(topic):
            raise Forbidden("A run is announced in a room or in a conversation, not in a person's topic.", topic=topic)
        await self.read(subject, topic)


def _stamped(subject: Subject, topic: str, fact: Fact) -> Fact:
    if isinstance(fact, Withdrawn):
        raise Forbidden(f"Only the server publishes {fact.type}.")
    if not isinstance(fact, Created):
        _person(subject)
        if not _owns(subject, topic):
            raise Forbidden("Only the person themself can publish that.", topic=topic)
        return fact
    if subject.name is None:
        return fact
    if fact.by not in (None, subject.name):
        raise Forbidden("`by` is whoever publishes it: leave it out, and it is you.")
    return msgspec.structs.replace(fact, by=subject.name)


def _person(subject: Subject) -> None:
    if subject.name is None:
        raise Forbidden("Choose a name to use a person's topic.")


def _owns(subject: Subject, topic: str) -> bool:
    return subject.name is not None and topic.split(".")[1] == slug(subject.name)


def _is_inbox(topic: str) -> bool:
    return topic.count(".") == 1


def _is_guarded(topic: str) -> bool:
    parts = topic.split(".")
    return len(parts) == 2 or (len(parts) == 3 and parts[2] == CONVERSATIONS)
