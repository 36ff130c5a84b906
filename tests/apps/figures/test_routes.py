"""`POST /v1/metrics`: what is stored, what is refused, and how both are answered."""

from __future__ import annotations

import asyncio
import gzip
import json
import sys
from typing import Any

import httpx
import pytest
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)

from tests.apps.members import SECRET
from tests.http.conftest import Server, serving
from tidings.access.tokens import sign
from tidings.apps.figures import routes
from tidings.apps.figures.otlp_messages import LARGEST
from tidings.apps.figures.otlp_names import metric_name
from tidings.errors import Unavailable

pytestmark = pytest.mark.asyncio(loop_scope="module")

PROTOBUF = "application/x-protobuf"
JSON = "application/json"


def message(name: str, *values: float, time: int = 1_000_000_000) -> ExportMetricsServiceRequest:
    """A request of one gauge."""
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add()
    metric.name = name
    metric.gauge.SetInParent()
    for value in values:
        metric.gauge.data_points.add(as_double=value, time_unix_nano=time)
    return request


async def post(
    server: Server, body: bytes, kind: str = PROTOBUF, publish: str = "figures.*", **headers: str
) -> httpx.Response:
    token = sign(SECRET, "shop", publish=[publish], subscribe=(), seconds=60)
    sent = {"authorization": f"Bearer {token}", "content-type": kind, **headers}
    return await server.client.post("/v1/metrics", content=body, headers=sent)


async def events(server: Server, topic: str) -> list[Any]:
    return [json.loads(event.data) for event in (await server.hub.read(topic)).events]


@pytest.mark.parametrize("kind", [PROTOBUF, JSON])
async def test_points_that_are_no_numbers_are_counted_in_the_answer(server: Server, id: str, kind: str) -> None:
    request = message(f"{id}.{kind[-4:]}", 1.0, float("nan"), 2.0)
    text = json.dumps(
        {
            "resourceMetrics": [
                {
                    "unknown": 1,
                    "scopeMetrics": [
                        {
                            "metrics": [
                                {
                                    "name": f"{id}.json",
                                    "gauge": {
                                        "dataPoints": [
                                            {"asDouble": 1.0, "timeUnixNano": "1"},
                                            {"asDouble": "NaN", "timeUnixNano": "1"},
                                            {"asInt": "2", "timeUnixNano": "1"},
                                        ]
                                    },
                                }
                            ]
                        }
                    ],
                }
            ]
        }
    )
    answer = await post(server, text.encode() if kind == JSON else request.SerializeToString(), kind)
    assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
    name = metric_name(f"{id}.{kind[-4:]}", "", counter=False)
    reason = f"{name}: JSON has no number nan."
    if kind == JSON:
        assert answer.json() == {"partialSuccess": {"rejectedDataPoints": "1", "errorMessage": reason}}
    else:
        partial = ExportMetricsServiceResponse.FromString(answer.content).partial_success
        assert (partial.rejected_data_points, partial.error_message) == (1, reason)
    assert [event["value"] for event in await events(server, f"figures.{name}")] == [1.0, 2.0]


@pytest.mark.parametrize(("body", "kind"), [(b"", PROTOBUF), (b"{}", JSON)])
async def test_an_empty_request_succeeds_without_a_partial_success(server: Server, body: bytes, kind: str) -> None:
    answer = await post(server, body, kind)
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, body, kind)


@pytest.mark.parametrize(
    ("body", "kind", "encoding", "status", "words"),
    [
        (b"\xff\xff", PROTOBUF, "", 400, "not an ExportMetricsServiceRequest"),
        (b"{", JSON, "", 400, "not JSON"),
        (b"[]", JSON, "", 400, "not an ExportMetricsServiceRequest"),
        (b'{"resourceMetrics": 5}', JSON, "", 400, "not an ExportMetricsServiceRequest"),
        (b'{"resourceMetrics": [{"resource": "x"}]}', JSON, "", 400, "not an ExportMetricsServiceRequest"),
        (b'"\xff"', JSON, "", 400, "UTF-8"),
        (b"[" * 5000, JSON, "", 400, "levels"),
        (b"[" + b"1," * 200_000 + b"1]", JSON, "", 413, "values"),
        (b"", "text/plain", "", 415, "application/x-protobuf"),
        (b"", PROTOBUF, "br", 415, "gzip"),
        (b"no gzip", PROTOBUF, "gzip", 400, "gzip"),
        (gzip.compress(b"x" * 1000, mtime=0)[:-9], PROTOBUF, "gzip", 400, "cut off"),
        (gzip.compress(b"", mtime=0) * 2, PROTOBUF, "gzip", 400, "after its end"),
        (gzip.compress(bytes(100_000_000), mtime=0), PROTOBUF, "gzip", 413, "unpacks"),
        (b"x" * (LARGEST + 1), PROTOBUF, "", 413, "bytes"),
        (message("many", *[1.0] * 60_000).SerializeToString(), PROTOBUF, "", 400, "At most"),
        (b"\x0a\x00" * 1_000_000, PROTOBUF, "", 400, "At most 50,000"),
    ],
)
async def test_a_bad_body_is_refused_with_a_status_in_its_encoding(
    server: Server, body: bytes, kind: str, encoding: str, status: int, words: str
) -> None:
    answer = await post(server, body, kind, **({"content-encoding": encoding} if encoding else {}))
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == (PROTOBUF if kind == PROTOBUF else JSON)
    said = Status.FromString(answer.content).message if kind == PROTOBUF else answer.json()["message"]
    assert words in said
    assert await server.hub.log.describe("figures.many") is None


