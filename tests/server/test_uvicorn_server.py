"""The server as it is run: connections, over bare sockets."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator

import pytest

from tests.delivery.client import Chunked
from tests.raw import ask, request
from tests.serving import PATIENCE, ServerProcess
from tidings.wire.sse import ServerSentEvent, decode


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("server")
    with ServerProcess(f"sqlite:///{folder}/tidings.db") as made:
        yield made


def publish(server: ServerProcess, topic: str, *texts: str) -> None:
    for text in texts:
        assert ask(server, request("POST", f"/topics/{topic}/events", text.encode())).status == 201


class Connection:
    """A connection for several requests."""

    def __init__(self, server: ServerProcess) -> None:
        self.socket = socket.create_connection(("127.0.0.1", server.port), PATIENCE)
        self.rest = b""

    def send(self, *requests: bytes) -> None:
        self.socket.sendall(b"".join(requests))

    def head(self) -> tuple[int, dict[str, str]]:
        """The status and the headers of the next response."""
        while b"\r\n\r\n" not in self.rest:
            self.more()
        head, _, self.rest = self.rest.partition(b"\r\n\r\n")
        lines = head.decode().lower().split("\r\n")
        return int(lines[0].split()[1]), dict(line.split(": ", 1) for line in lines[1:])

    def body(self, headers: dict[str, str]) -> bytes:
        while len(self.rest) < int(headers["content-length"]):
            self.more()
        body, self.rest = self.rest[: int(headers["content-length"])], self.rest[int(headers["content-length"]) :]
        return body

    def stream(self) -> list[ServerSentEvent]:
        """The events of a body to its last chunk; what follows is the next response's."""
        chunked, body = Chunked(), b""
        while True:
            end = self.rest.find(b"\r\n0\r\n\r\n")
            if end >= 0:
                body += chunked.feed(self.rest[: end + 7])
                self.rest = self.rest[end + 7 :]
                assert chunked.ended
                return list(decode([body]))
            self.more()

    def more(self) -> None:
        part = self.socket.recv(65536)
        assert part, "the connection was closed"
        self.rest += part

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()


FOLLOW = request("GET", "/events?topic=ended&from=earliest")
DESCRIBE = request("GET", "/topics/ended")


@pytest.fixture(scope="module")
def ended(server: ServerProcess) -> ServerProcess:
    """A server with a topic that has ended."""
    publish(server, "ended", "one", "two")
    assert ask(server, request("POST", "/topics/ended/close")).status == 200
    return server


def test_a_connection_goes_on_after_a_stream_that_ended(ended: ServerProcess) -> None:
    with Connection(ended) as connection:
        for _ in range(3):
            connection.send(FOLLOW)
            assert connection.head()[0] == 200
            assert [event.data for event in connection.stream()][:2] == ["one", "two"]
            connection.send(DESCRIBE)
            status, headers = connection.head()
            assert status == 200
            assert b'"closed":true' in connection.body(headers)


def test_requests_sent_at_once_are_answered_in_order(ended: ServerProcess) -> None:
    with Connection(ended) as connection:
        connection.send(FOLLOW, DESCRIBE, FOLLOW, DESCRIBE)
        for _ in range(2):
            assert connection.head()[0] == 200
            assert [event.type for event in connection.stream()] == ["message", "message", "tidings.end"]
            assert b'"closed":true' in connection.body(connection.head()[1])


def test_a_request_behind_an_open_stream_waits_for_its_end(server: ServerProcess) -> None:
    publish(server, "open", "one")
    with Connection(server) as connection:
        connection.send(request("GET", "/events?topic=open&from=earliest"))
        assert connection.head()[0] == 200
        while b"one" not in connection.rest:
            connection.more()
        connection.send(request("GET", "/topics/open"))
        for n in range(50):
            publish(server, "open", f"event {n}")
        assert ask(server, request("POST", "/topics/open/close")).status == 200
        events = connection.stream()
        assert [event.data for event in events[:-1]] == ["one", *(f"event {n}" for n in range(50))]
        assert b'"closed":true' in connection.body(connection.head()[1])


@pytest.mark.parametrize("last", ["connection: close", ""])
def test_a_client_of_http_1_0_reads_it_too(ended: ServerProcess, last: str) -> None:
    head = f"GET /topics/ended HTTP/1.0\r\nhost: localhost\r\n{last}\r\n".replace("\r\n\r\n", "\r\n") + "\r\n"
    answer = ask(ended, head.encode())
    assert answer.status == 200
    assert answer.json()["closed"]


def test_an_event_of_which_a_format_writes_nothing_ends_no_body(server: ServerProcess) -> None:
    """The tutorial's format writes the text alone of a run's events. An empty chunk would end the body."""
    for _ in range(3):
        answer = ask(server, request("GET", "/stream?q=What%20is%20a%20topic", b"", "connection: close"))
        assert answer.status == 200
        assert answer.body.endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")
        # On a busy machine the first chunk holds more than the first word.
        assert re.match(rb"[0-9a-f]+\r\ndata: A ", answer.body)
        assert answer.body.count(b"\r\n0\r\n\r\n") == 1


def test_a_client_that_waits_to_be_asked_for_its_body(server: ServerProcess) -> None:
    with Connection(server) as connection:
        head = request("POST", "/topics/asked/events", b"x", "expect: 100-continue")
        connection.send(head[:-1])
        assert connection.head()[0] == 100
        connection.send(b"x")
        status, headers = connection.head()
        assert status == 201
        assert b"-1" in connection.body(headers)


def test_a_stream_that_nobody_reads_any_more_is_let_go(server: ServerProcess) -> None:
    def streams() -> int:
        text = ask(server, request("GET", "/metrics")).body.decode()
        line = next(line for line in text.splitlines() if line.startswith("tidings_streams_open "))
        return int(float(line.split()[1]))

    readers = [Connection(server) for _ in range(20)]
    for reader in readers:
        reader.send(request("GET", "/events?topic=left"))
        assert reader.head()[0] == 200
    assert streams() == 20
    for reader in readers:
        reader.socket.close()
    until = time.monotonic() + PATIENCE
    while streams():
        assert time.monotonic() < until, "the server has not noticed that they are gone"
    publish(server, "left", "x")
