"""Metrics for Prometheus, read from the hub at each scrape, so that counting costs the hot path nothing."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from tidings.delivery.delivery import Counts
from tidings.delivery.hub import Hub


class HubCollector:
    """Collects the hub's counts at the moment of the scrape."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def collect(self) -> Iterator[Metric]:
        hub = self._hub
        counts = hub.delivery.counts() if hub.state != "closed" else Counts()
        for name, text, value in (
            ("tidings_events_published", "Events appended by this process.", counts.published),
            ("tidings_events_delivered", "Events handed to readers' connections.", counts.delivered),
            ("tidings_writes", "Writes by flushes: many events share one.", counts.writes),
        ):
            yield CounterMetricFamily(name, text, value=value)
        for name, text, value in (
            ("tidings_streams_open", "Open event streams.", counts.streams),
            ("tidings_streams_catching_up", "Open streams that are behind.", counts.behind),
            ("tidings_topics_warm", "Topics whose recent events this process holds.", counts.topics),
            ("tidings_window_bytes", "Memory of these events.", counts.window_bytes),
            ("tidings_window_limit_bytes", "The most memory for recent events.", counts.window_limit),
            ("tidings_write_bytes", "Memory that slow readers keep.", counts.write_bytes),
            ("tidings_write_limit_bytes", "The most memory that slow readers may keep.", counts.write_limit),
            ("tidings_draining", "1 while the process ends its streams.", int(hub.state == "draining")),
        ):
            yield GaugeMetricFamily(name, text, value=value)


def registries(hub: Hub) -> tuple[CollectorRegistry, CollectorRegistry]:
    """Return two registries: the hub's, to be collected on its loop, and the process's, to be collected in a thread.

    The second reads files. Both are apart from the default registry, so that two hubs in one process do not collide.
    """
    counted, process = CollectorRegistry(), CollectorRegistry()
    counted.register(HubCollector(hub))
    ProcessCollector(registry=process)
    PlatformCollector(registry=process)
    GCCollector(registry=process)
    return counted, process
