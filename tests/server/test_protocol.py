"""The protocol of a connection: requests that are sent before earlier ones are answered, and bodies that end once."""

from __future__ import annotations

import asyncio
import contextlib
import math
import socket
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from tests.raw import ask, request
from tests.serving import PATIENCE, ServerProcess
from tidings import Hub
from tidings.server.protocol import Bounds, protocol

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


@contextlib.asynccontextmanager
async def connected(sent: bytes) -> AsyncIterator[Any]:
    """Send a request to an app that reads all of its body and then waits; yield the server's connection."""
    complete, made = asyncio.Event(), []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        complete.set()
        await receive()

    async with Hub("memory:") as hub:
        kind = protocol(hub, Bounds(PATIENCE, 1 << 20))
        config = uvicorn.Config(app, http=kind, lifespan="off", ws="none")
        config.load()

        class Counted(kind):  # type: ignore[misc, valid-type]
            parsed = 0

            def _parse(self, data: bytes) -> None:
                self.parsed += 1
                super()._parse(data)

        def connection() -> Any:
            made.append(Counted(config, ServerState(), {}))
            return made[0]

        server = await asyncio.get_running_loop().create_server(connection, "127.0.0.1", 0)
        async with server:
            _, writer = await asyncio.open_connection("127.0.0.1", server.sockets[0].getsockname()[1])
            writer.write(sent)
            async with asyncio.timeout(PATIENCE):
                await complete.wait()
            yield made[0]
            writer.close()
            await writer.wait_closed()
            async with asyncio.timeout(PATIENCE):
                while not made[0].transport.is_closing():  # noqa: ASYNC110
                    await asyncio.sleep(0.01)


async def test_a_connection_shares_the_keys_of_its_attributes() -> None:
    """Python shares up to 30: beyond that, each connection's dict takes 1,584 bytes rather than 296."""
    async with connected(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n") as connection:
        assert sys.getsizeof(vars(connection)) < 400


async def test_a_body_of_known_length_is_parsed_as_it_is_read() -> None:
    """Parsing 12 KB in slices of 2 KB took a sixth of a batch's time."""
    async with connected(request("POST", "/", b"x" * 60_000)) as connection:
        assert connection.parsed <= 1 + math.ceil(60_000 / 16_384) + 2
