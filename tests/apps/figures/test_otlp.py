"""Figures from the metrics of OpenTelemetry, which its unmodified SDK sends to a real server."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.sdk.metrics import Counter, MeterProvider
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    InMemoryMetricReader,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.resources import Resource
from prometheus_client import CollectorRegistry, generate_latest

from tests.serving import ServerProcess
from tidings import Client
from tidings.apps.figures.growth import SECOND, Growth
from tidings.apps.figures.otlp import LONGEST, MOST, Export
from tidings.apps.figures.prometheus import Exporter
from tidings.errors import InvalidRequest

LABELS = {"job": "shop", "instance": "shop-1"}


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(f"sqlite:///{tmp_path_factory.mktemp('otlp')}/tidings.db") as server:
        yield server


def provider(url: str, **options: Any) -> MeterProvider:
    """The meters of a program, whose unmodified exporter exports when it is flushed."""
    exporter = OTLPMetricExporter(f"{url}/v1/metrics", **options)
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=3_600_000)
    resource = Resource({"service.name": "shop", "service.instance.id": "shop-1"})
    return MeterProvider([reader], resource, shutdown_on_exit=False)


def stored(url: str, topic: str) -> list[Any]:
    with Client(url) as client:
        return [event.json() for event in client.read(topic).events]


def stored_text(figures: dict[str, list[tuple[str, str]]]) -> dict[str, list[Any]]:
    return {
        topic.removeprefix("figures."): [json.loads(data) for _, data in events] for topic, events in figures.items()
    }


def request() -> tuple[ExportMetricsServiceRequest, Metric]:
    made = ExportMetricsServiceRequest()
    return made, made.resource_metrics.add().scope_metrics.add().metrics.add(name="m")


def taken(message: ExportMetricsServiceRequest, growth: Growth | None = None, now: int = 0) -> Export:
    growth = growth or Growth()
    export = Export(message, growth, now)
    growth.keep(export.seen)
    return export


@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip])
def test_the_exporter_of_opentelemetry_is_read_back_and_drawn(process: ServerProcess, compression: Compression) -> None:
    name = compression.value
    meters = provider(process.url, compression=compression)
    meter = meters.get_meter("shop")
    paid = meter.create_counter(f"orders.paid.{name}", unit="{order}")
    took = meter.create_histogram(f"took.{name}", unit="s", explicit_bucket_boundaries_advisory=[0.5, 2.5])
    waiting = meter.create_up_down_counter(f"waiting.{name}")

    def load(options: CallbackOptions) -> list[Observation]:
        return [Observation(0.5, {"host.name": "a"})]

    meter.create_observable_gauge(f"load.{name}", [load])
    paid.add(3, {"country": "DE"})
    took.record(0.25)
    took.record(1)
    waiting.add(-2)
    assert meters.force_flush()
    paid.add(4, {"country": "DE"})
    paid.add(1, {"country": "FR"})
    assert meters.force_flush()
    meters.shutdown()

    counted = stored(process.url, f"figures.orders_paid_{name}_total")
    assert [(e["labels"]["country"], e["value"], "rate" in e) for e in counted[:3]] == [
        ("DE", 3.0, False),
        ("DE", 7.0, True),
        ("FR", 1.0, False),
    ]
    assert counted[1]["rate"] > 0
    assert counted[0]["labels"] == {"country": "DE", **LABELS}
    assert stored(process.url, f"figures.load_{name}")[0] == {"value": 0.5, "labels": {"host_name": "a", **LABELS}}
    assert stored(process.url, f"figures.waiting_{name}")[0] == {"value": -2.0, "labels": LABELS}
    buckets = stored(process.url, f"figures.took_{name}_seconds_bucket")[:3]
    assert [(e["labels"]["le"], e["value"]) for e in buckets] == [("0.5", 1.0), ("2.5", 2.0), ("+Inf", 2.0)]
    assert stored(process.url, f"figures.took_{name}_seconds_sum")[0]["value"] == 1.25
    assert stored(process.url, f"figures.took_{name}_seconds_count")[0]["value"] == 2.0

    query = f"topic=figures.orders_paid_{name}_total&field=value&agg=last&by=labels.country"
    lines = httpx.get(f"{process.url}/series?{query}").json()["lines"]
    assert [(line["group"], [v for v in line["values"] if v is not None][-1]) for line in lines] == [
        ("DE", 7.0),
        ("FR", 1.0),
    ]


def test_a_counter_of_deltas_is_told_apart_from_a_total(process: ServerProcess) -> None:
    meters = provider(process.url, preferred_temporality={Counter: AggregationTemporality.DELTA})
    sold = meters.get_meter("shop").create_counter("sold")
    for amount in (3, 4):
        sold.add(amount)
        assert meters.force_flush()
    meters.shutdown()
    first, second, *_ = stored(process.url, "figures.sold_total")
    assert (first["delta"], second["delta"], "value" in first) == (3.0, 4.0, False)
    assert second["rate"] > 0


def test_a_point_that_is_no_number_stops_no_other(process: ServerProcess) -> None:
    meters = provider(process.url)
    meters.get_meter("shop").create_gauge("broken").set(math.nan)
    meters.get_meter("shop").create_gauge("whole").set(1)
    assert meters.force_flush()
    meters.shutdown()
    assert httpx.get(f"{process.url}/topics/figures.broken").status_code == 404
    assert stored(process.url, "figures.whole")[0] == {"value": 1.0, "labels": LABELS}


def test_names_and_labels_are_those_of_opentelemetry_s_exporter_for_prometheus() -> None:
    """A chart sees metrics alike, whether they are sent to the server or scraped."""
    registry, sent = CollectorRegistry(), InMemoryMetricReader()
    scraped = PrometheusMetricReader(True, scope_info_enabled=False, registry=registry)
    meters = MeterProvider([scraped, sent], shutdown_on_exit=False, resource=Resource({}))
    meter = meters.get_meter("shop")
    meter.create_counter("http.requests", unit="{request}").add(3, {"http.route": "/a", "ok": True, "code": 200})
    meter.create_counter("disk.io", unit="By").add(1.5)
    meter.create_counter("paid_total").add(1)
    meter.create_gauge("temperature", unit="Cel").set(21)
    meter.create_gauge("share", unit="1").set(0.5)
    meter.create_gauge("speed", unit="m/s").set(3)
    meter.create_up_down_counter("queue--length").add(4, {"a.b": "x"})
    meter.create_histogram("took", unit="s", explicit_bucket_boundaries_advisory=[0.005, 1.0, 10.0]).record(0.5)
    text = Exporter({}).take(generate_latest(registry).decode(), 1.0)
    data = sent.get_metrics_data()
    assert data is not None
    export = taken(encode_metrics(data))
    meters.shutdown()
    assert export.figures.refused == 0
    ours, theirs = stored_text(export.figures.topics), stored_text(text.topics)
    for events in ours.values():
        for event in events:
            if event.get("labels", {}).pop("job", None) and not event["labels"]:
                del event["labels"]
    assert ours == {name: events for name, events in theirs.items() if not name.endswith("_created")}


def test_a_counter_has_a_rate_from_its_own_times_until_it_begins_anew() -> None:
    growth, rates = Growth(), []
    for start, time, value in [(1, 10, 5), (1, 12, 9), (1, 12, 9), (1, 11, 8), (1, 14, 8), (20, 22, 3), (20, 24, 7)]:
        message, metric = request()
        metric.sum.is_monotonic = True
        metric.sum.aggregation_temporality = 2  # type: ignore[assignment]
        metric.sum.data_points.add(as_int=value, time_unix_nano=time * SECOND, start_time_unix_nano=start * SECOND)
        rates.append(stored_text(taken(message, growth).figures.topics)["m_total"][0].get("rate"))
    assert rates == [None, 2.0, None, None, None, None, 2.0]


def test_deltas_have_the_rate_of_their_own_interval() -> None:
    message, metric = request()
    metric.histogram.aggregation_temporality = 1  # type: ignore[assignment]
    metric.histogram.data_points.add(
        count=4, bucket_counts=[4], time_unix_nano=12 * SECOND, start_time_unix_nano=10 * SECOND
    )
    assert stored_text(taken(message).figures.topics) == {
        "m_bucket": [{"delta": 4.0, "rate": 2.0, "labels": {"le": "+Inf"}}],
        "m_count": [{"delta": 4.0, "rate": 2.0}],
    }


def test_a_summary_has_its_quantiles_and_an_exponential_histogram_its_count_and_sum() -> None:
    message, metric = request()
    point = metric.summary.data_points.add(count=2, sum=3.5, time_unix_nano=1)
    point.quantile_values.add(quantile=0.5, value=1.5)
    assert stored_text(taken(message).figures.topics) == {
        "m": [{"value": 1.5, "labels": {"quantile": "0.5"}}],
        "m_count": [{"value": 2.0}],
        "m_sum": [{"value": 3.5}],
    }
    message, metric = request()
    metric.exponential_histogram.aggregation_temporality = 2  # type: ignore[assignment]
    metric.exponential_histogram.data_points.add(count=2, sum=3.5, time_unix_nano=1)
    assert stored_text(taken(message).figures.topics) == {"m_count": [{"value": 2.0}], "m_sum": [{"value": 3.5}]}


def test_a_point_is_refused_whole_with_its_reason() -> None:
    broken: list[tuple[dict[str, Any], str]] = [
        ({"count": 1, "bucket_counts": [1], "sum": math.nan}, "nan"),
        ({"count": 2, "bucket_counts": [1]}, "one bucket more"),
        ({"count": 1, "bucket_counts": [1, 0, 0], "explicit_bounds": [1.0]}, "one bucket more"),
        ({"count": 1, "bucket_counts": [1, 0, 0], "explicit_bounds": [2.0, 1.0]}, "numbers that grow"),
        ({"count": 1, "bucket_counts": [1, 0], "explicit_bounds": [math.inf]}, "numbers that grow"),
    ]
    for point, reason in broken:
        message, metric = request()
        metric.histogram.aggregation_temporality = 2  # type: ignore[assignment]
        metric.histogram.data_points.add(time_unix_nano=1, **point)
        figures = taken(message).figures
        assert (figures.topics, figures.refused) == ({}, 1)
        assert reason in figures.reason


def test_points_of_no_number_or_temporality_are_refused() -> None:
    message, metric = request()
    metric.gauge.data_points.add(time_unix_nano=1)
    metric.gauge.data_points.add(time_unix_nano=1, flags=1)  # the program says itself that there is no value
    metric.gauge.data_points.add(time_unix_nano=1, as_int=7)
    figures = taken(message).figures
    assert (stored_text(figures.topics), figures.refused) == ({"m": [{"value": 7.0}]}, 1)
    assert figures.reason == "m: The point has no number."
    message, metric = request()
    metric.sum.data_points.add(time_unix_nano=1, as_int=7)
    assert "cumulative or delta" in taken(message).figures.reason


def test_long_names_and_labels_are_refused_before_they_are_copied() -> None:
    message, metric = request()
    metric.name = "x" * 1_000_000
    for _ in range(1000):
        metric.gauge.data_points.add(as_int=1)
    assert taken(message).figures.refused == 1000
    message, metric = request()
    message.resource_metrics[0].resource.attributes.add(key="service.name").value.string_value = "x" * LONGEST
    for _ in range(1000):
        metric.gauge.data_points.add(as_int=1)
    assert taken(message).figures.refused == 1000


def test_more_than_is_taken_at_once_is_refused() -> None:
    message, metric = request()
    for _ in range(MOST + 1):
        metric.gauge.data_points.add()
    with pytest.raises(InvalidRequest, match="At most"):
        taken(message)
    message, metric = request()
    metric.histogram.aggregation_temporality = 2  # type: ignore[assignment]
    bounds = [float(n) for n in range(MOST)]
    metric.histogram.data_points.add(explicit_bounds=bounds, bucket_counts=[0] * (MOST + 1))
    with pytest.raises(InvalidRequest, match="At most"):
        taken(message)


def test_a_request_with_a_point_of_no_time_is_not_known_again() -> None:
    message, metric = request()
    metric.gauge.data_points.add(as_int=1, time_unix_nano=1)
    assert taken(message).timed
    metric.gauge.data_points.add(as_int=1)
    assert not taken(message, now=5).timed
