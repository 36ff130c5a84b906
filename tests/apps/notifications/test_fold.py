"""The fold of a person's topic into an inbox: pure, and the same as the page's."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tidings.apps.notifications.fold import MOST, ROOMS, Inbox, apply
from tidings.events import Event, Offset

HISTORIES = json.loads(Path(__file__).with_name("histories.json").read_text(encoding="utf-8"))


def folded(events: Sequence[tuple[str, Any]]) -> Inbox:
    inbox = Inbox()
    for n, (type, data) in enumerate(events, 1):
        apply(inbox, Event("t", Offset("e", n), type, data if isinstance(data, str) else json.dumps(data), float(n)))
    return inbox


@pytest.mark.parametrize("history", HISTORIES, ids=lambda history: history["name"])
def test_a_history(history: dict[str, Any]) -> None:
    inbox = folded(history["events"])
    assert [[item.offset, item.title, item.read] for item in inbox.items] == history["items"]
    assert inbox.unread == history["unread"]
    assert inbox.muted == history.get("muted", [])
    assert inbox.watched == history.get("watched", [])
    assert inbox.dnd == history.get("dnd")
    assert msgspec.json.decode(msgspec.json.encode(inbox), type=Inbox) == inbox, "as a snapshot keeps it"


def test_the_last_items_are_listed_and_older_items_counted() -> None:
    many = [("notification.created", {"title": str(n)}) for n in range(MOST + 30)]
    inbox = folded(many)
    assert (len(inbox.items), inbox.older, inbox.unread) == (MOST, 30, MOST + 30)
    assert folded([*many, ("notification.read", {"upto": f"e-{MOST + 30}"})]).unread == 0
    assert folded([*many, ("notification.read", {"offsets": ["e-1", "e-2", f"e-{MOST + 30}"]})]).unread == MOST + 27


def test_read_markers_are_kept_of_the_rooms_read_last() -> None:
    inbox = folded([("room.read", {"room": f"r{n}", "offset": "r-1"}) for n in range(ROOMS + 2)])
    assert len(inbox.rooms) == ROOMS
    assert "r0" not in inbox.rooms
    assert f"r{ROOMS + 1}" in inbox.rooms


@pytest.mark.parametrize(
    ("before", "unread", "after"),
    [("r-9", "r-4", "r-3"), ("r-9", "r-0", "r-0"), ("r-2", "r-4", "r-2"), ("r-9", "s-4", "r-9"), (None, "r-4", "r-3")],
)
def test_only_marking_a_room_unread_moves_its_marker_back(before: str | None, unread: str, after: str) -> None:
    read = [("room.read", {"room": "lobby", "offset": before})] if before else []
    inbox = folded([*read, ("room.unread", {"room": "lobby", "offset": unread})])
    assert inbox.rooms == {"lobby": after}
    again = folded(
        [*read, ("room.unread", {"room": "lobby", "offset": unread}), ("room.read", {"room": "lobby", "offset": "r-8"})]
    )
    assert again.rooms["lobby"] in ("r-8", before)


@pytest.mark.parametrize(
    ("type", "data"),
    [
        ("notification.created", "{"),
        ("notification.created", "[" * 5000),
        ("notification.created", {"title": 5}),
        ("notification.created", {"title": "a", "colour": "red"}),
        ("notification.read", {"offsets": "e-1"}),
        ("notification.read", None),
        ("topic.muted", {}),
        ("message", "hello"),
    ],
)
def test_an_invalid_fact_changes_nothing(type: str, data: Any) -> None:
    assert folded([(type, data)]) == Inbox()
