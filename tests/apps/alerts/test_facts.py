"""The facts of a rule's topic."""

from __future__ import annotations

import pytest

from tidings.apps.alerts import facts
from tidings.apps.alerts.rule import parse
from tidings.errors import InvalidRequest

ALL = [
    facts.RuleSaved(rule=parse({"topic": "t", "above": 1, "for": 5}), by="Ann"),
    facts.RuleDeleted(by="Ann"),
    facts.Changed(instance="DE", was="normal", state="firing", at=5.0, value=7.5, limit=1.0, episode="e", offset="E-1"),
    facts.Notice(
        id="e-fired",
        kind="fired",
        title="Hot",
        topic="t",
        at=5.0,
        episodes=["e"],
        instances=[facts.Told("DE", "e", 7.5, 5.0, "E-1")],
        link="/a/r?at=5",
    ),
    facts.Acknowledged(episodes=["e"], by="Ann", note="On it"),
    facts.BadValues(count=3, at=5.0, offset="E-3"),
    facts.HandedOn(notices=["e-fired"]),
]


@pytest.mark.parametrize("fact", ALL, ids=lambda fact: fact.type)
def test_a_fact_is_read_as_it_was_written(fact: facts.Fact) -> None:
    assert facts.read(*facts.to_item(fact)) == fact


def test_every_fact_is_among_them() -> None:
    assert {fact.type for fact in ALL} == set(facts.FACTS)


@pytest.mark.parametrize(
    ("type", "data"), [("message", "{}"), ("rule.saved", "{"), ("rule.deleted", '{"by": 7}'), ("rule.saved", "[" * 999)]
)
def test_an_invalid_fact_is_refused(type: str, data: str) -> None:
    with pytest.raises(InvalidRequest):
        facts.read(type, data)
