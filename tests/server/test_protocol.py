"""The protocol of a connection: requests that are sent before earlier ones are answered."""

from __future__ import annotations

import socket

from tests.raw import request
from tests.serving import PATIENCE, ServerProcess

COUNT = 4000


def test_thousands_of_pipelined_requests_are_answered_in_order() -> None:
    """Some have bodies, which begin and end anywhere in what the server reads and parses at once."""
    body = request("POST", "/nowhere", b"x" * 700)
    parts = [body if n % 3 else request("GET", "/health/live") for n in range(COUNT)]
    last = b"GET /health/live HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
    with ServerProcess("memory:") as server, socket.create_connection(("127.0.0.1", server.port), PATIENCE) as made:
        made.sendall(b"".join(parts) + last)
        answer = b""
        while part := made.recv(65536):
            answer += part
    found = [part[:3] for part in answer.split(b"HTTP/1.1 ")[1:]]
    assert found == [b"404" if n % 3 else b"200" for n in range(COUNT)] + [b"200"]
