"""Offsets and events: their texts, their order, their values."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.errors import InvalidRequest
from tidings.events import ORIGIN, REDACTED, Event, Offset, redacted_event


@given(st.from_regex(r"[A-Za-z1-9][A-Za-z0-9]{0,15}", fullmatch=True), st.integers(0, 10**18 - 1))
def test_an_offset_is_what_its_text_says(epoch: str, n: int) -> None:
    assert Offset.parse(str(Offset(epoch, n))) == Offset(epoch, n)


def test_the_origin_has_a_text() -> None:
    assert Offset.parse("0-0") == ORIGIN


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a-",
        "-1",
        "a-01",
        "a--1",
        "a-1 ",
        "a-1\n",
        "a-x",
        "0-1",
        "a-1-2",
        "ä-1",
        "a-١",
        "a-" + "9" * 19,
        1,
        None,
    ],
)
def test_no_offset(text: Any) -> None:
    with pytest.raises(InvalidRequest):
        Offset.parse(text)


@given(st.integers(0, 9), st.integers(0, 9))
def test_offsets_of_one_epoch_have_the_order_of_their_numbers(a: int, b: int) -> None:
    one, two = Offset("e", a), Offset("e", b)
    assert (one < two, one <= two, one > two, one >= two, one == two) == (a < b, a <= b, a > b, a >= b, a == b)
    assert max(one, two).n == max(a, b)


@pytest.mark.parametrize("other", [Offset("f", 2), ORIGIN, ("e", 2), 2, None])
def test_offsets_of_two_epochs_have_no_order(other: Any) -> None:
    one = Offset("e", 1)
    for compare in (one.__lt__, one.__le__, one.__gt__, one.__ge__):
        with pytest.raises(TypeError):
            compare(other)
    assert one != other


def test_an_event_reads_its_data_as_json() -> None:
    assert Event("t", None, "m", '{"a":[1]}', 0.0).json() == {"a": [1]}
    with pytest.raises(ValueError, match="truncated"):
        Event("t", None, "m", "{", 0.0).json()


def test_a_redacted_event_names_what_it_was_and_keeps_its_place() -> None:
    event = redacted_event("rooms.a", Offset("e", 7), "message.posted", 12.5)
    assert (event.topic, event.offset, event.type, event.time) == ("rooms.a", Offset("e", 7), REDACTED, 12.5)
    assert event.redacted
    assert json.loads(event.data) == {"topic": "rooms.a", "offset": "e-7", "type": "message.posted"}
