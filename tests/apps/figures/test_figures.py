"""Figures by topic: what is taken, and what is refused with its reason."""

from __future__ import annotations

import json
import math

import pytest

from tidings.apps.figures.figures import MOST, TOPICS, Figures
from tidings.errors import Closed, Conflict, InvalidRequest
from tidings.log.names import MAX_EVENTS


def test_a_figure_is_an_event_of_the_topic_of_its_metric() -> None:
    figures = Figures()
    figures.add("load", {"value": 0.5}, {"host": "a"})
    figures.add("http.requests", {"value": 7, "rate": 1.5}, {})
    figures.add("load", {"value": 1}, {"host": "b"})
    assert {topic: [(type, json.loads(data)) for type, data in events] for topic, events in figures.topics.items()} == {
        "figures.load": [
            ("figure", {"value": 0.5, "labels": {"host": "a"}}),
            ("figure", {"value": 1, "labels": {"host": "b"}}),
        ],
        "figures.http.requests": [("figure", {"value": 7, "rate": 1.5})],
    }
    assert (figures.refused, figures.reason) == (0, "")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_no_number_is_refused(value: float) -> None:
    figures = Figures()
    figures.add("load", {"value": value}, {})
    figures.add("load", {"value": 1}, {})
    assert (figures.refused, figures.reason) == (1, f"load: JSON has no number {value}.")
    assert len(figures.topics["figures.load"]) == 1


@pytest.mark.parametrize("name", ["", "a:b", "a/b", "a..b", "é", "x" * 200])
def test_a_name_that_is_no_topic_s_is_refused(name: str) -> None:
    figures = Figures()
    figures.add(name, {"value": 1}, {})
    assert figures.topics == {}
    assert figures.refused == 1
    assert "A topic is segments" in figures.reason


def test_their_number_is_bounded() -> None:
    figures = Figures()
    for n in range(TOPICS):
        figures.add(f"m{n}", {"value": 1}, {})
    with pytest.raises(InvalidRequest, match="metrics"):
        figures.add("one-more", {"value": 1}, {})
    figures = Figures()
    for _ in range(MOST):
        figures.add("a:b", {"value": 1}, {})  # those that are refused count, too
    with pytest.raises(InvalidRequest, match="figures"):
        figures.add("load", {"value": 1}, {})


def test_the_bytes_and_the_figures_of_one_metric_are_bounded() -> None:
    figures = Figures()
    for _ in range(16):
        figures.add("load", {"value": 1}, {"text": "x" * 1_000_000})
    with pytest.raises(InvalidRequest, match="bytes"):
        figures.add("load", {"value": 1}, {"text": "x" * 1_000_000})
    figures = Figures(most=2 * MAX_EVENTS)
    for _ in range(MAX_EVENTS):
        figures.add("load", {"value": 1}, {})
    with pytest.raises(InvalidRequest, match="one metric"):
        figures.add("load", {"value": 1}, {})


def test_a_known_metric_is_taken_where_no_further_one_is() -> None:
    figures = Figures()
    for n in range(TOPICS):
        figures.add(f"m{n}", {"value": 1}, {})
    figures.add("m0", {"value": 2}, {})
    assert len(figures.topics["figures.m0"]) == 2


def test_a_point_is_taken_whole_or_not_at_all() -> None:
    figures = Figures()
    figures.add_point([("a", {"value": 1}, {}), ("b", {"value": math.nan}, {}), ("c", {"value": 1}, {})])
    assert (figures.topics, figures.refused) == ({}, 1)


def test_points_that_topics_do_not_take_are_counted_once_with_the_first_reason() -> None:
    figures, shut, moved = Figures(), Closed("It is closed."), Conflict("It has moved.")
    for _ in range(2):
        figures.add_point([("a", {"value": 1}, {}), ("b", {"value": 1}, {})])
    figures.add("a", {"value": 1}, {})
    figures.refuse_topics({"figures.a": shut, "figures.b": moved})
    assert (figures.refused, figures.reason, figures.error) == (3, "a: It is closed.", shut)
    figures.refuse_topics({})
    assert figures.refused == 3
