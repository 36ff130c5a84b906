"""Tests of the state of a room."""

from __future__ import annotations

import msgspec
import pytest

from tidings.apps.rooms import facts, fold, rules
from tidings.apps.rooms.room import Member, PendingRun, RecentMessage, Room


def full() -> Room:
    return Room(
        name="Den",
        members={"Mara": Member("owner", 1)},
        readers={"Eve"},
        invited={"Ada": "reader"},
        banned={"Mallory"},
        runs={"r": PendingRun(3, "Mara", "echo", None)},
        recent=[RecentMessage(2, "Mara", ["Tom"])],
        deleted={7: 8},
        edited={2: 4},
        edits={4: 2},
        stale={2},
        replies={2: {5}},
        outdated={5},
        files={2: ["f"]},
        attached={"f": 1},
        ignored=[6],
    )


@pytest.mark.parametrize("fact", [fact for fact in rules.PERMISSION_FACTS if fact is not facts.RoomCreated])
def test_facts_that_change_permissions_leave_a_room_as_it_is_when_they_are_tried(fact: type[facts.Fact]) -> None:
    """A trial shares what is known of messages, so that it costs no more in a room with many."""
    room = full()
    trial = room.trial()
    assert trial == room
    assert trial.replies is room.replies
    fields = {"member": "Mara", "role": "reader", "name": "Hall"}
    names = {field.name for field in msgspec.structs.fields(fact)}
    fold.follow(trial, fact(**{name: value for name, value in fields.items() if name in names}), 9, 1.0)
    assert room == full()


def test_a_room_with_something_to_erase_says_so() -> None:
    assert not Room().unerased
    for fields in ({"stale": {1}}, {"outdated": {1}}, {"redacted": {1}}):
        assert Room(**fields).unerased  # type: ignore[arg-type]


def test_the_state_survives_a_snapshot() -> None:
    assert msgspec.json.decode(msgspec.json.encode(full()), type=Room) == full()


def test_roles() -> None:
    room = full()
    assert [room.role(name) for name in ("Mara", "Eve", None)] == ["owner", None, None]
