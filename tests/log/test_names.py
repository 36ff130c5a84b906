"""Names and values of a log: the accepted ones and the refused ones."""

from __future__ import annotations

import re
from typing import Any

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
def test_no_topic(name: Any) -> None:
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
    "name", ["", "a\nb", "a\rb", "a\0b", "tidings.reset", "tidings.", "x" * 201, "é" * 101, "\udfff", None]
)
def test_no_type(name: Any) -> None:
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
def test_no_data(data: Any, error: type[InvalidRequest]) -> None:
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
def test_no_place_to_begin_at(after: Any) -> None:
    with pytest.raises(InvalidRequest, match=r"begin at|last events"):
        names.parse_after(after)
