"""The page that compares Python's clients says what is: each cell of its tables is found out here.

When a library changes, this fails and shows the table as it would be right now.
"""

from __future__ import annotations

import base64
import inspect
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import httpx_sse
import pytest
import requests_sse
import sseclient

from bench.others import RESULTS, Got
from tests.serving import PATIENCE
from tidings.wire.sse import Decoder

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "clients" / "comparison.md"
VECTORS = json.loads((ROOT / "tests/wire/vectors/sse.json").read_text("utf-8"))
WHOLE, CUTS = 1 << 20, (1, 2)


def ours(chunks: Iterator[bytes]) -> Got:
    decoder = Decoder()
    events = [event for chunk in chunks for event in decoder.feed(chunk)]
    return Got([(event.type, event.data, event.id) for event in events], decoder.retry)


READERS: dict[str, Callable[[Any], Got]] = {"tidings": ours, **RESULTS}


def verdict(read: Callable[[Any], Got], vector: dict[str, Any]) -> str:
    """Say if a library reads a case as the standard asks: `yes`, `no`, `when whole` (not in chunks), or `raises`."""
    stream = base64.b64decode(vector["base64"]) if "base64" in vector else vector["text"].encode()
    expected = [(event["type"], event["data"], event["id"]) for event in vector["events"]]

    def right(size: int) -> bool:
        got = read([stream[i : i + size] for i in range(0, len(stream), size)])
        # The reconnection time is only asked where the case is about it: not every library tells it.
        return got.events == expected and (vector["group"] != "retry" or got.retry == vector["retry"])

    try:
        if not right(WHOLE):
            return "no"
        return "yes" if all(map(right, CUTS)) else "when whole"
    except UnicodeDecodeError:
        return "raises"


def case(vector: dict[str, Any]) -> str:
    return f"{vector['group']}: {vector['name']}".replace("|", "\\|")


def test_the_table_of_differences_is_true() -> None:
    rows = {case(vector): [verdict(read, vector) for read in READERS.values()] for vector in VECTORS}
    right = [sum(row[i] == "yes" for row in rows.values()) for i in range(len(READERS))]
    table = [f"| case | {' | '.join(READERS)} |", f"| --- {'| --- ' * len(READERS)}|"]
    table += [f"| {name} | {' | '.join(row)} |" for name, row in rows.items() if set(row) != {"yes"}]
    table += [f"| **all {len(VECTORS)} cases** | {' | '.join(f'**{count}**' for count in right)} |"]
    assert right[0] == len(VECTORS)
    text = "\n".join(table)
    assert text in PAGE.read_text("utf-8"), f"the table is now:\n\n{text}"


# Features. A row of the page is a test here, of the same name.


def cells(feature: str) -> list[str]:
    """The cells of a row of the features' table: ours, httpx-sse, sseclient-py, requests-sse."""
    (row,) = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith(f"| {feature} |")]
    return [cell.strip() for cell in row.split("|")[2:-1]]


@contextmanager
def answering(*answers: tuple[int, str, bytes]) -> Iterator[tuple[str, list[str]]]:
    """A server that gives these answers (status, type, body) in turn; its URL, and the last event IDs it was sent."""
    line, asked = list(answers), []

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.headers.get("Last-Event-ID", ""))
            status, type, body = line.pop(0)
            self.send_response(status)
            self.send_header("Content-Type", type)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


STREAM = "text/event-stream"
FIRST, SECOND = b"retry: 1\nid: 1\ndata: a\n\n", b"id: 2\ndata: b\n\n"


def plain_httpx_sse(url: str) -> list[str]:
    with httpx.Client() as client, httpx_sse.connect_sse(client, "GET", url) as source:
        return [event.data for event in source.iter_sse()]


def plain_sseclient(url: str) -> list[str]:
    with httpx.Client() as client, client.stream("GET", url) as response:
        return [event.data for event in sseclient.SSEClient(response.iter_bytes()).events()]


def test_reconnects_by_itself() -> None:
    assert cells("reconnects by itself") == ["yes", "no", "no", "yes"]
    for read in (plain_httpx_sse, plain_sseclient):
        with answering((200, STREAM, FIRST), (200, STREAM, SECOND)) as (url, asked):
            assert read(url) == ["a"]
            assert len(asked) == 1
    with answering((200, STREAM, FIRST), (200, STREAM, SECOND)) as (url, asked):
        with requests_sse.EventSource(url, timeout=PATIENCE) as source:
            assert [event.data for event in islice(source, 2)] == ["a", "b"]
        assert cells("sends `Last-Event-ID`") == ["yes", "no", "no", "yes"]
        assert asked == ["", "1"]


def test_libraries_that_end_at_204() -> None:
    assert cells("ends at 204") == ["yes", "raises", "yes", "raises"]
    with answering((204, "", b"")) as (url, _), pytest.raises(httpx_sse.SSEError):
        plain_httpx_sse(url)
    with answering((204, "", b"")) as (url, _):
        assert plain_sseclient(url) == []
    with answering((204, "", b"")) as (url, _), pytest.raises(requests_sse.InvalidStatusCodeError):
        requests_sse.EventSource(url).connect()


def test_libraries_that_check_the_content_type() -> None:
    assert cells("checks the content type") == ["yes", "yes", "no", "yes"]
    page = (200, "text/html", b"data: <html>\n\n")
    with answering(page) as (url, _), pytest.raises(httpx_sse.SSEError):
        plain_httpx_sse(url)
    with answering(page) as (url, _):
        assert plain_sseclient(url) == ["<html>"]
    with answering(page) as (url, _), pytest.raises(requests_sse.InvalidContentTypeError):
        requests_sse.EventSource(url).connect()


def test_libraries_that_check_the_status() -> None:
    assert cells("checks the status") == ["yes", "no", "no", "yes"]
    gone = (502, STREAM, FIRST)
    for read in (plain_httpx_sse, plain_sseclient):
        with answering(gone) as (url, _):
            assert read(url) == ["a"]
    with answering(gone) as (url, _), pytest.raises(requests_sse.InvalidStatusCodeError):
        requests_sse.EventSource(url).connect()


def test_sync_and_async() -> None:
    assert cells("sync and async") == ["both", "both", "sync", "sync"]
    assert inspect.isasyncgenfunction(httpx_sse.EventSource.aiter_sse)
    assert not hasattr(sseclient.SSEClient, "__aiter__")
    assert not hasattr(requests_sse.EventSource, "__aiter__")


def test_a_dead_peer() -> None:
    assert cells("notices a dead peer") == ["after 45 s of silence", "raises after 5 s", "no", "if you set a time-out"]
    assert httpx.Client().timeout.read == 5.0
    assert inspect.signature(requests_sse.EventSource).parameters["timeout"].default is None
    assert "timeout" not in inspect.signature(sseclient.SSEClient).parameters


@pytest.mark.parametrize(
    "feature",
    ["exactly once, by offset", "says when events are gone", "several topics on a connection", "renews its token"],
)
def test_features_of_a_single_server_client_are_ours_alone(feature: str) -> None:
    """Ours are the tests beside this one; the others read any event stream, and know of no offsets."""
    assert cells(feature) == ["yes", "no", "no", "no"]
