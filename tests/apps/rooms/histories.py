"""Histories of a room: facts by anybody, of which many break a rule."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import strategies as st

from tidings.events import Event, Offset

EPOCH = "abc123"
NAMES = ("Mara Lindqvist", "Tom", "Ada", "Ben")
people = st.sampled_from(NAMES)
roles = st.sampled_from(["owner", "member", "reader"])
messages = st.integers(1, 12).map(lambda n: f"{EPOCH}-{n}")
texts = st.sampled_from(["Hello", "@Tom look", "@mara and @Ada", " ", "x" * 16_001])


def fact(type: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    return st.fixed_dictionaries({"by": people, **fields}).map(lambda data: (type, data))


said = st.one_of(
    fact("room.created", name=st.just("Lobby"), private=st.booleans()),
    fact("room.created", private=st.just(True), people=st.lists(people), invited=st.lists(people, max_size=1)),
    fact("room.renamed", name=st.sampled_from(["Hall", "", "a\nb"])),
    fact("room.archived"),
    fact("room.restored"),
    fact("member.joined", member=people, role=roles),
    fact("member.joined", member=people),
    fact("member.joined", member=people, role=roles, invited=st.just(True)),
    fact("member.invited", member=people, role=roles),
    fact("member.uninvited", member=people),
    fact("member.left", member=people),
    fact("member.role", member=people, role=roles),
    fact("member.banned", member=people),
    fact("member.unbanned", member=people),
    fact("message.posted", text=texts),
    fact("message.posted", text=texts, reply=messages),
    fact("message.posted", text=texts, key=st.sampled_from(["a", "a b"])),
    fact("message.edited", message=messages, text=texts),
    fact("message.deleted", message=messages),
    fact("reaction.added", message=messages, emoji=st.sampled_from(["👍", "", "<b>"])),
    fact("reaction.removed", message=messages, emoji=st.just("👍")),
    fact("run.created", run=st.sampled_from(["R1", "R2"])),
    fact("answer.posted", run=st.sampled_from(["R1", "R2"]), text=st.just("42")),
    fact("room.painted", colour=st.just("red")),
    fact("message.posted", text=st.just("Hello"), bold=st.just(True)),
)
directly = fact(
    "room.created", private=st.just(True), people=st.just(list(NAMES)), invited=st.sampled_from([[], ["Ben"]])
)
begun = st.one_of(fact("room.created", name=st.just("Lobby"), private=st.booleans()), directly)
histories = st.tuples(begun, st.lists(said)).map(lambda parts: [parts[0], *parts[1]])


def events(history: list[tuple[str, dict[str, Any]]]) -> list[Event]:
    """The events of a log that says this."""
    return [
        Event("t", Offset(EPOCH, n), type, msgspec.json.encode(data).decode(), 1000.0 + n)
        for n, (type, data) in enumerate(history, 1)
    ]
