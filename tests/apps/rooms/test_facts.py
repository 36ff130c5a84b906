"""Tests of reading and writing the facts of a room."""

from __future__ import annotations

import msgspec
import pytest

from tidings.apps.file import File
from tidings.apps.rooms import facts
from tidings.apps.rooms.facts import FACTS, MessagePosted, Quote
from tidings.errors import InvalidRequest


def test_a_written_fact_is_read_again() -> None:
    message = MessagePosted(
        by="Mara", text="hi", key="k", reply="AbCdEf-1", files=[File("1", "a.png", "image/png", 3)],
        mentions=["Tom"], quote=Quote("Tom", "ho"),
    )  # fmt: skip
    edit = facts.edited(message, "AbCdEf-2", "hello", by="Mara")
    for fact in (message, edit, facts.MemberBanned(by="Mara", member="Tom", role="reader")):
        assert facts.read(*facts.written(fact)) == fact


def test_an_edit_holds_the_whole_message() -> None:
    message = MessagePosted(by="Mara", text="hi", key="k", reply="AbCdEf-1", mentions=["Tom"], quote=Quote("Tom", "ho"))
    restated = facts.restated(facts.edited(message, "AbCdEf-2", "hello", by="Mara"))
    assert restated == facts.changed(message, text="hello")


@pytest.mark.parametrize(
    ("type", "data"),
    [
        ("room.painted", {}),
        ("typing", {}),
        ("message.posted", {}),
        ("message.posted", {"text": 1}),
        ("message.posted", {"text": "hi", "colour": "red"}),
        ("member.role", {"member": "Tom", "role": "king"}),
    ],
)
def test_an_invalid_fact_is_refused(type: str, data: object) -> None:
    with pytest.raises(InvalidRequest):
        facts.read(type, msgspec.json.encode(data).decode())


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(InvalidRequest):
        facts.read("run.created", '{"run":"r","x":' + "[" * 100_000 + "]" * 100_000 + "}")


def test_every_kind_of_fact_is_known_by_its_type() -> None:
    assert all(FACTS[kind.type] is kind for kind in FACTS.values())
    assert {"room.created", "message.deleted", "answer.posted"} <= FACTS.keys()
