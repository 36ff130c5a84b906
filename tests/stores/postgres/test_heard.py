"""The changes that a process has heard of."""

from __future__ import annotations

from tidings.events import ORIGIN, Offset
from tidings.stores.postgres.heard import Heard

TAIL = Offset("e", 1)


def test_a_change_that_was_told_is_not_missed() -> None:
    heard = Heard()
    heard.add({"a": TAIL, "b": ORIGIN, "c": None}, {"a": 5, "b": 6, "c": 7})
    assert heard.missed("a", 5, 0) is None
    assert heard.missed("a", 4, 0) is None
    assert heard.missed("b", 6, 6) is None
    assert heard.missed("c", 7, 7) is None


def test_an_append_and_any_other_change_are_missed_apart() -> None:
    heard = Heard()
    assert heard.missed("a", 5, 0) is False
    assert heard.missed("a", 5, 5) is True
    heard.add({"a": TAIL}, {"a": 6})
    assert heard.missed("a", 6, 0) is None
    assert heard.missed("a", 6, 5) is True  # an append that was told does not hide the redaction before it
    heard.add({"a": ORIGIN}, {"a": 5})
    assert heard.missed("a", 6, 5) is None
    assert heard.missed("a", 7, 5) is False


def test_heard_changes_are_forgotten_after_two_turns() -> None:
    heard = Heard()
    heard.add({"a": TAIL}, {"a": 5})
    heard.turn()
    assert heard.missed("a", 5, 0) is None
    heard.turn()
    assert heard.missed("a", 5, 0) is False
