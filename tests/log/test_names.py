"""Names and values of a log: the accepted ones and the refused ones."""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from tidings.errors import InvalidRequest, TooLarge
from tidings.events import ORIGIN, Offset
from tidings.log import names


@pytest.mark.parametrize("name", ["a", "rooms.lobby", "runs.01J9", "A-b_C.0", "-", "_", "a" * 200])
def test_a_topic(name: str) -> None:
    assert names.valid_topic(name) == name


@pytest.mark.parametrize(
    "name",
    ["", ".", "a.", ".a", "a..b", "a b", "a/b", "ä", "a\n", "a\0", "a*", "a~b", "a" * 201, "a.\ud800", None, b"a"],
)
def test_an_invalid_topic_is_refused(name: Any) -> None:
    with pytest.raises(InvalidRequest) as refused:
        names.valid_topic(name)
    shown = refused.value.members["topic"]
    assert shown.isascii()
    assert shown.isprintable()
    assert len(shown) <= 80


@pytest.mark.parametrize("name", ["message", "ünïcode", "a b", "tidings", "x" * 200, "é" * 100])
def test_a_type(name: str) -> None:
    assert names.valid_type(name) == name


@pytest.mark.parametrize(
    "name", ["", "a\nb", "a\rb", "a\0b", "tidings.reset", "tidings.", "x" * 201, "é" * 101, "\udfff", None, ["a"]]
)
def test_an_invalid_type_is_refused(name: Any) -> None:
    with pytest.raises(InvalidRequest):
        names.valid_type(name)


@pytest.mark.parametrize("data", ["", "a\r\n\0b", "😀", "x" * names.MAX_DATA, "é" * (names.MAX_DATA // 2)])
def test_data(data: str) -> None:
    assert names.valid_data(data) == data


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ("\ud800", InvalidRequest),
        (b"a", InvalidRequest),
        ("x" * (names.MAX_DATA + 1), TooLarge),
        ("é" * (names.MAX_DATA // 2 + 1), TooLarge),
    ],
)
def test_invalid_data_is_refused(data: Any, error: type[InvalidRequest]) -> None:
    with pytest.raises(error):
        names.valid_data(data)


def test_epochs_are_new() -> None:
    epochs = {names.new_epoch() for _ in range(1000)}
    assert len(epochs) == 1000
    assert all(re.fullmatch(r"[A-Za-z0-9]{4,8}", epoch) for epoch in epochs)
    assert ORIGIN.epoch not in epochs


@pytest.mark.parametrize(
    ("after", "start"),
    [
        ("earliest", "earliest"), ("tail", "tail"), ("e-5", Offset("e", 5)), (Offset("e", 5), Offset("e", 5)),
        ("0-0", ORIGIN), (-5, -5), ("-5", -5), (-1, -1), ("-1", -1), (-names.MAX_LAST, -names.MAX_LAST),
    ],
)  # fmt: skip
def test_a_place_to_begin_at(after: Any, start: Any) -> None:
    assert names.parse_after(after) == start


@pytest.mark.parametrize("after", ["", "first", "5", 5, 0, "-0", True, None, -names.MAX_LAST - 1, "--5", "e-5 "])
def test_an_invalid_place_to_begin_at_is_refused(after: Any) -> None:
    with pytest.raises(InvalidRequest, match=r"begin at|last events"):
        names.parse_after(after)


@dataclass
class Reading:
    value: Any


ITSELF: list[Any] = []
ITSELF.append(ITSELF)


@pytest.mark.parametrize(
    "value",
    [None, True, 7, 10**30, -0.5, {}, [], {"a": [1, 2.5, None, {"b": "ü"}]}, OrderedDict(a=1), [[[]]], {"": "\0"}],
)
def test_a_value_is_the_same_after_json(value: Any) -> None:
    assert json.loads(names.text_of(value)) == value


def test_values_with_a_form_in_json_are_written_in_it() -> None:
    assert names.text_of("kept {exactly") == "kept {exactly"
    assert names.text_of((1, 2)) == "[1,2]"
    assert names.text_of({"a": msgspec.Raw(b"[1]")}) == '{"a":[1]}', "a part that is JSON already"
    assert names.text_of(Reading(7)) == '{"value":7}'
    assert names.text_of([datetime(2026, 1, 2, tzinfo=UTC)]) == '["2026-01-02T00:00:00Z"]'


@pytest.mark.parametrize("value", [float("nan"), -float("inf"), b"a", bytearray(b"a"), memoryview(b"a"), object(), 1j])
def test_a_value_that_json_cannot_hold_is_refused_at_any_depth(value: Any) -> None:
    for holder in (value, [value], (1, value), {"a": {"b": [value]}}, Reading(value), [Reading([value])]):
        with pytest.raises(InvalidRequest):
            names.text_of(holder)


@pytest.mark.parametrize("value", [{1}, frozenset(), [{1}], {"a": {1}}, ["\ud800"], {"\ud800": 1}])
def test_sets_and_half_characters_are_refused(value: Any) -> None:
    with pytest.raises(InvalidRequest):
        names.text_of(value)


@pytest.mark.parametrize("value", [{1: "a"}, {None: "a"}, {1.5: "a"}, {(1, 2): "a"}, {b"a": 1}, ITSELF])
def test_keys_that_are_not_text_and_values_without_an_end_are_refused(value: Any) -> None:
    with pytest.raises(InvalidRequest):
        names.text_of(value)


@pytest.mark.parametrize(
    "events", [object(), 7, None, "ab", ["ab", "cd"], [("x",)], [("x", 1, 2)], [b"ab"], [{"x", "y"}]]
)
def test_events_that_are_no_pairs_are_refused(events: Any) -> None:
    with pytest.raises(InvalidRequest):
        names.pairs_of(events)


def test_pairs_come_from_anything_that_can_be_iterated() -> None:
    assert names.pairs_of(iter([("a", 1), ("b", 2)])) == [("a", 1), ("b", 2)]
    assert names.pairs_of([["a", 1]]) == [["a", 1]]  # type: ignore[list-item]


def test_a_list_has_as_many_names_as_fit_into_an_event() -> None:
    few = ["Ann", "Bob"]
    assert names.fitting(few, str, 64) == few
    for letter in ("a", "ä", '"', "\U0001f600"):
        listed = names.fitting([letter * 200] * 10_000, str, 64)
        assert 300 < len(listed) < 10_000
        three = msgspec.json.encode([[[name, "publishes", 10**9, 10**9] for name in listed]] * 3)
        assert len(three) < names.MAX_DATA
