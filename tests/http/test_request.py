"""Requests, read strictly: a parameter, a key or a body that breaks a rule is refused and never repaired."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi import Request
from fastapi.exceptions import RequestValidationError

from tests.http.conftest import Server, WatchThreads
from tests.http.problems import problem
from tidings.errors import InvalidRequest
from tidings.http import request as module
from tidings.http.follow import FollowQuery
from tidings.http.publish import PublishQuery
from tidings.http.request import PARAMETERS, Query, address, client_key

JSON = {"content-type": "application/json"}

pytestmark = pytest.mark.asyncio(loop_scope="module")


def read(kind: type[Query], query: str) -> Any:
    return kind.read({"query_string": query.encode()})


async def test_a_query_has_its_fields_and_their_defaults() -> None:
    assert read(PublishQuery, "") == PublishQuery()
    assert read(PublishQuery, "type=a%20b&transient=true") == PublishQuery("a b", True)
    assert read(FollowQuery, "topic=a&topic=b&from=earliest") == FollowQuery(("a", "b"), "earliest")


@pytest.mark.parametrize(
    "query", ["type=a&type=b", "transient=1", "transient=True", "transient=", "typ=a", "=", "topic=a", "%00=1"]
)
async def test_a_query_that_breaks_a_rule_is_refused(query: str) -> None:
    with pytest.raises(RequestValidationError):
        read(PublishQuery, query)


async def test_a_query_has_at_most_100_parameters() -> None:
    few = "&".join(f"topic=t{n}" for n in range(PARAMETERS))
    assert len(read(FollowQuery, few).topic) == 100
    with pytest.raises(RequestValidationError) as refused:
        read(FollowQuery, few + "&topic=t")
    assert [error["msg"] for error in refused.value.errors()] == ["A query has at most 100 parameters"]


async def test_a_query_of_too_many_parameters_is_answered(server: Server) -> None:
    said = problem(await server.client.get("/topics/a/events?" + "a=1&" * 15_000), 422)
    assert said["errors"] == [{"at": "query", "message": "A query has at most 100 parameters"}]


@pytest.mark.parametrize("query", ["type=%FF", "type=%ED%A0%80", "type=\xff"])
async def test_a_query_that_is_not_text_is_refused(query: str) -> None:
    with pytest.raises(InvalidRequest, match="UTF-8"):
        PublishQuery.read({"query_string": query.encode("latin-1")})


@pytest.mark.parametrize(
    "query",
    ["limit=5.0", "limit=+5", "limit=%205", "limit=1_0", "limit=5&limit=6", "limt=5", "limit=", "merge=on", "merge=1"],
)
async def test_a_page_takes_no_parameter_that_it_would_have_to_repair(server: Server, query: str) -> None:
    problem(await server.client.get(f"/topics/a/events?{query}"), 422)


@pytest.mark.parametrize(
    "body", [{"ttl": True}, {"ttl": "5"}, {"max_events": "5"}, {"max_events": 5.5}, {"max_events": True}, {"Ttl": 5}]
)
async def test_a_configuration_takes_no_value_that_it_would_have_to_repair(server: Server, body: Any) -> None:
    problem(await server.client.put("/topics/strict", json=body), 422)
    problem(await server.client.get("/topics/strict"), 404)


@pytest.mark.parametrize(
    "body",
    [
        *[b'{"ttl":%b}' % value for value in (b"NaN", b"Infinity", b"-Infinity", b"1e400", b"0", b"-1", b'""', b"[]")],
        *[b'{"max_events":%b}' % value for value in (b"1e400", b"0", b"-1", b"1e17", b"NaN", b"false", b'"1"')],
        *[b'{"%b":%b}' % (name, b"9" * 400) for name in (b"ttl", b"max_age", b"max_events", b"max_bytes")],
        *[b'{"%b":%b}' % (name, b"9" * 5000) for name in (b"ttl", b"max_age", b"max_events", b"max_bytes")],
        *[b"", b"[]", b"null", b'"x"', b"1", b'{"":1}', b'{"ttl":5', b"\xff", b'{"ttl":"\\ud800"}', b"[" * 9000],
    ],
    ids=lambda body: body[:30].decode("latin-1"),
)
async def test_a_configuration_that_holds_no_number_in_its_limits_is_refused(server: Server, body: bytes) -> None:
    answer = await server.client.put("/topics/numbers", content=body, headers=JSON)
    assert answer.status_code in (400, 422), answer.text
    problem(answer, answer.status_code)
    problem(await server.client.get("/topics/numbers"), 404)


@pytest.mark.parametrize(
    "body", [b'{"ttl":1,"ttl":2}', b'{"ttl":1,"\\u0074tl":2}', b'{"ttl":1,"max_events":{"a":1,"b":2,"a":1}}']
)
async def test_a_member_that_is_there_twice_is_refused(server: Server, body: bytes) -> None:
    problem(await server.client.put("/topics/twice", content=body, headers=JSON), 400, "twice")
    problem(await server.client.get("/topics/twice"), 404)


@pytest.mark.parametrize(
    "input",
    ["," * 90_000, '[{"a":1},' * 15_000, "\\" * 30_001 + '",' * 30_000, '"' * 90_000 + "," * 30_000],
    ids=["commas", "JSON", "escapes", "quotation marks"],
)
async def test_a_text_that_looks_like_values_stays_text(server: Server, input: str) -> None:
    assert (await server.client.post("/runs", json={"input": input})).status_code == 201


@pytest.mark.parametrize("value", [1, "", "\\", '"', "a,[{b", [], {}], ids=repr)
@pytest.mark.parametrize("separators", [(",", ":"), (" ,\n", "\t: ")], ids=["dense", "spaced"])
async def test_a_body_has_at_most_20_000_values(server: Server, value: Any, separators: tuple[str, str]) -> None:
    """A list in the body's object holds 19,999 values beside itself, or half as many arrays that begin one more."""
    fit = 9_999 if value in ([], {}) else 19_999
    for count, status in ((fit, 422), (fit + 1, 413)):
        body = json.dumps({"input": [value] * count}, separators=separators)
        problem(await server.client.post("/runs", content=body, headers=JSON), status)


