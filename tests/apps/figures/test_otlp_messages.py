"""The bodies of OpenTelemetry's protocol: what is read of them, and what is written."""

from __future__ import annotations

import gzip
import os
import zlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse

from tidings.apps.figures.otlp_messages import FREE, LARGEST, RATIO, read_request, unpacked, write_response
from tidings.errors import InvalidRequest, TooLarge


def test_a_gzip_body_is_unpacked_up_to_its_limits() -> None:
    noise = os.urandom(LARGEST)
    assert unpacked(gzip.compress(noise, 1)) == noise
    assert unpacked(gzip.compress(bytes(FREE))) == bytes(FREE)
    with pytest.raises(TooLarge):
        unpacked(gzip.compress(noise + b"x", 1))
    bomb = gzip.compress(bytes(FREE + 1))
    assert len(bomb) * RATIO < FREE
    with pytest.raises(TooLarge, match="times its size"):
        unpacked(bomb)


@pytest.mark.parametrize(
    "body",
    [b"", b"\x1f\x8b", zlib.compress(b"x"), gzip.compress(b"x", mtime=0)[:-1], gzip.compress(b"x", mtime=0) + b"y"],
)
def test_a_body_that_is_not_one_whole_gzip_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest, match="gzip"):
        unpacked(body)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    for encoding in ("application/x-protobuf", "application/json"):
        with suppress(InvalidRequest):
            read_request(body, encoding)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "null",
        '{"resourceMetrics": {}}',
        '{"resourceMetrics": [null]}',
        '{"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": 5}]}]}]}',
        '{"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": "\\ud800"}]}]}]}',
        '{"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"gauge": {"dataPoints": [{"asInt": "x"}]}}]}]}]}',
        '{"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"gauge": {"dataPoints": [{"timeUnixNano": -1}]}}]}]}]}',
        '{"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"sum": {}, "gauge": {}}]}]}]}',
    ],
)
def test_json_of_wrong_types_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(InvalidRequest, match="The body is not"):
        read_request(text.encode(), "application/json")


def test_the_answer_leaves_the_partial_success_out_if_nothing_was_refused() -> None:
    assert write_response(0, "", "application/x-protobuf") == b""
    assert write_response(0, "", "application/json") == b"{}"
    made = ExportMetricsServiceResponse.FromString(write_response(3, "why", "application/x-protobuf"))
    assert (made.partial_success.rejected_data_points, made.partial_success.error_message) == (3, "why")
