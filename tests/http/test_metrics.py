"""The numbers of one process for Prometheus, read from the hub when they are asked for."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from tests.serving import PATIENCE
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
    "tidings_run_tokens_total": "counter",
    "tidings_runs_open": "gauge",
}
TIMES = (
    "tidings_publish_seconds",
    "tidings_commit_seconds",
    "tidings_loop_lag_seconds",
    "tidings_run_first_token_seconds",
)
GRAFANA = Path(__file__).parents[2] / "docs" / "grafana.json"


def value(collector: WorkersCollector, name: str, **labels: str) -> float:
    text = generate_latest(collector).decode()
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    (found,) = [sample.value for sample in samples if (sample.name, sample.labels) == (name, labels)]
    return found


async def reached(condition: Callable[[], bool]) -> None:
    """Wait until the condition holds."""
    async with asyncio.timeout(PATIENCE):
        while True:
            if condition():
                return
            await asyncio.sleep(0.02)


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


async def test_times_are_counted_up_to_each_bound() -> None:
    async with Hub("memory:") as hub:
        counted = Metrics(hub, Siblings()).counted
        await hub.publish("a", "one")
        for name in TIMES:
            assert f"# TYPE {name} histogram" in generate_latest(counted).decode()
            assert value(counted, f"{name}_bucket", le="+Inf") == value(counted, f"{name}_count")
        assert value(counted, "tidings_publish_seconds_count") == 1
        assert 0 < value(counted, "tidings_commit_seconds_sum") <= value(counted, "tidings_publish_seconds_sum")


async def test_runs_are_counted_by_their_outcome() -> None:
    async def answer(question: str) -> Any:
        yield "one "
        if question == "fail":
            raise ValueError(question)
        yield "two"

    async with Hub("memory:") as hub:
        metrics = Metrics(hub, Siblings())
        for question in ("good", "fail"):
            await (await hub.runs.start(answer, question)).wait()
        counted = metrics.counted
        await reached(lambda: not value(counted, "tidings_runs_open"))
        ended = {name: value(counted, "tidings_runs_ended_total", outcome=name) for name in ("success", "failed")}
        assert ended == {"success": 1, "failed": 1}
        assert value(counted, "tidings_run_tokens_total") == 3
        assert value(counted, "tidings_run_first_token_seconds_count") == 2


async def test_the_lag_and_the_size_of_the_store_are_measured_once_the_figures_are_open() -> None:
    async with Hub("memory:") as hub:
        metrics = Metrics(hub, Siblings())
        await hub.publish("a", "x" * 1000)
        assert b"tidings_store_bytes " not in generate_latest(metrics.counted)
        metrics.read_from.open()
        await reached(lambda: bool(value(metrics.counted, "tidings_loop_lag_seconds_count")))
        assert value(metrics.counted, "tidings_store_bytes") > 1000


async def test_every_expression_of_the_grafana_file_names_metrics_that_exist() -> None:
    async with Hub("memory:") as hub:
        metrics = Metrics(hub, Siblings())
        metrics.read_from.open()
        await asyncio.sleep(0)
        process = await asyncio.to_thread(generate_latest, metrics.process)
        text = (generate_latest(metrics.counted) + process).decode()
    exist = {sample.name for family in text_string_to_metric_families(text) for sample in family.samples}
    exist.add("tidings_store_bytes")
    expressions = list(expressions_of(json.loads(GRAFANA.read_text(encoding="utf-8"))))
    assert len(expressions) > 10
    for expression in expressions:
        named = set(re.findall(r"\b(?:tidings|process|python)_\w+", expression))
        assert named
        assert named <= exist, expression
    used = {name for expression in expressions for name in re.findall(r"\btidings_\w+", expression)}
    assert {name for name in OURS if name not in used} <= {"tidings_window_limit_bytes", "tidings_write_limit_bytes"}


def expressions_of(value: Any) -> Iterator[str]:
    """Yield every `expr` of a Grafana dashboard."""
    if isinstance(value, dict):
        if isinstance(value.get("expr"), str):
            yield value["expr"]
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from expressions_of(item)
