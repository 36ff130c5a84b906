"""The texts of a room, as its events say them."""

from __future__ import annotations

from collections.abc import Iterator

from tidings.apps.rooms.service import AnswerPosted, MessageDeleted, MessageEdited, MessagePosted, facts
from tidings.errors import InvalidRequest
from tidings.events import Event

from .texts import Change, Edited, Said, Taken

_KINDS = (MessagePosted.type, AnswerPosted.type, MessageEdited.type, MessageDeleted.type)


def changes_of(event: Event) -> Iterator[Change]:
    """Iterate over what an event of a room says, and what it edits or deletes."""
    assert event.offset is not None
    n, time = event.offset.n, event.time
    if event.redacted and event.json()["type"] == MessagePosted.type:
        yield Said(n, "", "", time)  # the place of the edit that says all of it
    if event.redacted or event.type not in _KINDS:
        return
    try:
        fact = facts.read(event.type, event.data)
    except InvalidRequest:
        return
    match fact:
        case MessagePosted():
            yield Said(n, fact.text, fact.by, time, files=fact.attached)
        case AnswerPosted():
            yield Said(n, fact.text, "", time, fact.assistant)
        case MessageEdited():
            message = facts.restated(fact)
            at = _number(fact.message)
            yield Edited(at, Said(at, message.text, fact.author, time, files=message.attached))
        case MessageDeleted():
            yield Taken(_number(fact.message))


def _number(offset: str) -> int:
    return int(offset.rpartition("-")[2])
