"""The protocol of a connection: requests that are sent before earlier ones are answered, and bodies that end once."""

from __future__ import annotations

import socket

import pytest

from tests.raw import ask, request
from tests.serving import PATIENCE, ServerProcess

COUNT = 4000


def ask_once(server: ServerProcess, sent: bytes) -> bytes:
    """Return all that the server answers until it closes the connection."""
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as made:
        made.sendall(sent)
        answer = b""
        while part := made.recv(65536):
            answer += part
    return answer


def test_thousands_of_pipelined_requests_are_answered_in_order() -> None:
    """Some have bodies, which begin and end anywhere in what the server reads and parses at once."""
    body = request("POST", "/nowhere", b"x" * 700)
    parts = [body if n % 3 else request("GET", "/health/live") for n in range(COUNT)]
    last = b"GET /health/live HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
    with ServerProcess("memory:") as server:
        answer = ask_once(server, b"".join(parts) + last)
    found = [part[:3] for part in answer.split(b"HTTP/1.1 ")[1:]]
    assert found == [b"404" if n % 3 else b"200" for n in range(COUNT)] + [b"200"]


@pytest.mark.parametrize(
    "path",
    ["/stream?q=hello", "/events?topic=ended&after=earliest", "/events?topic=ended&after=earliest&envelope=true"],
)
def test_a_stream_on_a_connection_that_closes_has_one_last_chunk(path: str) -> None:
    """A second would be taken for the answer to another request."""
    with ServerProcess("memory:") as server:
        assert ask(server, request("POST", "/topics/ended/events?close=true", b"x")).status == 201
        answer = ask_once(server, f"GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n".encode())
    head, _, rest = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert b"transfer-encoding: chunked" in head
    sizes = []
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        sizes.append(int(size, 16))
        rest = rest[sizes[-1] + 2 :]
    assert sizes.count(0) == 1
    assert sizes[-1] == 0
    assert len(sizes) > 1
