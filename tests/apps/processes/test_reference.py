"""PURE: the reference of a process, and the deviation of each event."""

from __future__ import annotations

import json

import pytest

from tidings.apps.processes.fold import Process
from tidings.apps.processes.reference import (
    Deviation,
    DeviationAllowed,
    Reference,
    ReferenceRemoved,
    ReferenceSet,
    Rule,
    apply,
    check,
    of_map,
)
from tidings.errors import InvalidRequest
from tidings.events import Event, Offset
from tidings.log.names import text_of

GIVEN = ReferenceSet(starts=["A"], steps=[("A", "B"), ("B", "C")], since="e-0")
STEP = Deviation("step", "C", "A")


@pytest.mark.parametrize(
    ("before", "activity", "found"),
    [
        (None, "A", None),
        ("A", "B", None),
        (None, "B", Deviation("start", "B")),
        ("A", "C", STEP),
        ("A", "A", Deviation("step", "A", "A")),
        ("A", "X", Deviation("activity", "X")),
        (None, "X", Deviation("activity", "X")),
        ("X", "B", None),
    ],
)
def test_an_event_deviates_in_one_way_at_most(before: str | None, activity: str, found: Deviation | None) -> None:
    assert Rule(GIVEN).judge(before, activity) == found
    assert found is None or Rule(GIVEN, [found]).judge(before, activity) is None


def test_the_state_is_that_of_the_last_facts() -> None:
    state = Reference()
    facts = [
        GIVEN,
        DeviationAllowed(deviation=STEP),
        DeviationAllowed(deviation=STEP),
        DeviationAllowed(deviation=Deviation("start", "B")),
        DeviationAllowed(deviation=Deviation("start", "B"), allowed=False),
    ]
    for n, fact in enumerate(facts, 1):
        apply(state, Event("t", Offset("e", n), fact.type, text_of(fact), 0.0))
    assert (state.set, state.offset, state.allowed) == (GIVEN, "e-1", [STEP])
    apply(state, Event("t", Offset("e", 6), "reference.set", '{"starts": 1}', 0.0))
    apply(state, Event("t", Offset("e", 7), "other", "{}", 0.0))
    assert state.set == GIVEN
    apply(state, Event("t", Offset("e", 8), ReferenceRemoved.type, "{}", 0.0))
    assert (state.set, state.offset, state.allowed) == (None, "", [STEP])


def test_a_map_is_a_reference_without_what_is_rare() -> None:
    process, n = Process(), 0
    for case in range(10):
        for activity in "AB" if case else "XAC":
            n += 1
            process.take([(f"c{case}", activity, n)], n)
    found = of_map(process, 0.1, "e-5", "amy")
    assert found == ReferenceSet(starts=["A"], steps=[("A", "B")], since="e-5", above=0.1, by="amy")
    assert len(of_map(process, 0.0, "e-5", "amy").steps) == 3
    with pytest.raises(InvalidRequest, match="may begin"):
        of_map(process, 1.0, "e-5", "amy")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"starts": []}, "may begin"),
        ({"starts": [" "]}, "not the name"),
        ({"steps": [["A", "x" * 4_001]]}, "not the name"),
        ({"starts": [str(n) for n in range(1_001)]}, "at most"),
    ],
)
def test_a_reference_that_no_case_could_follow_is_refused(change: dict[str, object], reason: str) -> None:
    import msgspec

    value = {**json.loads(text_of(GIVEN)), **change}
    with pytest.raises(InvalidRequest, match=reason):
        check(msgspec.convert(value, ReferenceSet))
