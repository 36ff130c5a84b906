"""The numbers of one process for Prometheus, read from the hub when they are asked for."""

from __future__ import annotations

import asyncio

from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from tidings import Hub
from tidings.http.metrics import Metrics, Siblings, WorkersCollector

OURS = {
    "tidings_events_published_total": "counter",
    "tidings_events_delivered_total": "counter",
    "tidings_writes_total": "counter",
    "tidings_streams_open": "gauge",
    "tidings_streams_catching_up": "gauge",
    "tidings_topics_warm": "gauge",
    "tidings_window_bytes": "gauge",
    "tidings_window_limit_bytes": "gauge",
    "tidings_write_bytes": "gauge",
    "tidings_write_limit_bytes": "gauge",
    "tidings_draining": "gauge",
}


def value(collector: WorkersCollector, name: str, **labels: str) -> float:
    text = generate_latest(collector).decode()
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    (found,) = [sample.value for sample in samples if (sample.name, sample.labels) == (name, labels)]
    return found


async def test_the_numbers_are_those_of_the_moment() -> None:
    async with Hub("memory:") as hub:
        counted = Metrics(hub, Siblings()).counted
        assert value(counted, "tidings_events_published_total") == 0
        await hub.publish("a", "one")
        await hub.publish("a", "two")
        assert value(counted, "tidings_events_published_total") == 2
        assert value(counted, "tidings_draining") == 0
        hub.drain()
        assert value(counted, "tidings_draining") == 1


async def test_every_number_has_its_name_its_kind_and_a_sentence() -> None:
    async with Hub("memory:") as hub:
        counted = Metrics(hub, Siblings()).counted
        text = generate_latest(counted).decode()
    for name, kind in OURS.items():
        assert f"# TYPE {name} {kind}" in text
        assert any(line.startswith(f"# HELP {name} ") and line.endswith((".", "go.")) for line in text.splitlines())
        assert value(counted, name) >= 0


async def test_the_process_is_read_in_a_thread_and_each_hub_has_numbers_of_its_own() -> None:
    async with Hub("memory:") as one, Hub("memory:") as two:
        metrics, second = Metrics(one, Siblings()), Metrics(two, Siblings()).counted
        first, process = metrics.counted, metrics.process
        await one.publish("a", "x")
        assert value(first, "tidings_events_published_total") == 1
        assert value(second, "tidings_events_published_total") == 0
        text = (await asyncio.to_thread(generate_latest, process)).decode()
    assert "process_resident_memory_bytes " in text
    assert "python_info{" in text
    assert "tidings_" not in text


async def test_a_worker_answers_for_its_siblings() -> None:
    siblings = Siblings(2)
    async with Hub("memory:") as hub, Hub("memory:") as other:
        metrics = Metrics(hub, siblings)
        await hub.publish("a", "x")
        siblings.others = {1: [*await Metrics(other, Siblings(1)).figures(), ("tidings_unknown", {}, 1.0)]}
        assert value(metrics.counted, "tidings_events_published_total", worker="1") == 0
        assert value(metrics.counted, "tidings_events_published_total", worker="2") == 1
        assert await asyncio.to_thread(value, metrics.process, "process_open_fds", worker="1") > 0
        assert b"tidings_unknown" not in generate_latest(metrics.counted)


def test_the_streams_of_siblings_are_counted() -> None:
    siblings = Siblings(1)
    assert siblings.streams() == 0
    siblings.others = {2: [("tidings_streams_open", {}, 3.0)], 3: [("tidings_streams_open", {}, 4.0), ("x", {}, 9.0)]}
    assert siblings.streams() == 7
