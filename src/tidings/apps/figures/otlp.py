"""PURE: figures from the metrics of OpenTelemetry, by the messages of its protocol."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from hashlib import blake2b
from itertools import accumulate, pairwise
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AGGREGATION_TEMPORALITY_CUMULATIVE,
    AGGREGATION_TEMPORALITY_DELTA,
    DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK,
    Metric,
)
from prometheus_client.utils import floatToGoString

from tidings.errors import InvalidRequest
from tidings.log.names import MAX_NAME, valid_topic

from .figures import Figure, Figures
from .growth import SECOND, Growth, Seen
from .otlp_names import labels_of, labels_of_resource, metric_name

MOST = 50_000
"""Figures that one request may have. It also limits its resources, scopes and metrics."""

LONGEST = 16_384
"""Characters of the labels of a figure. A resource gives its labels to each of its points."""


class Export:
    """The figures of one request, `figures`, by the names and labels that a Prometheus exporter would give them.

    A gauge is a figure `{"value", "labels"}`. What only grows has also a `rate`, its growth a second. A sum or a
    histogram that tells its growth alone (temporality delta) has `delta` in place of `value`. A histogram has the
    figures of its buckets, its count and its sum. Each point is taken whole, or refused.

    `seen` has the values of counters, for `Growth.keep`. `timed`: every point has a time, so that an equal request is
    the same one again. Raises InvalidRequest for more than is taken at once.
    """

    def __init__(
        self,
        request: ExportMetricsServiceRequest,
        growth: Growth,
        now: int,
        check: Callable[[str], str] = valid_topic,
        sender: str = "",
    ) -> None:
        self.figures: Figures = Figures(MOST, check)
        self.seen: Seen = {}
        self.timed: bool = True
        self.growth = growth
        self.now = now
        self._sender = sender
        self._parts = 0
        for resource in self._few(request.resource_metrics):
            labels = labels_of_resource(resource.resource.attributes)
            for scope in self._few(resource.scope_metrics):
                seed = _digest(f"{self._sender}\0{scope.scope.name}")
                for metric in self._few(scope.metrics):
                    self._take(metric, labels, seed)

    def _few(self, parts: Iterable[Any]) -> Iterator[Any]:
        for part in parts:
            self._parts += 1
            if self._parts > MOST:
                raise InvalidRequest(f"At most {MOST:,} resources, scopes, metrics and points are taken at once.")
            yield part

    def _take(self, metric: Metric, labels: dict[str, str], seed: str) -> None:
        kind = metric.WhichOneof("data")
        if kind is None:
            return
        data = getattr(metric, kind)
        counter = kind == "sum" and data.is_monotonic
        name = metric_name(metric.name, metric.unit, counter=counter)
        make = {
            "gauge": self._gauge,
            "sum": self._sum,
            "histogram": self._histogram,
            "exponential_histogram": self._counts,
            "summary": self._summary,
        }[kind]
        for point in self._few(data.data_points):
            self.timed = self.timed and point.time_unix_nano > 0
            if point.flags & DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK:
                continue
            try:
                if len(name) > MAX_NAME:
                    raise _Wrong(f"The name of a metric is at most {MAX_NAME} characters.")
                series = _Series(self, name, {**labels_of(point.attributes), **labels}, point, data, seed)
                self.figures.add_point(make(series))
            except _Wrong as error:
                self.figures.refuse(name, error)

    def _gauge(self, series: _Series) -> Iterator[Figure]:
        yield series.figure("", series.number())

    def _sum(self, series: _Series) -> Iterator[Figure]:
        yield series.figure("", series.number(), grows=series.data.is_monotonic)

    def _counts(self, series: _Series) -> Iterator[Figure]:
        yield series.figure("_count", float(series.point.count), grows=True)
        if series.point.HasField("sum"):
            yield series.figure("_sum", series.point.sum, grows=True)

    def _histogram(self, series: _Series) -> Iterator[Figure]:
        point = series.point
        counts, bounds = list(point.bucket_counts) or [point.count], list(point.explicit_bounds)
        if len(counts) != len(bounds) + 1 or sum(counts) != point.count:
            raise _Wrong("A histogram has one bucket more than bounds, and its count is the sum of theirs.")
        if not all(map(math.isfinite, bounds)) or any(a >= b for a, b in pairwise(bounds)):
            raise _Wrong("The bounds of a histogram are numbers that grow.")
        for bound, count in zip([*bounds, math.inf], accumulate(counts), strict=True):
            yield series.figure("_bucket", float(count), ("le", _label(bound)), grows=True)
        yield from self._counts(series)

    def _summary(self, series: _Series) -> Iterator[Figure]:
        for each in series.point.quantile_values:
            yield series.figure("", each.value, ("quantile", _label(each.quantile)))
        yield series.figure("_count", float(series.point.count), grows=True)
        yield series.figure("_sum", series.point.sum, grows=True)


class _Wrong(InvalidRequest):
    """A point that is refused, beside others that are taken."""


class _Series:
    """A point, and what its figures are made with."""

    def __init__(self, export: Export, name: str, labels: dict[str, str], point: Any, data: Any, seed: str) -> None:
        if sum(map(len, (*labels, *labels.values()))) > LONGEST:
            raise _Wrong(f"The labels of a figure are at most {LONGEST:,} characters.")
        # Gauges and summaries have no temporality. What a summary counts has grown since its start.
        temporality = getattr(data, "aggregation_temporality", AGGREGATION_TEMPORALITY_CUMULATIVE)
        if temporality not in (AGGREGATION_TEMPORALITY_CUMULATIVE, AGGREGATION_TEMPORALITY_DELTA):
            raise _Wrong("The aggregation temporality is cumulative or delta.")
        self.point = point
        self.data = data
        self._export = export
        self._name = name
        self._labels = labels
        self._start = point.start_time_unix_nano
        self._time = point.time_unix_nano or export.now
        self._delta = temporality == AGGREGATION_TEMPORALITY_DELTA
        # A counter that begins anew has another start. Programs with equal labels are told apart by theirs.
        self._key = _digest(f"{seed}\0{name}\0{self._start}\0{sorted(labels.items())}")

    def number(self) -> float:
        """Return the number of a gauge or a sum. Raises _Wrong."""
        kind = self.point.WhichOneof("value")
        if kind is None:
            raise _Wrong("The point has no number.")
        return float(getattr(self.point, kind))

    def figure(self, end: str, value: float, label: tuple[str, str] | None = None, *, grows: bool = False) -> Figure:
        """Return a figure of the metric whose name ends so. `grows`: the figure has a rate, if one is known."""
        numbers = {"delta" if self._delta else "value": value}
        if grows and math.isfinite(value) and (rate := self._rate(end, value, label)) is not None:
            numbers["rate"] = rate
        return self._name + end, numbers, {**self._labels, label[0]: label[1]} if label else self._labels

    def _rate(self, end: str, value: float, label: tuple[str, str] | None) -> float | None:
        if self._delta:
            return value / ((self._time - self._start) / SECOND) if 0 < self._start < self._time else None
        return self._export.growth.rate(self._export.seen, f"{self._key}{end}{label or ''}", self._time, value)


def _label(number: float) -> str:
    text: str = floatToGoString(number)  # type: ignore[no-untyped-call]
    return text


def _digest(text: str) -> str:
    return blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()
