"""Figures from the text format of Prometheus, as a real registry writes it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from tidings.apps.figures.figures import Figures
from tidings.apps.figures.prometheus import Exporter
from tidings.errors import InvalidRequest


def events(figures: Figures, name: str) -> list[dict[str, Any]]:
    return [json.loads(data) for _, data in figures.topics[f"figures.{name}"]]


def test_a_registry_of_prometheus_becomes_figures_and_counters_have_rates() -> None:
    registry, exporter = CollectorRegistry(), Exporter({"instance": "localhost:9100"})
    paid = Counter("orders", "Orders.", ["country"], registry=registry)
    load = Gauge("load", "Load.", registry=registry)
    took = Histogram("took_seconds", "Time.", buckets=(0.1, 1.0), registry=registry)
    paid.labels("DE").inc(3)
    load.set(0.5)
    took.observe(0.25)
    first = exporter.take(generate_latest(registry).decode(), 10.0)
    instance = {"instance": "localhost:9100"}
    assert events(first, "orders_total") == [{"value": 3.0, "labels": {"country": "DE", **instance}}]
    assert events(first, "load") == [{"value": 0.5, "labels": instance}]
    assert [(each["labels"]["le"], each["value"]) for each in events(first, "took_seconds_bucket")] == [
        ("0.1", 0.0),
        ("1.0", 1.0),
        ("+Inf", 1.0),
    ]
    paid.labels("DE").inc(4)
    paid.labels("FR").inc(1)
    load.set(0.25)
    second = exporter.take(generate_latest(registry).decode(), 12.0)
    assert [(e["labels"]["country"], e["value"], e.get("rate")) for e in events(second, "orders_total")] == [
        ("DE", 7.0, 2.0),
        ("FR", 1.0, None),
    ]
    assert events(second, "load") == [{"value": 0.25, "labels": instance}]
    assert [each["rate"] for each in events(second, "took_seconds_count")] == [0.0]


def test_a_counter_that_begins_anew_has_no_rate_once() -> None:
    exporter = Exporter({})
    rates = []
    for at, value in enumerate([5, 8, 1, 2]):
        figures = exporter.take(f"# TYPE a_total counter\na_total {value}\n", float(at))
        rates.append(events(figures, "a_total")[0].get("rate"))
    assert rates == [None, 3.0, None, 1.0]


def test_values_that_are_no_numbers_are_counted() -> None:
    figures = Exporter({}).take(f"a NaN\nb +Inf\nc 5\nd {10**400}\nx:rate 1\n", 0.0)
    assert list(figures.topics) == ["figures.c"]
    assert (figures.refused, figures.reason) == (4, "a: JSON has no number nan.")


@pytest.mark.parametrize("text", ["", "# only comments", "<html>", "a", "a 1 2 3x", "a{b=c} 1", "a NaN", "a one", '"'])
def test_a_text_without_figures_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest):
        Exporter({}).take(text, 0.0)


@settings(max_examples=300)
@given(st.text("ab_{}=,\"\\ \n\t#TYPEHL.:01eN+-'é", max_size=40))
def test_any_text_has_figures_or_is_refused(text: str) -> None:
    try:
        figures = Exporter({}).take(text, 0.0)
    except InvalidRequest:
        return
    assert figures.topics