async def test_a_request_without_a_token_is_refused(server: Server) -> None:
    answer = await server.client.post("/v1/metrics", content=b"", headers={"content-type": PROTOBUF})
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert Status.FromString(answer.content).message


async def test_the_right_to_publish_to_a_topic_is_the_right_to_its_figures(server: Server) -> None:
    request = message("right_a", 1.0)
    request.MergeFrom(message("right_b", 2.0, 3.0))
    answer = await post(server, request.SerializeToString(), publish="figures.right_a")
    partial = ExportMetricsServiceResponse.FromString(answer.content).partial_success
    assert partial.rejected_data_points == 2
    assert partial.error_message == "right_b: Your token does not allow publishing to figures.right_b."
    assert [event["value"] for event in await events(server, "figures.right_a")] == [1.0]
    assert await server.hub.log.describe("figures.right_b") is None
    refused = await post(server, request.SerializeToString(), publish="other.*")
    assert refused.status_code == 403


async def test_the_same_request_again_stores_nothing_twice(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    body = message("again_a", 1.0)
    body.MergeFrom(message("again_b", 2.0))
    append = server.hub.log.append

    async def failing(topic: str, *args: Any, **options: Any) -> Any:
        if topic == "figures.again_b":
            raise Unavailable("The store cannot be reached.", retry_after=3)
        return await append(topic, *args, **options)

    monkeypatch.setattr(server.hub.log, "append", failing)
    answer = await post(server, body.SerializeToString())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "3")
    monkeypatch.undo()
    for encoding in ("", "gzip"):  # packed or not, it is the same request
        sent = body.SerializeToString()
        packed = gzip.compress(sent) if encoding else sent
        assert (await post(server, packed, **({"content-encoding": "gzip"} if encoding else {}))).status_code == 200
    assert len(await events(server, "figures.again_a")) == 1
    assert len(await events(server, "figures.again_b")) == 1
    untimed = message("untimed", 1.0, time=0).SerializeToString()
    for _ in range(2):
        assert (await post(server, untimed)).status_code == 200
    assert len(await events(server, "figures.untimed")) == 2


async def test_points_of_a_closed_topic_are_counted_each_once(server: Server) -> None:
    for topic in ("figures.shut_sum", "figures.shut_bucket"):
        await server.hub.publish(topic, {}, close=True)
    request = message("open", 1.0)
    metric = request.resource_metrics[0].scope_metrics[0].metrics.add(name="shut")
    metric.histogram.aggregation_temporality = 2  # type: ignore[assignment]
    metric.histogram.data_points.add(count=1, sum=1.0, bucket_counts=[0, 1], explicit_bounds=[1.0], time_unix_nano=5)
    answer = await post(server, request.SerializeToString())
    partial = ExportMetricsServiceResponse.FromString(answer.content).partial_success
    assert partial.rejected_data_points == 1
    assert "closed" in partial.error_message
    assert len(await events(server, "figures.open")) == 1


async def test_a_person_over_a_limit_is_told_when_to_come_again() -> None:
    async with serving(secret=SECRET) as server:
        token = sign(SECRET, "a", publish=["figures.*"], subscribe=(), seconds=60, limits={"publishes": 3, "topics": 9})
        headers = {"authorization": f"Bearer {token}", "content-type": PROTOBUF}

        async def sent(*values: float) -> httpx.Response:
            content = message("limited", *values).SerializeToString()
            return await server.client.post("/v1/metrics", content=content, headers=headers)

        assert (await sent(1.0, 2.0)).status_code == 200
        answer = await sent(3.0, 4.0)
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) >= 1
        assert (await sent(1, 2, 3, 4)).status_code == 413
        assert len(await events(server, "figures.limited")) == 2


async def test_requests_beyond_those_that_may_wait_are_sent_away(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "WAITING", 1)
    answers = await asyncio.gather(*(post(server, message("busy", n).SerializeToString()) for n in range(20)))
    assert {answer.status_code for answer in answers} == {200, 429}
    assert {answer.headers.get("retry-after") for answer in answers} == {None, "1"}
    taken = sum(answer.status_code == 200 for answer in answers)
    assert len(await events(server, "figures.busy")) == taken


@pytest.mark.parametrize("kind", [PROTOBUF, JSON])
async def test_a_server_without_the_library_names_what_installs_it(
    server: Server, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    for name in list(sys.modules):
        if name.startswith("tidings.apps.figures.otlp"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "opentelemetry.proto.collector.metrics.v1.metrics_service_pb2", None)
    answer = await post(server, b"", kind)
    assert answer.status_code == 501
    said = Status.FromString(answer.content).message if kind == PROTOBUF else answer.json()["message"]
    assert said.endswith("is not installed. Run: pip install 'tidings[otlp]'")


async def test_a_status_of_any_length_is_one_of_google_rpc() -> None:
    for length in (0, 1, 127, 128, 20_000):
        text = "é" * length
        assert Status.FromString(routes.write_status(text, PROTOBUF)) == Status(message=text)
