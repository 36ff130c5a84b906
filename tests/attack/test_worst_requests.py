"""The largest and most tedious request of every route: each has a short answer, and costs little memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import unquote

import pytest

from tests.attack.conftest import bearer, memory
from tests.attack.worst import JSON, NDJSON, REFUSED, worst
from tests.raw import ask, request
from tests.serving import ServerProcess

LONGEST_ANSWER = 4_000
"""Bytes of the longest answer to a request that is refused."""


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


@pytest.mark.parametrize("name", ["a%22b", "a%5Cb", "a%00b", "a%0Ab", "%1F"])
def test_a_filter_may_name_any_field(server: ServerProcess, name: str) -> None:
    field = json.dumps(unquote(name))
    event = f'{{"case":"c1","activity":"begun","timestamp":1,{field}:"x"}}'.encode()
    assert ask(server, worst("POST", "/topics/process.odd/events", event, JSON)).status == 201
    for path in ("/processes/odd?", "/processes/odd/cases?at=begun&"):
        for attribute in (f"attribute={name}=x", f"attribute=case=c1&attribute={name}=x"):
            answer = ask(server, worst("GET", path + attribute))
            assert answer.status == 200, answer.body
            assert answer.json()["cases"]


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
