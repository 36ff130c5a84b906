"""Rules: what they refuse, by the name of the field, and the values in the data of events."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest

from tidings.apps.alerts.rule import LONGEST, at_path, instance_of, number, parse
from tidings.errors import InvalidRequest

ABOVE = {"topic": "t", "above": 1}


@pytest.mark.parametrize(
    ("field", "rule"),
    [
        ("topic", {"above": 1}),
        ("topic", {"topic": "a b", "above": 1}),
        ("topic", {"topic": 7, "above": 1}),
        ("above", {"topic": "t"}),
        ("above", {**ABOVE, "below": 2}),
        ("above", {"topic": "t", "above": "1"}),
        ("above", {"topic": "t", "above": True}),
        ("above", {"topic": "t", "above": float("nan")}),
        ("below", {"topic": "t", "below": float("inf")}),
        ("clear", {**ABOVE, "clear": 2}),
        ("clear", {"topic": "t", "below": 1, "clear": 0}),
        ("for", {**ABOVE, "for": -1}),
        ("for", {**ABOVE, "for": "10s"}),
        ("keep", {**ABOVE, "keep": LONGEST * 2}),
        ("window", {**ABOVE, "window": 0}),
        ("window", {**ABOVE, "agg": "mean"}),
        ("window", {"topic": "t", "kind": "rate", "above": 1}),
        ("agg", {**ABOVE, "agg": "median", "window": 10}),
        ("agg", {"topic": "t", "kind": "rate", "above": 1, "window": 10, "agg": "mean"}),
        ("agg", {"topic": "t", "kind": "absence", "absent": 10, "agg": "mean"}),
        ("agg", {"topic": "t", "kind": "deviation", "agg": "mean"}),
        ("no_data", {**ABOVE, "no_data": 0}),
        ("no_data", {**ABOVE, "agg": "count", "window": 10, "no_data": 10}),
        ("on_no_data", {**ABOVE, "on_no_data": "resolve"}),
        ("absent", {"topic": "t", "kind": "absence"}),
        ("absent", {**ABOVE, "absent": 10}),
        ("field", {"topic": "t", "kind": "absence", "absent": 10, "field": "v"}),
        ("field", {**ABOVE, "field": "a..b"}),
        ("by", {**ABOVE, "by": ""}),
        ("repeat", {**ABOVE, "repeat": 0.5}),
        ("kind", {**ABOVE, "kind": "forecast"}),
        ("title", {**ABOVE, "title": "x" * 201}),
        ("title", {**ABOVE, "title": "a\nb"}),
        ("people", {**ABOVE, "people": [" Ann"]}),
        ("people", {**ABOVE, "people": ["Ann"] * 101}),
        ("webhooks", {**ABOVE, "webhooks": ["a b"]}),
        ("link", {**ABOVE, "link": "https://elsewhere.example"}),
        ("link", {**ABOVE, "link": "//elsewhere.example"}),
        ("link", {**ABOVE, "link": "/\\elsewhere.example"}),
        ("unknown", {**ABOVE, "unknown": 1}),
    ],
)
def test_a_refusal_names_the_field(field: str, rule: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match=rf"\b{field}\b"):
        parse(rule)


@pytest.mark.parametrize("value", [None, [], "t", 7])
def test_a_rule_is_an_object(value: Any) -> None:
    with pytest.raises(InvalidRequest, match="no rule"):
        parse(value)


def test_a_rule_is_written_as_it_is_read() -> None:
    given = {"topic": "t", "field": "a.b", "by": "c", "above": 60.5, "for": 10.0, "keep": 5.0, "repeat": 60.0}
    assert msgspec.to_builtins(parse(given)) == given


def test_a_rule_of_deviations_counts_cases_of_each_kind() -> None:
    rule = parse({"topic": "t", "kind": "deviation"})
    assert (rule.by, rule.above, rule.window, rule.aggregation) == ("kind", 0.0, 3600.0, "count")


def test_only_the_condition_is_judged_anew() -> None:
    rule = parse(ABOVE)
    same = parse({**ABOVE, "title": "Hot", "repeat": 60, "people": ["Ann"], "link": "/d/ops?card=1"})
    assert rule.condition() == same.condition()
    for change in ({"above": 2}, {"for": 1}, {"field": "v"}, {"no_data": 5}, {"topic": "u"}):
        assert rule.condition() != parse({**ABOVE, **change}).condition()


@pytest.mark.parametrize("value", [True, None, "7", "NaN", float("nan"), float("-inf"), 10**400, [], {}])
def test_everything_but_a_finite_number_is_no_value(value: Any) -> None:
    assert number(value) is None


def test_values_are_found_by_their_path() -> None:
    data = {"order": {"total": 5, "lines": [{"n": 1}, {"n": 2}]}, "a.b": 7}
    assert at_path(data, None) is data
    assert at_path(data, "order.total") == 5
    assert at_path(data, "order.lines.1.n") == 2
    for path in ("order.lines.2.n", "order.lines.-1", "order.total.n", "a.b", "order.lines.99999999999", "x"):
        assert at_path(data, path) is None


@pytest.mark.parametrize(
    ("value", "name"),
    [("DE", "DE"), (7, "7"), (1.5, "1.5"), (True, "true"), (False, "false")]
    + [(wrong, None) for wrong in (None, "", "x" * 201, [], {}, float("nan"))],
)
def test_instances_are_named_by_text_numbers_and_truth(value: Any, name: str | None) -> None:
    assert instance_of(value) == name


def test_no_answer_repeats_what_was_sent_at_length() -> None:
    with pytest.raises(InvalidRequest) as refusal:
        parse({**ABOVE, "x" * 10_000: 1})
    assert len(str(refusal.value)) < 200
    assert re.fullmatch(r"[ -~]*", str(refusal.value))
