"""Requests that are wrong, byte by byte, against the server as it is run: each is refused in words, nothing is stored,
and the server is well."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.raw import ask, request
from tests.serving import PATIENCE, ServerProcess


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Serve all tests of the module: the next request would meet what an earlier one leaves behind."""
    folder: Path = tmp_path_factory.mktemp("malformed")
    with ServerProcess(f"sqlite:///{folder}/tidings.db") as made:
        yield made


def topics(server: ServerProcess) -> list[str]:
    found: list[str] = ask(server, request("GET", "/topics")).json()["topics"]
    return found


PUBLISH, NDJSON, JSON = "/topics/a/events", "content-type: application/x-ndjson", "content-type: application/json"
DEEP = b"[" * 200_000 + b"]" * 200_000


def coded(*headers: str) -> bytes:
    """Return a request with a chunked body and these headers."""
    head = "".join(f"{header}\r\n" for header in headers)
    return f"POST {PUBLISH} HTTP/1.1\r\nhost: localhost\r\n{head}\r\n1\r\nx\r\n0\r\n\r\n".encode()


REFUSED: dict[str, tuple[bytes, int, str]] = {
    # Offsets, and epochs of another life.
    "a wrong offset": (request("GET", f"{PUBLISH}?after=x"), 400, "offset"),
    "an offset out of range": (request("GET", "/events?topic=a&from=E-99999999999999999999"), 400, "offset"),
    "an offset below zero": (request("GET", "/events?topic=a&from=E--1"), 400, "offset"),
    "a wrong last event ID": (request("GET", "/events?topic=a", b"", "last-event-id: x"), 400, "offset"),
    "a last event ID of two topics": (request("GET", "/events?topic=a", b"", "last-event-id: E-1~E-1"), 400, "topics"),
    "a last event ID of bytes": (request("GET", "/events?topic=a", b"", b"last-event-id: \xff\xfe"), 400, "UTF-8"),
    "a foreign epoch of no topic": (request("GET", "/topics/nowhere/events?after=E-1"), 410, "deleted"),
    "a last event ID of no run": (request("GET", "/stream?q=a", b"", "last-event-id: X.E-1"), 404, "run"),
    # Topics.
    "an unknown topic": (request("GET", "/topics/nowhere"), 404, "nowhere"),
    "an unknown topic's events": (request("GET", "/topics/nowhere/events"), 404, "nowhere"),
    "an unknown topic to close": (request("POST", "/topics/nowhere/close"), 404, "nowhere"),
    "an unknown run": (request("GET", "/runs/01JD9W3K5T8Q2R7V4X6Y9Z0ABC"), 404, "01JD9W3K5T8Q2R7V4X6Y9Z0ABC"),
    "no topic": (request("GET", "/events"), 422, "topic"),
    "33 topics": (request("GET", "/events?" + "&".join(f"topic=t{n}" for n in range(33))), 400, "32"),
    "3,000 topics": (request("GET", "/events?" + "&".join(f"topic=t{n}" for n in range(3000))), 422, "100 parameters"),
    "a topic twice": (request("GET", "/events?topic=a&topic=b&topic=a"), 400, "twice"),
    "a topic with NUL": (request("POST", "/topics/a%00b/events", b"x"), 400, "segments"),
    "a topic with a line end": (request("POST", "/topics/a%0D%0Ab/events", b"x"), 400, "segments"),
    "a topic that climbs": (request("POST", "/topics/..%2F..%2Fetc/events", b"x"), 404, "nothing"),
    "a topic that is no UTF-8": (request("POST", "/topics/%FF/events", b"x"), 400, "segments"),
    "a topic in raw bytes": (request("POST", b"/topics/\xc3\xa9/events", b"x"), 400, ""),
    "a topic of 10,000 characters": (request("POST", f"/topics/{'a' * 10_000}/events", b"x"), 414, "4,096"),
    # Headers that two readers may understand in two ways.
    "two hosts": (request("GET", "/topics", b"", "host: evil.example"), 400, "Host"),
    "two origins": (request("POST", PUBLISH, b"x", "origin: http://localhost", "origin: http://evil"), 400, "Origin"),
    "two sites": (
        request("POST", PUBLISH, b"x", "sec-fetch-site: cross-site", "sec-fetch-site: none"),
        400,
        "Sec-Fetch-Site",
    ),
    "an origin that is no page's": (request("POST", PUBLISH, b"x", "origin: x://localhost"), 403, "origin"),
    "two transfer codings": (coded("transfer-encoding: identity", "transfer-encoding: chunked"), 400, "HTTP"),
    "two transfer codings in one header": (coded("transfer-encoding: gzip, chunked"), 400, "HTTP"),
    # Types and keys.
    "a type with a line end": (request("POST", f"{PUBLISH}?type=a%0Ab", b"x"), 400, "line end"),
    "a type with NUL": (request("POST", f"{PUBLISH}?type=a%00b", b"x"), 400, "NUL"),
    "a type that is ours": (request("POST", f"{PUBLISH}?type=tidings.end", b"x"), 400, "reserved"),
    "a type that is no UTF-8": (request("POST", f"{PUBLISH}?type=%FF", b"x"), 400, "UTF-8"),
    "a type in raw bytes": (request("POST", PUBLISH.encode() + b"?type=\xff", b"x"), 400, ""),
    "a type that is half a pair": (request("POST", f"{PUBLISH}?type=%ED%A0%80", b"x"), 400, "UTF-8"),
    "a key that is too long": (request("POST", PUBLISH, b"x", "idempotency-key: " + "k" * 201), 400, "Idempotency-Key"),
    "a key of bytes": (request("POST", PUBLISH, b"x", b"idempotency-key: \xff"), 400, "Idempotency-Key"),
    # Bodies.
    "a body that is no UTF-8": (request("POST", PUBLISH, b"ab\xff"), 400, "byte 2"),
    "a body that is half a pair": (request("POST", PUBLISH, b"\xed\xa0\x80"), 400, "UTF-8"),
    "a body that is compressed": (request("POST", PUBLISH, b"\x1f\x8b\x08", "content-encoding: gzip"), 400, "UTF-8"),
    "a body of 10 MB": (request("POST", PUBLISH, b"x" * 10_000_000), 413, "1,048,576"),
    "an ndjson body of 10 MB": (request("POST", PUBLISH, b'{"data":1}\n' * 909_091, NDJSON), 413, "8,388,608"),
    "a JSON body of 10 MB": (request("POST", "/runs", b'"' + b"x" * 10_000_000 + b'"', JSON), 413, "1,048,576"),
    "an event over 1 MB": (request("POST", PUBLISH, b'{"data":"' + b"x" * 1_048_577 + b'"}', NDJSON), 413, "1048576"),
    "text that is not JSON": (request("POST", PUBLISH, b'{"a":', JSON), 400, "JSON"),
    "JSON that is deep": (request("POST", PUBLISH, DEEP, JSON), 400, "deep"),
    "a line that is no JSON": (request("POST", PUBLISH, b'{"data":1}\nx', NDJSON), 400, "Line 2"),
    "a line that is no event": (request("POST", PUBLISH, b'{"data":1}\n[1]', NDJSON), 400, "Line 2"),
    "a line that is no UTF-8": (request("POST", PUBLISH, b'{"data":1}\n{"data":"\xff"}', NDJSON), 400, "Line 2"),
    "a line that is deep": (request("POST", PUBLISH, b'{"data":1}\n{"data":' + DEEP + b"}", NDJSON), 400, "Line 2"),
    "a line whose type is a number": (
        request("POST", PUBLISH, b'{"data":1}\n{"data":1,"type":7}', NDJSON),
        400,
        "Line 2",
    ),
    "half a pair in a line": (request("POST", PUBLISH, b'{"data":"\\ud800"}', NDJSON), 400, "Line 1"),
    "a batch of nothing": (request("POST", PUBLISH, b"\n\n", NDJSON), 400, "no events"),
    "a configuration of the wrong type": (request("PUT", "/topics/a", b'{"max_events":"x"}', JSON), 422, "max_events"),
    "a number out of range": (request("PUT", "/topics/a", b'{"max_events":1e400}', JSON), 422, "max_events"),
    "a number of 10,000 digits": (request("PUT", "/topics/a", b'{"ttl":' + b"9" * 10_000 + b"}", JSON), 400, ""),
    "a wrong number": (request("PUT", "/topics/a", b'{"ttl":NaN}', JSON), 422, "ttl"),
    "a field nobody knows": (request("PUT", "/topics/a", b'{"max_event":1}', JSON), 422, "max_event"),
    "a configuration that is deep": (request("PUT", "/topics/a", b"[" * 8_000 + b"]" * 8_000, JSON), 400, ""),
    "a configuration of 17 KB": (request("PUT", "/topics/a", b" " * 17_000 + b"{}", JSON), 413, "16,384"),
    "a configuration of another type": (request("PUT", "/topics/a", b"<a/>", "content-type: text/xml"), 422, "body"),
    "a run of nothing": (request("POST", "/runs", b"{}", JSON), 400, "input"),
    "a run of half a pair": (request("POST", "/runs", b'{"input":"\\ud800"}', JSON), 422, "input"),
    "a wrong token": (request("POST", "/session", b'{"token":7}', JSON), 422, "token"),
    # Files.
    "a file of nobody": (request("POST", "/rooms/a/files?name=x", b"x", "content-type: x/y"), 403, "name first"),
    "a file of another origin's page": (
        request("POST", "/rooms/a/files?name=x", b"x", "cookie: tidings_name=Ann", "origin: https://evil.example"),
        403,
        "origin",
    ),
    "a file for no room": (request("POST", "/rooms/a/files?name=x", b"x", "cookie: tidings_name=Ann"), 404, "no room"),
    "a file without a name": (request("POST", "/rooms/a/files", b"x", "cookie: tidings_name=Ann"), 422, "name"),
    "a file's name of bytes": (request("POST", "/rooms/a/files?name=%FF", b"x", "cookie: tidings_name=Ann"), 400, "8"),
    "a file of no room": (request("GET", "/rooms/a/files/01JD9W3K5T8Q2R7V4X6Y9Z0ABC"), 404, "no room"),
    "a file that climbs": (request("GET", "/rooms/a/files/..%2F..%2Fetc"), 404, "nothing"),
    # Parameters.
    "a wrong limit": (request("GET", f"{PUBLISH}?limit=x"), 422, "limit"),
    "a limit out of range": (request("GET", f"{PUBLISH}?limit=99999999999999999999999"), 422, "limit"),
    "a wrong flag": (request("GET", "/events?topic=a&envelope=perhaps"), 422, "envelope"),
    "a query in raw bytes": (request("GET", b"/topics?prefix=\xff"), 400, ""),
    # What HTTP itself refuses.
    "a method nobody knows": (request("BREW", "/health"), 400, ""),
    "a method that it does not take": (request("DELETE", "/health"), 405, "GET"),
    "a path that is not there": (request("GET", "/nowhere"), 404, "nowhere"),
    "a header of 100 KB": (request("GET", "/health", b"", "x: " + "y" * 100_000), 431, "65,536"),
    "10,000 headers": (request("GET", "/health", b"", *["x: 12345678"] * 10_000), 431, "65,536"),
    "a path of 100 KB": (request("GET", "/" + "a" * 100_000), 431, "65,536"),
    "a path of 5,000 bytes": (request("GET", "/" + "a" * 5_000 + "?q=1"), 414, "4,096"),
    "a header of 2 MB": (request("GET", "/health", b"", "x: " + "y" * 2_000_000), 431, "65,536"),
    "a header without an end": (b"GET /health HTTP/1.1\r\nhost: localhost\r\nx: " + b"y" * 2_000_000, 431, "65,536"),
    "a header with NUL": (request("GET", "/health", b"", b"x: a\x00b"), 400, ""),
    "a path with NUL": (request("GET", b"/topics/a\x00b"), 400, ""),
    "no HTTP at all": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, ""),
    "a wrong length": (
        b"POST /topics/a/events HTTP/1.1\r\nhost: localhost\r\ncontent-length: x\r\n\r\nx",
        400,
        "",
    ),
    "a length below zero": (
        b"POST /topics/a/events HTTP/1.1\r\nhost: localhost\r\ncontent-length: -1\r\n\r\nx",
        400,
        "",
    ),
    "a wrong chunk": (
        b"POST /topics/a/events HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nx\r\n0\r\n\r\n",
        400,
        "",
    ),
    "a length and chunks": (
        b"POST /topics/a/events HTTP/1.1\r\nhost: localhost\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n"
        b"1\r\nx\r\n0\r\n\r\n",
        400,
        "",
    ),
    "another machine's name": (b"GET /topics HTTP/1.1\r\nhost: evil.example\r\n\r\n", 403, "name"),
    "a page of another origin": (request("POST", PUBLISH, b"x", "origin: https://evil.example"), 403, ""),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_malformed_request_is_refused_in_words(server: ServerProcess, what: str) -> None:
    sent, status, word = REFUSED[what]
    answer = ask(server, sent)
    assert answer.status == status, answer
    if word:
        assert answer.type == "application/problem+json"
        said = answer.json()
        assert said["status"] == status
        assert word in said["detail"], said
    assert ask(server, request("GET", "/health")).json()["status"] == "ok"
    assert topics(server) == []
    assert "Traceback" not in "".join(server.output)


