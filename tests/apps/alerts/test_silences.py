"""Silences: for whom they hold, until when, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tidings.apps.alerts.silences import LONGEST, Silence, SilenceBegan, Silences, apply, check
from tidings.errors import InvalidRequest
from tidings.events import Event, Offset


def happened(state: Silences, at: float, type: str, **data: Any) -> None:
    apply(state, Event("silences", Offset("E", 1), type, json.dumps(data), at))


def test_a_silence_holds_for_its_rules_and_instances_until_its_end() -> None:
    state = Silences()
    happened(state, 10, "silence.began", id="a", until=50, rules=["r"], instances=["DE"], why="Deploy", by="Ann")
    assert state.until("r", "DE", 9) is None
    assert state.until("r", "DE", 10) == 50
    assert state.until("r", "FR", 10) is None
    assert state.until("s", "DE", 10) is None
    assert state.until("r", "DE", 50) is None
    assert (state.all[0].why, state.all[0].by) == ("Deploy", "Ann")


def test_a_silence_ends_early_and_once() -> None:
    state = Silences()
    happened(state, 10, "silence.began", id="a", until=50)
    happened(state, 20, "silence.ended", id="a", by="Bob")
    happened(state, 30, "silence.ended", id="a", by="Eve")
    assert (state.all[0].until, state.all[0].ended_by) == (20, "Bob")
    assert state.until("r", "", 25) is None


def test_silences_that_overlap_are_one() -> None:
    state = Silences([Silence(id="a", began=0, until=20), Silence(id="b", began=10, until=40)])
    assert state.until("r", "", 15) == 40
    assert state.until("r", "", 5) == 40


def test_an_invalid_silence_is_ignored() -> None:
    state = Silences()
    for data in ("{", "[]", '{"id": 7}', "[" * 200 + "]" * 200):
        apply(state, Event("silences", Offset("E", 1), "silence.began", data, 1.0))
    happened(state, 1, "other", id="a")
    assert state.all == []


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("until", {"until": 100.0}),
        ("until", {"until": 100.0 + LONGEST + 1}),
        ("until", {"until": float("nan")}),
        ("why", {"why": "x" * 501}),
        ("rules", {"rules": []}),
        ("instances", {"instances": ["x" * 201]}),
        ("rules", {"rules": ["x"] * 1001}),
    ],
)
def test_a_silence_without_an_end_and_one_for_nothing_are_refused(field: str, wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match=f"`{field}`"):
        check(SilenceBegan(**{"id": "a", "until": 200.0, **wrong}), 100.0)
    check(SilenceBegan(id="a", until=200.0, rules=["r"], instances=[""]), 100.0)
