"""Clients that ask for large answers and take none of them: what they keep is counted, bounded, and given back."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest

from tests.attack.conftest import memory
from tests.raw import request
from tests.serving import PATIENCE, ServerProcess

MB = 1 << 20
LIMIT = 16 * MB
READERS = 60


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    """Serve a topic whose page is 2 MB, with a small budget."""
    with ServerProcess("memory:", env={"TIDINGS_WRITE_MEMORY": str(LIMIT)}) as made:
        with httpx.Client(base_url=made.url, timeout=PATIENCE) as client:
            for _ in range(20):
                assert client.post("/topics/big/events", content="x" * 100_000).status_code == 201
        yield made
        assert "Traceback" not in "".join(made.output)


def held(client: httpx.Client) -> int:
    """Return the bytes that slow readers keep, as the metrics tell."""
    found = re.search(r"^tidings_write_bytes (\S+)$", client.get("/metrics").text, re.MULTILINE)
    assert found
    return int(float(found[1]))


def frozen(server: ServerProcess, path: str) -> socket.socket:
    """Ask for `path` on a connection that takes a few bytes and no more."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    made.settimeout(PATIENCE)
    made.connect(("127.0.0.1", server.port))
    made.sendall(request("GET", path))
    assert made.recv(12) == b"HTTP/1.1 200"
    return made


def test_frozen_readers_of_pages_stay_within_the_budget(server: ServerProcess) -> None:
    with ExitStack() as stack, httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
        page = client.get("/topics/big/events?limit=1000").text
        assert len(page) > MB
        before = memory(server)
        readers = [stack.enter_context(frozen(server, "/topics/big/events?limit=1000")) for _ in range(READERS)]
        assert LIMIT - 2 * len(page) < held(client) <= LIMIT
        # What one answer takes while it is made is besides.
        assert memory(server) - before < LIMIT + 40 * MB
        # Those that have been slow for the longest were cut, and the last are answered in full.
        rest = b""
        while len(rest) < len(page) and (part := readers[-1].recv(MB)):
            rest += part
        assert rest.endswith(page[-100:].encode())
        cut = b""
        try:
            while part := readers[0].recv(MB):
                cut += part
        except ConnectionResetError:
            pass
        assert len(cut) < len(page)
        assert client.get("/topics/big/events?limit=1000").text == page
        for reader in readers:
            reader.close()
        until = time.monotonic() + PATIENCE
        while held(client):
            assert time.monotonic() < until
