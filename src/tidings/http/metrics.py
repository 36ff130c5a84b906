"""Metrics for Prometheus, read from the hub at each scrape, so that counting costs the hot path nothing.

Where several workers serve, each of them answers for all: the label `worker` tells their figures apart.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.samples import Sample

from tidings.api import Hub
from tidings.runs.figures import OUTCOMES

from .figures import Figures

Figure = tuple[str, dict[str, str], float]
"""A sample of a metric: its name, its labels and its value."""

STREAMS = "tidings_streams_open"


class Siblings:
    """The workers of a server as one of them knows them: its own number, and the figures that others told last.

    `number` is 0 in a process that serves by itself.
    """

    def __init__(self, number: int = 0) -> None:
        self.number = number
        self.others: dict[int, list[Figure]] = {}

    def streams(self) -> int:
        """Return the open streams of the other workers, as of a second ago."""
        return int(sum(value for figures in self.others.values() for name, _, value in figures if name == STREAMS))


class HubCollector:
    """Collects the figures of the process at the moment of the scrape."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        reading = self._figures.read()
        counts = reading.counts
        for name, text, value in (
            ("tidings_events_published", "Events appended by this process.", counts.published),
            ("tidings_events_delivered", "Events handed to readers' connections.", counts.delivered),
            ("tidings_writes", "Writes by flushes: many events share one.", counts.writes),
            ("tidings_run_tokens", "Pieces of text that models wrote: tokens, for most models.", reading.tokens),
        ):
            yield CounterMetricFamily(name, text, value=value)
        for name, text, value in (
            (STREAMS, "Open event streams.", counts.streams),
            ("tidings_streams_catching_up", "Open streams that are behind.", counts.behind),
            ("tidings_topics_warm", "Topics whose recent events this process holds.", counts.topics),
            ("tidings_window_bytes", "Memory of these events.", counts.window_bytes),
            ("tidings_window_limit_bytes", "The most memory for recent events.", counts.window_limit),
            ("tidings_write_bytes", "Memory that slow readers keep.", counts.write_bytes),
            ("tidings_write_limit_bytes", "The most memory that slow readers may keep.", counts.write_limit),
            ("tidings_draining", "1 while the process ends its streams.", int(reading.draining)),
            ("tidings_runs_open", "Runs that this process makes.", reading.runs),
        ):
            yield GaugeMetricFamily(name, text, value=value)
        if reading.store is not None:
            yield GaugeMetricFamily("tidings_store_bytes", "The bytes that the store takes.", value=reading.store)
        ended = CounterMetricFamily("tidings_runs_ended", "Runs that have ended, by outcome.", labels=["outcome"])
        for outcome in OUTCOMES:
            ended.add_metric([outcome], reading.ended.get(outcome, 0))
        yield ended
        for name, text, timings in (
            ("tidings_publish_seconds", "Times from publishing to the answer.", reading.appends),
            ("tidings_commit_seconds", "Times that the store took for a change.", reading.commits),
            ("tidings_loop_lag_seconds", "Times by which the event loop was late.", reading.lag),
            ("tidings_run_first_token_seconds", "Times until a model's first token.", reading.first_token),
        ):
            yield HistogramMetricFamily(name, text, buckets=timings.buckets(), sum_value=timings.total)


class WorkersCollector:
    """Collects what `registry` collects, and the same figures of the other workers, each with its worker as a label."""

    def __init__(self, registry: CollectorRegistry, siblings: Siblings) -> None:
        self._registry = registry
        self._siblings = siblings

    def collect(self) -> Iterator[Metric]:
        siblings = self._siblings
        for family in self._registry.collect():
            if siblings.number:
                names = {sample.name for sample in family.samples}
                mine = [(sample.name, sample.labels, sample.value) for sample in family.samples]
                family.samples = [
                    Sample(name, {**labels, "worker": str(number)}, value)
                    for number, figures in sorted({**siblings.others, siblings.number: mine}.items())
                    for name, labels, value in figures
                    if name in names
                ]
            yield family


class Metrics:
    """The metrics of a hub and of its process.

    `counted` is to be collected on the hub's loop, `process` in a thread, since it reads files. Both are apart from
    the default registry, so that two hubs in one process do not collide. `read_from` has the figures of the hub.
    """

    def __init__(self, hub: Hub, siblings: Siblings) -> None:
        own, process = CollectorRegistry(), CollectorRegistry()
        self.read_from: Figures = Figures(hub)
        own.register(HubCollector(self.read_from))
        ProcessCollector(registry=process)
        PlatformCollector(registry=process)
        GCCollector(registry=process)
        self.counted: WorkersCollector = WorkersCollector(own, siblings)
        self.process: WorkersCollector = WorkersCollector(process, siblings)
        self._own: tuple[CollectorRegistry, CollectorRegistry] = (own, process)

    async def figures(self) -> list[Figure]:
        """Return the figures of this worker, for the others."""
        own, process = self._own
        return [*_figures(own), *await asyncio.to_thread(_figures, process)]


def _figures(registry: CollectorRegistry) -> list[Figure]:
    samples = [sample for family in registry.collect() for sample in family.samples]
    return [(sample.name, dict(sample.labels), sample.value) for sample in samples]
