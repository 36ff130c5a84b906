"""Attacks by a connection that sends request after request and reads no answer."""

from __future__ import annotations

import socket

import pytest

from tests.attack.conftest import bearer, dial, memory
from tests.raw import ask, request
from tests.serving import ServerProcess

MEGABYTE = 1 << 20
SENT = 60 * MEGABYTE
COST = 10 * MEGABYTE
"""Memory that an attack may cost."""


@pytest.fixture(scope="module", autouse=True)
def answered(server: ServerProcess) -> None:
    """The server has loaded its assistants, which takes 30 MB and more."""
    assert ask(server, request("GET", "/stream?q=hello", b"", bearer())).status == 200


def fill(made: socket.socket, part: bytes) -> int:
    """Send until the server takes nothing for two seconds; return the bytes that it took."""
    made.settimeout(2)
    taken = 0
    try:
        while taken < SENT:
            made.sendall(part)
            taken += len(part)
    except TimeoutError:
        pass
    return taken


@pytest.mark.parametrize("path", ["/health/live", "/", "/nowhere", "/topics/a"])
def test_requests_whose_answers_are_not_read_cost_little_memory(server: ServerProcess, path: str) -> None:
    """The server stops reading. Otherwise it would hold 7 KB for each of a million requests."""
    before = memory(server)
    with dial(server) as made:
        assert fill(made, f"GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n".encode() * 1000) < SENT
        assert memory(server) - before < COST


def test_bodies_that_wait_for_an_earlier_answer_cost_little_memory(server: ServerProcess) -> None:
    before = memory(server)
    with dial(server) as made:
        made.sendall(f"GET /events?topic=waiting HTTP/1.1\r\nhost: localhost\r\n{bearer()}\r\n\r\n".encode())
        assert fill(made, request("POST", "/topics/waiting/events", b"x" * MEGABYTE)) < SENT
        assert memory(server) - before < COST


def test_the_server_is_well_after_the_attacks(server: ServerProcess) -> None:
    assert ask(server, request("POST", "/topics/well/events", b"x", bearer())).status == 201
