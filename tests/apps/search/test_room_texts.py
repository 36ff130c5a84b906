"""Tests of what the events of a room say."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tidings.apps.search.room_texts import changes_of
from tidings.apps.search.texts import Change, Edited, Said, Taken
from tidings.events import Event, Offset


def changes(type: str, **data: Any) -> list[Change]:
    return [*changes_of(Event("rooms.a", Offset("e", 7), type, json.dumps(data), 1.5))]


@pytest.mark.parametrize(
    ("type", "data", "change"),
    [
        ("message.posted", {"by": "Mara", "text": "Hello"}, Said(7, "Hello", "Mara", 1.5, files=[])),
        ("answer.posted", {"run": "R", "assistant": "docs", "text": "Yes"}, Said(7, "Yes", "", 1.5, "docs")),
        (
            "message.edited",
            {"by": "Mara", "message": "e-3", "text": "Hi", "author": "Mara"},
            Edited(3, Said(3, "Hi", "Mara", 1.5, files=[])),
        ),
        ("message.deleted", {"by": "Mara", "message": "e-3"}, Taken(3)),
    ],
)
def test_messages_and_answers_are_said_edited_and_taken(type: str, data: dict[str, Any], change: Change) -> None:
    assert changes(type, **data) == [change]


def test_all_else_says_nothing() -> None:
    assert changes("member.joined", by="Mara", member="Tom") == []
    assert changes("message.posted", nothing="of a message") == []
