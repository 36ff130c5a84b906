"""A room's state from its events, however it was come by."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tests.apps.rooms.histories import EPOCH, events, histories
from tidings.apps.rooms import fold
from tidings.apps.rooms.room import IGNORED, RECENT, Room
from tidings.events import Event, Offset, redacted_event


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


def test_a_room_holds_its_state_after_every_kind_of_fact() -> None:
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
    assert (state.deleted, state.edited, state.edits, state.stale) == ({3: 10}, {6: 11}, {11: 6}, {3, 6})


def test_a_ban_that_is_lifted_is_forgotten() -> None:
    bob = {"by": "Ann", "member": "Bob"}
    said = [("room.created", {"by": "Ann", "name": "Lobby"}), ("member.banned", bob), ("member.unbanned", bob)]
    assert folded(events(said[:2])).banned == {"Bob"}
    assert folded(events(said)).banned == set()


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
    assert folded(events([created])) == msgspec.structs.replace(many, ignored=[])


def redacted(n: int, type: str) -> Event:
    """The announcement of the redaction of an event."""
    return msgspec.structs.replace(redacted_event("t", Offset(EPOCH, n), type, 1.0), offset=None)


HISTORY: list[tuple[str, dict[str, Any]]] = [
    ("room.created", {"by": "Ann", "name": "Lobby"}),
    ("message.posted", {"by": "Ann", "text": "1"}),
    ("message.posted", {"by": "Ann", "text": "2", "reply": f"{EPOCH}-2", "quote": {"by": "Ann", "text": "1"}}),
    ("message.edited", {"by": "Ann", "author": "Ann", "text": "3", "message": f"{EPOCH}-2"}),
    ("message.edited", {"by": "Ann", "author": "Ann", "text": "4", "message": f"{EPOCH}-2"}),
]
"""A message, a reply that quotes it, and two edits of the message."""

WITHOUT: tuple[str, dict[str, Any]] = (
    "message.edited",
    {"author": "Ann", "text": "2", "message": f"{EPOCH}-3", "reply": f"{EPOCH}-2", "quote": {"by": "Ann", "text": ""}},
)
"""The server's edit of the reply, which takes the quote out."""


def test_text_to_erase_is_known_until_its_redaction() -> None:
    state = folded(events(HISTORY))
    assert (state.stale, state.outdated, state.replies) == ({2, 4}, {3}, {})
    folded([redacted(2, "message.posted"), redacted(4, "message.edited")], state)
    assert (state.stale, state.redacted) == (set(), set())
    folded(events([*HISTORY, WITHOUT])[-1:], state)
    assert (state.stale, state.outdated, state.replies) == ({3}, set(), {})
    folded([redacted(3, "message.posted")], state)
    assert not state.unerased
    folded([redacted(5, "message.edited")], state)
    assert state.redacted == {2}, "an operator has redacted the message as it was last edited"


def test_a_room_that_is_read_from_its_first_event_knows_what_is_left_to_erase() -> None:
    said = events([*HISTORY, WITHOUT, ("message.deleted", {"by": "Ann", "message": f"{EPOCH}-2"})])
    gone = [redacted_event("t", Offset(EPOCH, n), said[n - 1].type, 1.0) for n in (2, 4)]
    state = folded([said[0], gone[0], said[2], gone[1], *said[4:]])
    assert (state.stale, state.outdated, state.deleted) == ({3, 5}, set(), {2: 7})


def test_a_reply_that_comes_late_with_the_text_of_a_deleted_message_is_to_be_mended() -> None:
    said = [*HISTORY[:3], ("message.deleted", {"by": "Ann", "message": f"{EPOCH}-2"}), WITHOUT]
    edit = {**WITHOUT[1], "by": "Ann", "quote": {"by": "Ann", "text": "1"}}
    assert folded(events([*said, ("message.edited", edit)])).outdated == {3}


class Counted(dict[int, Any]):
    """A dictionary that counts the looks over all of it."""

    looks = 0

    def __iter__(self) -> Any:
        Counted.looks += 1
        return super().__iter__()

    def items(self) -> Any:
        Counted.looks += 1
        return super().items()

    def values(self) -> Any:
        Counted.looks += 1
        return super().values()


class Unread(set[int]):
    """A set in which nothing is looked for one by one."""

    def __iter__(self) -> Any:
        raise AssertionError("all replies are looked at")


def test_no_event_costs_a_look_at_all_messages_or_all_replies() -> None:
    state = folded(events(HISTORY[:3]))
    Counted.looks = 0
    state.replies = Counted({2: Unread(range(100, 200))})
    state.edited, state.edits = Counted({7: 8}), Counted({8: 7})
    state.files, state.answers = Counted({7: ["f"]}), Counted()
    state.attached, state.deleted = {"f": 1}, Counted()
    reply = HISTORY[2]
    folded([redacted(8, "message.edited")], state)
    assert state.redacted == {7}
    folded(events([*HISTORY[:3], reply, ("message.deleted", {"by": "Ann", "message": f"{EPOCH}-7"})])[3:], state)
    assert Counted.looks == 0
    assert 4 in state.replies[2]
    assert (state.redacted, state.stale, state.files, state.attached) == (set(), set(), {}, {})