@pytest.mark.parametrize(("size", "is_large"), [(60_000, False), (70_000, True)])
async def test_a_large_body_is_read_in_a_thread(
    server: Server, threads: WatchThreads, size: int, is_large: bool
) -> None:
    calls = threads(module, "check_nesting")
    problem(await server.client.post("/runs", json={"unknown": "x" * size}), 422)
    assert calls == [is_large]


async def test_members_are_values(server: Server) -> None:
    for count, status in ((19_999, 422), (20_000, 413)):
        problem(await server.client.post("/runs", json={"input": {f"k{n}": n for n in range(count)}}), status)


async def test_a_whole_number_may_be_written_with_a_point(server: Server) -> None:
    answer = await server.client.put("/topics/point", content=b'{"max_events":5.0,"ttl":60}', headers=JSON)
    assert (answer.status_code, answer.json()["retention"]["max_events"]) == (200, 5)


@pytest.mark.parametrize(
    "body",
    [
        *[{"input": value} for value in (5, True, "", [], {}, None)],
        *[
            {"messages": value}
            for value in ("x", [["user", "x"]], [], [{"role": "user"}], [{"role": "me", "content": ""}])
        ],
        *[{"input": "x", name: value} for name in ("assistant", "topic", "parent") for value in ("", 5, True, [])],
        {"input": "x", "stream": True},
        {"messages": [{"role": "user", "content": "x", "name": "y"}]},
    ],
    ids=repr,
)
async def test_a_run_takes_no_value_that_it_would_have_to_repair(server: Server, body: Any) -> None:
    calls = server.script.calls
    answer = await server.client.post("/runs", json=body)
    assert answer.status_code in (400, 422)
    problem(answer, answer.status_code)
    assert server.script.calls == calls


async def test_a_key_belongs_to_its_subject_and_never_equals_a_key_of_the_server() -> None:
    keys = {client_key(name, key) for name in ("ann", "bob", None) for key in ("k", "stop", "answer.RUN", "client:k")}
    assert len(keys) == 12
    assert all(key.startswith("client:") and len(key) <= 200 for key in keys)
    assert client_key("ann", "k" * 200) != client_key("ann", "k" * 199)
    for key in ("", "k" * 201, "é", "a\n"):
        with pytest.raises(InvalidRequest, match="Idempotency-Key"):
            client_key("ann", key)


async def test_a_body_is_refused_as_soon_as_it_is_over_the_limit_of_its_route(server: Server) -> None:
    for path, limit in (("/topics/files", 16 << 10), ("/topics/events", 16 << 10)):
        answer = await server.client.put(path, content=b" " * (limit + 1), headers={"content-type": "application/json"})
        problem(answer, 413, f"{limit:,}")


@pytest.mark.parametrize(
    ("mounted", "expected"), [("", "/runs/1"), ("/tidings", "/tidings/runs/1"), ("/é b", "/%C3%A9%20b/runs/1")]
)
async def test_an_address_is_below_the_path_where_the_app_is_mounted(mounted: str, expected: str) -> None:
    assert address(Request({"type": "http", "root_path": mounted}), "/runs/1") == expected
    assert address(Request({"type": "http"}), "/runs/1") == "/runs/1"
