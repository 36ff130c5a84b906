"""Offsets and events: their texts, their order, their values."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings import events
from tidings.errors import InvalidRequest
from tidings.events import NESTING, ORIGIN, PIECE, REDACTED, Event, Offset, check_nesting, redacted_event


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
def test_an_invalid_offset_is_refused(text: Any) -> None:
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


JSON = st.recursive(
    st.none() | st.text(st.sampled_from('[]{}"\\a')), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


def levels(value: object) -> int:
    """Count the levels of a value, as an independent measure."""
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if parts is None else 1 + max(map(levels, parts), default=0)


@pytest.mark.parametrize("pairs", [0, 1, 4 * PIECE - 65, 4 * PIECE - 64, 4 * PIECE, 9 * PIECE])
def test_levels_are_counted_on_from_piece_to_piece(pairs: int) -> None:
    for depth in (NESTING, NESTING + 1):
        text = "[" * (depth - 1) + "[]" * pairs + "[" + "]" * depth
        if depth == NESTING:
            check_nesting(text)
        else:
            with pytest.raises(RecursionError):
                check_nesting(text)


@given(JSON, st.integers(NESTING - 9, NESTING + 1))
def test_json_has_as_many_levels_as_it_nests(value: object, around: int) -> None:
    """The brackets in strings are no levels, and the number is the same on every Python."""
    text = "[" * around + json.dumps(value) + "]" * around
    if around + levels(value) <= NESTING:
        check_nesting(text)
    else:
        with pytest.raises(RecursionError, match="at most 128 levels"):
            check_nesting(text)


def test_the_levels_of_much_json_are_counted_eight_brackets_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step for each of 700,000 brackets would hold the event loop for 16 ms."""
    steps = 0

    def counted(numbers: Iterable[int], *, initial: int) -> Iterator[int]:
        nonlocal steps
        for steps, number in enumerate(accumulate(numbers, initial=initial)):  # noqa: B007
            yield number

    monkeypatch.setattr(events, "accumulate", counted)
    check_nesting("[" + ",".join(["[]"] * 4_000) + "]")
    assert steps == 8_002 // 8 + 1


def test_data_of_too_many_levels_is_no_json_for_its_reader() -> None:
    def event(count: int) -> Event:
        return Event("a", Offset("E", 1), "message", "[" * count + "]" * count, 0.0)

    assert levels(event(NESTING).json()) == NESTING
    with pytest.raises(ValueError, match="128 levels"):
        event(NESTING + 1).json()
