"""PURE: the names and the labels that metrics of OpenTelemetry have in Prometheus, by which charts find both alike.

The rules are those of OpenTelemetry's page "Prometheus and OpenMetrics Compatibility".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

UNITS = {
    "d": "days",
    "h": "hours",
    "min": "minutes",
    "s": "seconds",
    "ms": "milliseconds",
    "us": "microseconds",
    "ns": "nanoseconds",
    "By": "bytes",
    "KiBy": "kibibytes",
    "MiBy": "mebibytes",
    "GiBy": "gibibytes",
    "TiBy": "tibibytes",
    "KBy": "kilobytes",
    "MBy": "megabytes",
    "GBy": "gigabytes",
    "TBy": "terabytes",
    "m": "meters",
    "V": "volts",
    "A": "amperes",
    "J": "joules",
    "W": "watts",
    "g": "grams",
    "Cel": "celsius",
    "Hz": "hertz",
    "1": "",
    "%": "percent",
}
PERIODS = {"s": "second", "min": "minute", "m": "minute", "h": "hour", "d": "day", "w": "week", "mo": "month"}
"""Units after a stroke, such as the one of `By/s`."""

_OTHER = re.compile(r"[^a-zA-Z0-9]+")
_NOTE = re.compile(r"\{[^{}]*\}")


def metric_name(name: str, unit: str, *, counter: bool) -> str:
    """Return the name of a metric: `http.server.duration` in `s` is `http_server_duration_seconds`.

    A counter's name ends with `_total`.
    """
    made = _plain(name).removesuffix("_total") if counter else _plain(name)
    suffix = unit_name(unit)
    if suffix and not made.endswith(f"_{suffix}"):
        made = f"{made.removesuffix('_')}_{suffix}"
    return f"{made}_total" if counter else made


def unit_name(unit: str) -> str:
    """Return the word for a unit of UCUM, "" for none."""
    unit = _NOTE.sub("", unit)
    if unit in UNITS:
        return UNITS[unit]
    above, stroke, below = unit.partition("/")
    if not stroke or not below:
        return _OTHER.sub("_", unit).strip("_")
    above, below = UNITS.get(above, above), PERIODS.get(below, below)
    return _OTHER.sub("_", f"{above}_per_{below}").strip("_")


def labels_of(attributes: Iterable[KeyValue]) -> dict[str, str]:
    """Return the labels that attributes are. Values of keys that become one label are joined by semicolons."""
    labels: dict[str, list[str]] = {}
    for each in attributes:
        labels.setdefault(_plain(each.key), []).append(_text(each.value))
    return {name: ";".join(values) for name, values in labels.items()}


def labels_of_resource(attributes: Iterable[KeyValue]) -> dict[str, str]:
    """Return the labels `job` and `instance` of what a resource measures: the service, and its instance."""
    known = {each.key: _text(each.value) for each in attributes if each.key.startswith("service.")}
    job = known.get("service.name", "")
    if job and known.get("service.namespace"):
        job = f"{known['service.namespace']}/{job}"
    return {name: value for name, value in (("job", job), ("instance", known.get("service.instance.id", ""))) if value}


def _plain(name: str) -> str:
    made = _OTHER.sub("_", name)
    return f"_{made}" if made[:1].isdigit() else made


def _text(value: AnyValue) -> str:
    made = _value(value)
    return made if isinstance(made, str) else msgspec.json.encode(made).decode()


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(each) for each in value.array_value.values]
    if kind == "kvlist_value":
        return {each.key: _value(each.value) for each in value.kvlist_value.values}
    return "" if kind is None else getattr(value, kind)
