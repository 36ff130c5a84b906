"""Attacks by senders without a token: whatever they send, and however slowly, the server holds little of it."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

import pytest

from tests.attack.conftest import bearer, dial, memory
from tests.raw import ask, request
from tests.serving import ServerProcess

CHUNKED = b"transfer-encoding: chunked\r\n\r\n"
JSON = b"content-type: application/json\r\n"
MEGABYTE = b"x" * (1 << 20)
MOST = 40
"""Megabytes that an attack sends, and more than which no attack may cost in memory."""


def head(line: str, *headers: str) -> bytes:
    """Return a head that lacks its last, empty line."""
    return "\r\n".join([f"{line} HTTP/1.1", "host: localhost", *headers, ""]).encode()


def flood(server: ServerProcess, start: bytes, part: bytes, count: int) -> bytes:
    """Send `part` again and again until the server closes the connection; return its answer."""
    with dial(server) as made:
        made.sendall(start)
        with contextlib.suppress(OSError):
            for _ in range(count):
                made.sendall(part)
        return read(made)


def read(made: socket.socket) -> bytes:
    """Read until the server closes the connection."""
    answer = b""
    with contextlib.suppress(ConnectionResetError):
        while part := made.recv(65536):
            answer += part
    return answer


@pytest.fixture(autouse=True)
def bounded_memory(server: ServerProcess) -> Iterator[None]:
    """Hold every attack to the memory that it may cost."""
    before = memory(server)
    yield
    assert memory(server) - before < MOST << 19


FLOODS = {
    "a body for a topic that is called files": (head("PUT /topics/files") + JSON + CHUNKED, b"100000\r\n%b\r\n"),
    "a body for an upload without a token": (head("POST /rooms/a/files?name=x") + CHUNKED, b"100000\r\n%b\r\n"),
    "a body for a path that does not exist": (head("POST /nowhere/files") + CHUNKED, b"100000\r\n%b\r\n"),
    "a body with a length": (head("PUT /topics/files", "content-length: 4000000000") + JSON + b"\r\n", b"%b"),
    "a body for a stream": (head("GET /events?topic=a") + CHUNKED, b"100000\r\n%b\r\n"),
    "a body for signing in": (head("POST /session") + JSON + CHUNKED, b"100000\r\n%b\r\n"),
    "trailers": (head("POST /topics/a/events") + CHUNKED + b"1\r\nx\r\n0\r\n", b"t: %b\r\n"),
    "a trailer without an end": (head("POST /topics/a/events") + CHUNKED + b"1\r\nx\r\n0\r\nt: ", b"%b"),
    "a chunk extension without an end": (head("POST /topics/a/events") + CHUNKED + b"1;a=", b"%b"),
}


@pytest.mark.parametrize("what", FLOODS)
def test_a_flood_ends_and_costs_little_memory(server: ServerProcess, what: str) -> None:
    start, part = FLOODS[what]
    answer = flood(server, start, part.replace(b"%b", MEGABYTE), MOST)
    # A flood that fills both buffers at once may lose the answer to a reset.
    assert not answer or answer.split()[1] in (b"401", b"404", b"405", b"413")


@pytest.mark.parametrize("token", [False, True], ids=["without a token", "with a token"])
def test_a_flood_of_trailers_with_a_token_is_refused(server: ServerProcess, token: bool) -> None:
    headers = [bearer()] if token else []
    start = head("POST /topics/flooded/events", *headers) + CHUNKED + b"1\r\nx\r\n0\r\n"
    flood(server, start, b"t: " + MEGABYTE + b"\r\n", 8)
    answer = ask(server, request("GET", "/topics/flooded", b"", bearer()))
    assert answer.status == 404


def test_a_trailer_does_not_authenticate(server: ServerProcess) -> None:
    sent = head("POST /topics/trailed/events") + CHUNKED + f"1\r\nx\r\n0\r\n{bearer()}\r\n\r\n".encode()
    assert ask(server, sent).status == 401
    assert ask(server, request("GET", "/topics/trailed", b"", bearer())).status == 404


def test_a_trailer_does_not_pass_the_check_of_origins(server: ServerProcess) -> None:
    cookie = "cookie: tidings=" + bearer().rpartition(" ")[2]
    start = head("POST /topics/trailed/events", cookie, "origin: https://evil.example")
    for name in ("sec-fetch-site: same-origin", "origin: http://localhost", "host: evil.example"):
        assert ask(server, start + CHUNKED + f"1\r\nx\r\n0\r\n{name}\r\n\r\n".encode()).status == 403


def test_a_trailer_is_no_part_of_the_request(server: ServerProcess) -> None:
    start = head("POST /topics/keyed/events", bearer()) + CHUNKED
    sent = start + b"1\r\nx\r\n0\r\nidempotency-key: k\r\ncontent-type: application/x-ndjson\r\n\r\n"
    assert [ask(server, sent).status for _ in range(2)] == [201, 201]


SLOW = {
    "a connection that says nothing": b"",
    "line ends before a request": b"\r\n",
    "half a line": b"POST /topics/a",
    "half a head": head("POST /topics/a/events", "x: y"),
    "half a body without a token": head("POST /topics/a/events", "content-length: 100") + b"\r\nhalf",
    "half a body for a configuration": head("PUT /topics/a", "content-length: 100") + JSON + b"\r\n{",
    "half a body for signing in": head("POST /session", "content-length: 100") + JSON + b"\r\n{",
    "half a body with a token": head("POST /topics/a/events", bearer(), "content-length: 100") + b"\r\nhalf",
    "half a chunk with a token": head("POST /topics/a/events", bearer()) + CHUNKED + b"5\r\nhel",
    "half a body for a stream": head("GET /events?topic=a", bearer(), "content-length: 100") + b"\r\nhalf",
    "half a second request": request("GET", "/health") + b"GET /hea",
}


@pytest.mark.parametrize("what", SLOW)
def test_a_request_that_never_ends_is_closed(server: ServerProcess, what: str) -> None:
    """The test ends only once the server has closed all of them."""
    made = [dial(server) for _ in range(50)]
    for each in made:
        each.sendall(SLOW[what])
    for each in made:
        read(each)
        each.close()


def test_a_body_that_drips_is_refused(server: ServerProcess) -> None:
    """A byte a time keeps no connection open: the server closes it while the body still drips."""
    with dial(server) as made:
        made.settimeout(0.1)
        made.sendall(head("POST /topics/a/events", bearer(), "content-length: 1000000") + b"\r\n")
        answer = b""
        while b"\r\n\r\n" not in answer:
            with contextlib.suppress(TimeoutError):
                answer += made.recv(65536)
            with contextlib.suppress(BrokenPipeError):
                made.sendall(b"x")
    assert answer.split()[1] == b"408"


def test_the_server_is_well_after_the_attacks(server: ServerProcess) -> None:
    assert ask(server, request("POST", "/topics/well/events", b"x", bearer())).status == 201
    assert ask(server, request("GET", "/health")).json()["status"] == "ok"
