"""The texts of a room, read from its events."""

from __future__ import annotations

from collections.abc import Iterator

from tidings.apps.rooms.service import AnswerPosted, MessageDeleted, MessageEdited, MessagePosted, facts
from tidings.errors import InvalidRequest
from tidings.events import Event

from .texts import Change, Edited, Said, Taken

_KINDS = (MessagePosted.type, AnswerPosted.type, MessageEdited.type, MessageDeleted.type)


def changes_of(event: Event) -> Iterator[Change]:
    """Iterate over the texts that an event of a room adds, edits or deletes."""
    assert event.offset is not None
    n, time = event.offset.n, event.time
    if event.redacted and event.json()["type"] == MessagePosted.type:
        yield Said(n, "", "", time)  # the place of a later edit that restates the whole text
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
