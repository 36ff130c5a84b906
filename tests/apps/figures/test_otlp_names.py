"""Names and labels of metrics, as OpenTelemetry's page about Prometheus says."""

from __future__ import annotations

import pytest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList

from tidings.apps.figures.otlp_names import labels_of, labels_of_resource, metric_name


def attribute(key: str, value: AnyValue) -> KeyValue:
    return KeyValue(key=key, value=value)


@pytest.mark.parametrize(
    ("name", "unit", "counter", "made"),
    [
        ("http.server.request.duration", "s", False, "http_server_request_duration_seconds"),
        ("disk.io", "By", True, "disk_io_bytes_total"),
        ("requests", "{request}", True, "requests_total"),
        ("requests_total", "", True, "requests_total"),
        ("wait_seconds", "s", False, "wait_seconds"),
        ("wait_seconds_total", "s", True, "wait_seconds_total"),
        ("rate", "By/s", False, "rate_bytes_per_second"),
        ("rate", "{item}/min", False, "rate_per_minute"),
        ("odd", "fur/long!", False, "odd_fur_per_long"),
        ("odd", "/s", False, "odd_per_second"),
        ("odd", "s/", False, "odd_s"),
        ("share", "1", False, "share"),
        ("a//b--c", "", False, "a_b_c"),
        ("2nd", "", False, "_2nd"),
        ("grün:x", "", False, "gr_n_x"),
    ],
)
def test_a_name_has_its_unit_and_its_kind(name: str, unit: str, counter: bool, made: str) -> None:
    assert metric_name(name, unit, counter=counter) == made


def test_values_of_every_type_become_texts() -> None:
    values = {
        "text": AnyValue(string_value="ü"),
        "flag": AnyValue(bool_value=True),
        "whole": AnyValue(int_value=2**62),
        "real": AnyValue(double_value=0.5),
        "none": AnyValue(),
        "bytes": AnyValue(bytes_value=b"\xff"),
        "list": AnyValue(array_value=ArrayValue(values=[AnyValue(int_value=1), AnyValue(string_value="b")])),
        "map": AnyValue(kvlist_value=KeyValueList(values=[attribute("k", AnyValue(bool_value=False))])),
    }
    assert labels_of(attribute(*each) for each in values.items()) == {
        "text": "ü",
        "flag": "true",
        "whole": str(2**62),
        "real": "0.5",
        "none": "",
        "bytes": '"/w=="',
        "list": '[1,"b"]',
        "map": '{"k":false}',
    }


def test_keys_that_become_one_label_share_it() -> None:
    given = [attribute(key, AnyValue(string_value=key)) for key in ("a.b", "a_b", "9")]
    assert labels_of(given) == {"a_b": "a.b;a_b", "_9": "9"}


def test_a_resource_is_known_by_its_service() -> None:
    def resource(**given: str) -> dict[str, str]:
        return labels_of_resource(
            attribute(f"service.{key}", AnyValue(string_value=value)) for key, value in given.items()
        )

    assert resource() == {}
    assert resource(namespace="a") == {}
    assert resource(name="shop") == {"job": "shop"}
    assert resource(name="shop", namespace="a", **{"instance.id": "1"}) == {"job": "a/shop", "instance": "1"}
