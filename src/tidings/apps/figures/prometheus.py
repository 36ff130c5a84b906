"""PURE: figures from the text format of Prometheus, by the parser of its Python client."""

from __future__ import annotations

import math

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from tidings.errors import InvalidRequest

from .figures import Figures

COUNTED: dict[str, tuple[str, ...]] = {
    "counter": ("_total",),
    "histogram": ("_bucket", "_count", "_sum"),
    "summary": ("_count", "_sum"),
}
"""Ends of the names of samples that only grow, by the type of their metric."""


class Exporter:
    """The figures of one exporter: a figure `{"value", "labels"}` for each sample.

    A sample that only grows has also a `rate`: its growth a second since the last text; no rate where it has shrunk,
    as the exporter was started again. `labels` are added to those of each sample.
    """

    def __init__(self, labels: dict[str, str]) -> None:
        self._labels = labels
        self._grown: dict[tuple[str, ...], float] = {}
        self._at = 0.0

    def take(self, text: str, at: float) -> Figures:
        """Return the figures of a text that was read at a time, in seconds. Raises InvalidRequest."""
        try:
            metrics = list(text_string_to_metric_families(text))
        except (ValueError, LookupError, TypeError, AttributeError) as error:  # the parser trusts the text
            raise InvalidRequest(
                f"The text format of Prometheus is broken: {str(error)[:200] or 'a line is wrong'}."
            ) from None
        figures, grown = Figures(), {}
        for metric in metrics:
            for sample in metric.samples:
                value = _float(sample.value)
                numbers = {"value": value}
                if _grows(metric, sample):
                    key = sample.name, *(part for pair in sorted(sample.labels.items()) for part in pair)
                    grown[key] = value
                    growth = value - self._grown.get(key, math.nan)
                    if growth >= 0 and at > self._at:
                        numbers["rate"] = growth / (at - self._at)
                figures.add(sample.name, numbers, {**sample.labels, **self._labels})
        if not figures.topics:
            raise InvalidRequest(f"The text has no figures. {figures.reason}".strip())
        self._grown, self._at = grown, at
        return figures


def _float(value: float) -> float:
    """Return a number that JSON's readers know, since the parser makes whole numbers of any length."""
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _grows(metric: Metric, sample: Sample) -> bool:
    return sample.name.endswith(COUNTED.get(metric.type, ())) and sample.name != metric.name
