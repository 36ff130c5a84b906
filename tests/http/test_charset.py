"""Text in other clients: Python's `requests` reads every answer right. Without a charset it would take Latin-1."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest
import requests

from tests.serving import PATIENCE, ServerProcess

TEXT = "€ 豆腐 é 🎉"


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    """Serve a topic that has ended, and a run."""
    with ServerProcess("memory:") as made:
        assert requests.post(f"{made.url}/topics/t/events?type={quote(TEXT)}", TEXT.encode(), timeout=PATIENCE).ok
        assert requests.post(f"{made.url}/topics/t/close", timeout=PATIENCE).ok
        yield made


def get(server: ServerProcess, path: str) -> requests.Response:
    return requests.get(server.url + path, timeout=PATIENCE, headers={"accept": "text/event-stream"}, stream=True)


def test_a_stream_is_read_as_it_was_published(server: ServerProcess) -> None:
    lines = list(get(server, "/events?topic=t&after=earliest").iter_lines(decode_unicode=True))
    assert f"event: {TEXT}" in lines
    assert f"data: {TEXT}" in lines


def test_a_page_and_a_problem_are_read_as_they_are(server: ServerProcess) -> None:
    [event] = get(server, "/topics/t/events").json()["events"]
    assert (event["type"], event["data"]) == (TEXT, TEXT)
    assert TEXT in get(server, f"/stream?q=x&assistant={quote(TEXT)}").json()["detail"]


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/metrics",
        "/web/000000000000/none.js",
        "/stream?q=What%20is%20a%20topic",
        "/events?topic=t&after=-1",
        "/none",
    ],
)
def test_every_text_names_its_charset(server: ServerProcess, path: str) -> None:
    answer = get(server, path)
    kind = answer.headers["content-type"]
    assert answer.encoding == "utf-8" or kind == "application/problem+json", kind
    assert answer.content
