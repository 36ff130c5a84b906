"""Tests of the state of a room."""

from __future__ import annotations

import msgspec

from tidings.apps.rooms.room import Member, PendingRun, RecentMessage, Room


def full() -> Room:
    return Room(
        name="Den",
        members={"Mara": Member("owner", 1)},
        readers={"Eve"},
        banned={"Mallory"},
        runs={"r": PendingRun(3, "Mara", "echo", None)},
        recent=[RecentMessage(2, "Mara", ["Tom"])],
        deleted={7},
        edited={2: [4]},
        replies={2: [5]},
        files={2: ["f"]},
        ignored=[6],
    )


def test_changes_of_a_copy_leave_the_room_as_it_is() -> None:
    room = full()
    copy = room.copy()
    assert copy == room
    copy.edited[2].append(9)
    copy.replies[2].append(9)
    for field in msgspec.structs.fields(Room):
        value = getattr(copy, field.name)
        if isinstance(value, dict | set | list):
            value.clear()
    assert room == full()


def test_the_state_survives_a_snapshot() -> None:
    assert msgspec.json.decode(msgspec.json.encode(full()), type=Room) == full()


def test_roles_and_files() -> None:
    room = full()
    assert [room.role(name) for name in ("Mara", "Eve", None)] == ["owner", None, None]
    assert room.attaches("f")
    assert not room.attaches("g")
