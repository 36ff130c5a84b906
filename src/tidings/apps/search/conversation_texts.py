"""The texts of conversations: questions, in their own events, and answers, in the events of their runs.

A question has the place 2 N for the event N that announces its run, and its answer has the place after it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from tidings.apps.file import File
from tidings.delivery.hub import Hub
from tidings.errors import NotFound
from tidings.events import Event, Offset
from tidings.runs.run import is_id, topic_of
from tidings.wire.run_events import TERMINAL, BlockFinished, RunStarted, from_event

from .texts import Change, Said


class Announced(msgspec.Struct):
    """The part of `run.created` that is searched."""

    run: str
    assistant: str = ""
    input: Any = None
    by: str | None = None
    files: list[File] = []


def changes_of(event: Event) -> Iterator[Change]:
    """Iterate over the question of a conversation's event, if the event is a question."""
    if event.type != "run.created" or event.redacted:
        return
    assert event.offset is not None
    try:
        asked = msgspec.json.decode(event.data, type=Announced)
    except msgspec.DecodeError:
        return
    if is_id(asked.run):
        text = asked.input if isinstance(asked.input, str) else ""
        yield Said(2 * event.offset.n, text, asked.by or "", event.time, None, asked.run, asked.files)


async def answer_of(hub: Hub, topic: str, run: str, question: int) -> Said | Literal["running"] | None:
    """Return the answer that a run has given to the question at a place of the conversation.

    "running": the run has not ended. None: there is no such run, or it was announced elsewhere, since the owner of a
    conversation can publish any `run.created` there. Raises Unavailable.
    """
    head = await hub.log.describe(topic_of(run))
    if head is None:
        return None
    if not head.closed:
        return "running"
    texts: list[str] = []
    assistant, time = "", 0.0
    after: Offset | str = "earliest"
    while True:
        try:
            page = await hub.read(topic_of(run), after)
        except NotFound:
            return None
        for event in page.events:
            match from_event(event):
                case RunStarted() as started:
                    if started.topic != topic:
                        return None
                    assistant = started.assistant
                case BlockFinished(kind="text", content=str() as text):
                    texts.append(text)
            if event.type in TERMINAL:
                time = event.time
        if page.up_to_date or page.lost is not None:
            break
        after = page.next
    return Said(question + 1, "\n\n".join(texts), "", time, assistant, run) if assistant else None


async def still_said(hub: Hub, topic: str, epoch: str, place: int, run: str) -> bool:
    """Return True if the question or the answer at a place still exists: an operator can redact a question, and its
    asker can delete the run. Raises Unavailable."""
    if await hub.log.describe(topic_of(run)) is None:
        return False
    page = await hub.read(topic, Offset(epoch, place // 2 - 1), 1)
    return page.lost is None and bool(page.events) and not page.events[0].redacted
