"""A room's state from its events, however it was come by."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tests.apps.rooms.histories import events, histories
from tidings.apps.rooms import fold
from tidings.apps.rooms.room import IGNORED, RECENT, Room
from tidings.events import Event


def folded(said: list[Event], state: Room | None = None) -> Room:
    state = state or Room()
    for event in said:
        fold.apply(state, event)
    return state


@given(histories, st.data())
def test_a_snapshot_and_what_follows_it_are_the_whole_log(said: list[tuple[str, dict[str, Any]]], data: Any) -> None:
    log = events(said)
    cut = data.draw(st.integers(0, len(log)))
    snapshot = msgspec.json.decode(msgspec.json.encode(folded(log[:cut])), type=Room)
    assert folded(log[cut:], snapshot) == folded(log)


@given(histories)
def test_a_copy_is_apart(said: list[tuple[str, dict[str, Any]]]) -> None:
    state = Room()
    for event in events(said):
        copy, before = state.copy(), msgspec.json.encode(state)
        fold.apply(copy, event)
        assert msgspec.json.encode(state) == before
        state = copy
    assert state == folded(events(said))


def test_what_a_room_holds() -> None:
    by = {"by": "Ann"}
    state = folded(
        events(
            [
                ("room.created", {**by, "name": "Lobby", "about": "All", "private": True}),
                ("member.joined", {**by, "member": "Bob", "role": "reader"}),
                ("message.posted", {**by, "text": "@Bob look", "mentions": ["Bob"]}),
                ("room.renamed", {**by, "name": "Hall"}),
                ("member.role", {**by, "member": "Bob", "role": "member"}),
                ("message.posted", {"by": "Bob", "text": "Yes"}),
                ("run.created", {"by": "Bob", "run": "R1", "assistant": "docs", "parent": None, "more": 1}),
                ("run.created", {"by": None, "run": "R2", "assistant": "docs", "asked": "abc123-6"}),
                ("answer.posted", {"by": "", "run": "R1", "assistant": "docs", "text": "42", "outcome": "success"}),
                ("message.deleted", {**by, "message": "abc123-3"}),
                ("message.edited", {"by": "Bob", "message": "abc123-6", "text": "No"}),
                ("room.archived", by),
            ]
        )
    )  # fmt: skip
    assert (state.name, state.about, state.private, state.archived, state.by) == ("Hall", "All", True, True, "Ann")
    assert state.created == 1001.0
    assert {name: tuple(msgspec.to_builtins(m)) for name, m in state.members.items()} == {
        "Ann": ("owner", 1),
        "Bob": ("member", 2),
    }
    assert [(said.n, said.by, said.mentions) for said in state.recent] == [(6, "Bob", []), (9, "", [])]
    assert {id: (run.n, run.by, run.asked) for id, run in state.runs.items()} == {"R2": (8, None, "abc123-6")}
    assert (state.deleted, state.edited) == ({3}, {6: [11]})


def test_only_the_last_messages_are_remembered() -> None:
    said = [("message.posted", {"by": "Ann", "text": str(n)}) for n in range(RECENT + 50)]
    state = folded(events([("room.created", {"by": "Ann", "name": "Lobby"}), *said]))
    assert [said.n for said in state.recent] == list(range(52, RECENT + 52))


def test_the_last_events_that_broke_a_rule_are_remembered_and_change_nothing_else() -> None:
    """Their publishers can then be told, whatever the time between."""
    created = ("room.created", {"by": "Ann", "name": "Lobby"})
    stranger = ("message.posted", {"by": "Bob", "text": "Hello"})
    state = folded(events([created, stranger, ("no.such", {}), ("message.posted", {"by": "Ann", "text": "Hello"})]))
    assert state.ignored == [2, 3]
    assert [message.n for message in state.recent] == [4]
    many = folded(events([created, *[stranger] * (IGNORED + 5)]))
    assert many.ignored == list(range(7, IGNORED + 7))
    assert folded(events([created])).copy() == msgspec.structs.replace(many, ignored=[])