@pytest.mark.parametrize(
    "sent",
    [
        b"POST /topics/a/events HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\nhalf",
        b"POST /topics/a/events?type=a%20b HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\nhalf",
        b"POST /topics/a/events HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
        b"POST /topics/a/events HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhel",
        b"PUT /topics/a HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{}",
        b"POST /runs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n"
        b'{"input":"x"}',
        b"POST /topics/a/events HTTP/1.1\r\nhost: loc",
    ],
)
def test_half_a_request_starts_no_work(server: ServerProcess, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as made:
        made.sendall(sent)
        made.shutdown(socket.SHUT_WR)
        while made.recv(65536):
            pass
    assert topics(server) == []
    assert ask(server, request("GET", "/health")).status == 200
    assert "Traceback" not in "".join(server.output)


def test_a_body_without_an_end_is_refused_while_it_comes(server: ServerProcess) -> None:
    head = b"POST /topics/a/events HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n"
    answer = ask(server, head, *[b"100000\r\n" + b"x" * 0x100000 + b"\r\n"] * 4)
    assert (answer.status, answer.type) == (413, "application/problem+json")
    assert topics(server) == []


@pytest.mark.parametrize("path", ["/runs", "/session"])
def test_json_without_an_end_is_refused_while_it_comes(server: ServerProcess, path: str) -> None:
    head = f"POST {path} HTTP/1.1\r\nhost: localhost\r\n{JSON}\r\ntransfer-encoding: chunked\r\n\r\n".encode()
    answer = ask(server, head, *[b"100000\r\n" + b"[" * 0x100000 + b"\r\n"] * 4)
    assert (answer.status, answer.type) == (413, "application/problem+json")


def test_after_all_of_them_it_does_what_it_should(server: ServerProcess) -> None:
    assert ask(server, request("POST", "/topics/well/events", b"x")).status == 201
    page = ask(server, request("GET", "/topics/well/events")).json()
    assert [event["data"] for event in page["events"]] == ["x"]
    assert ask(server, request("DELETE", "/topics/well")).status == 204
