"""The largest and most tedious request of every route: each has a short answer, and costs little memory."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from tests.attack.conftest import bearer, memory
from tests.raw import ask, request
from tests.serving import ServerProcess

LONGEST_ANSWER = 4_000
"""Bytes of the longest answer to a request that is refused."""

JSON, NDJSON = "content-type: application/json", "content-type: application/x-ndjson"
MEGABYTE = 1 << 20


def members(count: int) -> bytes:
    """Return an object of many members that no route knows."""
    return msgspec.json.encode({f"k{n}": n for n in range(count)})


def worst(method: str, target: str, body: bytes = b"", *headers: str) -> bytes:
    return request(method, target, body, bearer(), *headers)


REFUSED = {
    "unknown members for signing in": (request("POST", "/session", members(80_000), JSON), 413),
    "unknown members that fit for signing in": (request("POST", "/session", members(1_000), JSON), 422),
    "a long name for signing in": (request("POST", "/session", b'{"name":"' + b"n" * 16_000 + b'"}', JSON), 422),
    "unknown members for a configuration": (worst("PUT", "/topics/events", members(550_000), JSON), 413),
    "unknown members that fit for a configuration": (worst("PUT", "/topics/events", members(1_000), JSON), 422),
    "a long member for a configuration": (worst("PUT", "/topics/a", b'{"' + b"m" * 16_000 + b'":1}', JSON), 422),
    "unknown members for a run": (worst("POST", "/runs", members(60_000), JSON), 422),
    "wrong messages for a run": (worst("POST", "/runs", b'{"messages":[' + b"{}," * 349_000 + b"{}]}", JSON), 422),
    "deep messages for a run": (worst("POST", "/runs", b'{"messages":' + b"[" * 900_000, JSON), 400),
    "numbers for a run": (worst("POST", "/runs", b'{"input":[' + b"1," * 520_000 + b"1]}", JSON), 422),
    "short lines for a batch": (worst("POST", "/topics/a/events", b'{"data":1}\n' * 600_000, NDJSON), 413),
    "empty lines for a batch": (worst("POST", "/topics/a/events", b"\n" * 8_000_000, NDJSON), 413),
    "a line of members for a batch": (worst("POST", "/topics/a/events", members(500_000), NDJSON), 400),
    "a wrong last line for a batch": (worst("POST", "/topics/a/events", b'{"data":1}\n' * 9_999 + b"x", NDJSON), 400),
    "a batch of deep lines": (worst("POST", "/topics/a/events", b'{"data":' + b"[" * 4_000_000, NDJSON), 400),
    "a deep event": (worst("POST", "/topics/a/events", b"[" * MEGABYTE, JSON), 400),
    "parameters for a stream": (worst("GET", "/events?" + "a=1&" * 15_000), 422),
    "topics for a stream": (worst("GET", "/events?" + "&".join(f"topic=t{n}" for n in range(5_000))), 400),
    "offsets for a stream": (worst("GET", "/events?topic=a&last_event_id=" + "E-1~" * 15_000), 400),
    "parameters for a page": (worst("GET", "/topics/a/events?" + "a=1&" * 15_000), 422),
    "a long question": (worst("GET", "/stream?q=" + "q" * 60_000), 422),
    "a long name of an assistant": (worst("GET", "/stream?q=a&assistant=" + "q" * 60_000), 422),
    "a long id of a run": (worst("GET", f"/runs/{'R' * 60_000}/events"), 400),
    "a long topic": (worst("GET", f"/topics/{'a.' * 30_000}a"), 400),
    "a long name of a room": (worst("GET", f"/rooms/{'r' * 60_000}"), 422),
    "a long search": (worst("GET", "/rooms/search?q=" + "q" * 60_000), 422),
    "a long name of a file": (worst("POST", "/rooms/a/files?name=" + "n" * 60_000, b"x"), 422),
    "a long path": (worst("GET", "/" + "a/" * 30_000), 404),
    "a long token": (request("GET", "/topics", b"", "authorization: Bearer " + "t" * 60_000), 401),
    "many cookies": (request("GET", "/topics", b"", "cookie: " + "a=b;" * 15_000), 401),
    "many headers": (request("GET", "/topics", b"", *["a: b"] * 10_000), 401),
}


@pytest.fixture(scope="module", autouse=True)
def bounded_memory(server: ServerProcess) -> Iterator[None]:
    before = memory(server)
    yield
    assert memory(server) - before < 300 << 20


@pytest.mark.parametrize("what", REFUSED)
def test_a_refusal_is_short(server: ServerProcess, what: str) -> None:
    sent, status = REFUSED[what]
    answer = ask(server, sent)
    assert (answer.status, answer.type) == (status, "application/problem+json")
    assert len(answer.body) < LONGEST_ANSWER


def test_the_largest_batch_is_read_a_page_at_a_time(server: ServerProcess) -> None:
    answer = ask(server, worst("POST", "/topics/batch/events", b'{"data":1}\n' * 10_000, NDJSON))
    assert answer.status == 201
    page = ask(server, worst("GET", "/topics/batch/events?limit=1000")).json()
    assert len(page["events"]) == 1000
    assert page["tail"].endswith("-10000")


def test_a_person_s_questions_are_limited(server: ServerProcess) -> None:
    """The server of these tests lets a person start five runs in an hour, and a program as many as it likes."""
    question = b'{"input":"hello"}'
    cookie = "cookie: tidings=" + bearer("mallory").rpartition(" ")[2]
    answers = [ask(server, request("POST", "/runs", question, JSON, cookie)) for _ in range(8)]
    assert [answer.status for answer in answers] == [201] * 5 + [429] * 3
    refused = answers[-1].json()
    assert "5 runs in an hour" in refused["detail"]
    assert 0 < refused["retry_after"] <= 720
    programs = [ask(server, worst("POST", "/runs", question, JSON)).status for _ in range(8)]
    assert programs == [201] * 8
