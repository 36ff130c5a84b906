"""Every case of the meaning of alerts, replayed: what a rule does with given steps, second by second."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tidings.apps.alerts import facts
from tidings.apps.alerts.replay import Step, read, replay
from tidings.apps.alerts.rule import parse
from tidings.errors import InvalidRequest


def span(first: int, last: int, value: Any) -> list[tuple[int, Any]]:
    """The same value at each second."""
    return [(t, value) for t in range(first, last + 1)]


Did = list[tuple[float, str]]


def played(
    rule: dict[str, Any], steps: list[Any], to: float, doing: dict[float, dict[str, Any]] | None = None
) -> tuple[Did, Did]:
    """The transitions and the notices of a rule on the topic `t`, as (second, name) pairs."""
    made = [Step(t=t, data=data) for t, data in steps] + [Step(t=t, **what) for t, what in (doing or {}).items()]
    made.sort(key=lambda step: step.t)
    found = list(replay(parse({"topic": "t", **rule}), [*made, Step(t=to)]))
    changed = [(fact.at, fact.state) for fact in found if isinstance(fact, facts.Changed)]
    told = [(fact.at, fact.kind) for fact in found if isinstance(fact, facts.Notice)]
    return [(at, state.replace("_", " ")) for at, state in changed], [(at, kind.replace("_", " ")) for at, kind in told]


TABLE: dict[str, tuple[dict[str, Any], list[Any], float, dict[float, dict[str, Any]], Did, Did]] = {
    "above the limit, no for: fires with the event itself": (
        {"above": 60},
        [(0, 10), (5, 61), (9, 20)],
        12,
        {},
        [(5, "firing"), (9, "normal")],
        [(5, "fired"), (9, "resolved")],
    ),
    "below": (
        {"below": 5},
        [(0, 10), (3, 4), (6, 5)],
        10,
        {},
        [(3, "firing"), (6, "normal")],
        [(3, "fired"), (6, "resolved")],
    ),
    "for: pending first, then firing": (
        {"above": 60, "for": 10},
        span(0, 29, 70),
        30,
        {},
        [(0, "pending"), (10, "firing")],
        [(10, "fired")],
    ),
    "for: one good value starts it anew": (
        {"above": 60, "for": 10},
        [*span(0, 7, 70), (8, 50), *span(9, 24, 70)],
        25,
        {},
        [(0, "pending"), (8, "normal"), (9, "pending"), (19, "firing")],
        [(19, "fired")],
    ),
    "a spike shorter than for is never told": (
        {"above": 60, "for": 10},
        [*span(0, 4, 10), *span(5, 11, 99), *span(12, 29, 10)],
        30,
        {},
        [(5, "pending"), (12, "normal")],
        [],
    ),
    "hysteresis: between clear and limit it stays as it is": (
        {"above": 60, "clear": 50},
        [(0, 61), (3, 55), (6, 59), (9, 61), (12, 55), (15, 50)],
        20,
        {},
        [(0, "firing"), (15, "normal")],
        [(0, "fired"), (15, "resolved")],
    ),
    "hysteresis does not start anything": ({"above": 60, "clear": 50}, [(0, 55), (3, 59)], 10, {}, [], []),
    "keep: resolved only after it was clear so long": (
        {"above": 60, "keep": 10},
        [(0, 70), *span(5, 19, 10)],
        20,
        {},
        [(0, "firing"), (5, "recovering"), (15, "normal")],
        [(0, "fired"), (15, "resolved")],
    ),
    "keep: a relapse is the same episode, told once": (
        {"above": 60, "keep": 10},
        [(0, 70), *span(5, 8, 10), (9, 80), *span(12, 29, 10)],
        30,
        {},
        [(0, "firing"), (5, "recovering"), (9, "firing"), (12, "recovering"), (22, "normal")],
        [(0, "fired"), (22, "resolved")],
    ),
    "a window: the mean of 10 s, so one peak does not fire": (
        {"above": 60, "window": 10, "agg": "mean"},
        [*span(0, 9, 10), (10, 300), *span(11, 19, 10)],
        20,
        {},
        [],
        [],
    ),
    "rate: events a second over 10 s; none at all is 0": (
        {"kind": "rate", "above": 2, "window": 10},
        [(t, 1) for t in range(10) for _ in range(3)],
        30,
        {},
        [(6, "firing"), (13, "normal")],
        [(6, "fired"), (13, "resolved")],
    ),
    "absence: nothing for 30 s": (
        {"kind": "absence", "absent": 30},
        [(0, 1), (10, 1), (60, 1)],
        70,
        {},
        [(40, "firing"), (60, "normal")],
        [(40, "fired"), (60, "resolved")],
    ),
    "absence of what never came: counts from when the rule began": (
        {"kind": "absence", "absent": 30},
        [],
        40,
        {},
        [(30, "firing")],
        [(30, "fired")],
    ),
    "no data while firing: it stays": (
        {"above": 60, "no_data": 20},
        [(0, 70), (60, 10)],
        70,
        {},
        [(0, "firing"), (60, "normal")],
        [(0, "fired"), (60, "resolved")],
    ),
    "no data, to be told: after its own time, once": (
        {"above": 60, "no_data": 20, "on_no_data": "notify"},
        [(0, 10), (50, 10)],
        60,
        {},
        [(20, "no data"), (50, "normal")],
        [(20, "no data"), (50, "resolved")],
    ),
    "NaN, text, null, true: no values": (
        {"below": 5},
        [(0, 10), (2, "NaN"), (3, "7"), (4, None), (5, True), (8, 10)],
        10,
        {},
        [],
        [],
    ),
    "restart while firing: not fired again, and resolved afterwards": (
        {"above": 60},
        [(0, 70), (25, 10)],
        30,
        {10: {"do": "down"}, 20: {"do": "up"}},
        [(0, "firing"), (25, "normal")],
        [(0, "fired"), (25, "resolved")],
    ),
    "silenced all along: states, but nobody is told, also not of the end": (
        {"above": 60},
        [(5, 70), (30, 10)],
        60,
        {0: {"do": "silence", "until": 50}},
        [(5, "firing"), (30, "normal")],
        [],
    ),
    "told again every 10 s until acknowledged": (
        {"above": 60, "repeat": 10},
        [(0, 70), (60, 10)],
        60,
        {25: {"do": "ack"}},
        [(0, "firing"), (60, "normal")],
        [(0, "fired"), (10, "again"), (20, "again"), (60, "resolved")],
    ),
    "the condition is edited while firing": (
        {"above": 60},
        [(0, 70), (20, 81)],
        25,
        {10: {"do": "edit", "rule": parse({"topic": "t", "above": 80})}},
        [(0, "firing"), (10, "normal"), (20, "firing")],
        [(0, "fired"), (10, "resolved"), (20, "fired")],
    ),
}


@pytest.mark.parametrize("case", TABLE)
def test_each_case_of_the_meaning(case: str) -> None:
    rule, steps, to, doing, transitions, notices = TABLE[case]
    assert played(rule, steps, to, doing) == (transitions, notices)


def test_a_file_is_a_rule_and_steps() -> None:
    lines = [
        {"topic": "t", "above": 1},
        {"t": 0, "data": 5},
        {"t": 3, "do": "edit", "rule": {"topic": "t", "above": 9}},
    ]
    rule, steps = read("\n".join([*map(json.dumps, lines), "", '{"t": 9}']))
    assert rule == parse(lines[0])
    assert [step.t for step in steps] == [0, 3, 9]
    assert steps[1].rule == parse({"topic": "t", "above": 9})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "empty"),
        ("{", "Line 1 is not JSON"),
        ('{"topic": "t"}', "Line 1: `above`"),
        ('{"topic": "t", "above": 1}\n{"at": 5}', "Line 2: .*unknown field"),
        ('{"topic": "t", "above": 1}\n\n{"t": "5"}', "Line 3: "),
        ('{"topic": "t", "above": 1}\n{"t": 5}\n{"t": 4}', "Line 3: its time is before"),
        ('{"topic": "t", "above": 1}\n{"t": 5, "do": "edit", "rule": {"topic": "t"}}', "Line 2: `above`"),
        ('{"topic": "t", "above": 1}\n{"t": 5, "do": "dance"}', "Line 2: "),
        ("[" * 5000, "Line 1"),
    ],
)
def test_a_wrong_line_is_named(text: str, sentence: str) -> None:
    with pytest.raises(InvalidRequest, match=sentence):
        read(text)
