"""The numbers of one process for Prometheus, read from the hub when they are asked for."""

from __future__ import annotations

import asyncio

from prometheus_client import CollectorRegistry, generate_latest

from tidings import Hub
from tidings.http.metrics import registries

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


def value(registry: CollectorRegistry, name: str) -> float:
    found = registry.get_sample_value(name)
    assert found is not None, name
    return found


async def test_the_numbers_are_those_of_the_moment() -> None:
    async with Hub("memory:") as hub:
        counted, _ = registries(hub)
        assert value(counted, "tidings_events_published_total") == 0
        await hub.publish("a", "one")
        await hub.publish("a", "two")
        assert value(counted, "tidings_events_published_total") == 2
        assert value(counted, "tidings_draining") == 0
        hub.drain()
        assert value(counted, "tidings_draining") == 1


async def test_every_number_has_its_name_its_kind_and_a_sentence() -> None:
    async with Hub("memory:") as hub:
        counted, _ = registries(hub)
        text = generate_latest(counted).decode()
    for name, kind in OURS.items():
        assert f"# TYPE {name} {kind}" in text
        assert any(line.startswith(f"# HELP {name} ") and line.endswith((".", "go.")) for line in text.splitlines())
        assert value(counted, name) >= 0


async def test_the_process_is_read_in_a_thread_and_each_hub_has_numbers_of_its_own() -> None:
    async with Hub("memory:") as one, Hub("memory:") as two:
        (first, process), (second, _) = registries(one), registries(two)
        await one.publish("a", "x")
        assert value(first, "tidings_events_published_total") == 1
        assert value(second, "tidings_events_published_total") == 0
        text = (await asyncio.to_thread(generate_latest, process)).decode()
    assert "process_resident_memory_bytes " in text
    assert "python_info{" in text
    assert "tidings_" not in text
