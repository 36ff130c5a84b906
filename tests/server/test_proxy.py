"""The proxy misbehaves as it says it does: what else is tested over it rests on that."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.proxy import Proxy, Server
from tests.serving import PATIENCE

BODY = b"0123456789" * 10
EVENTS = b"".join(b"data: an id: %d\nid: 1-%d\n\n" % (n, n) for n in range(20_000))
ASKED: list[str] = []
"""The paths that have come to a server."""


class Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        ASKED.append(self.path)
        body = EVENTS if self.path == "/events" else BODY
        self.send_response(200)
        self.send_header("Content-Length", str(len(body) + (self.path == "/open")))
        self.end_headers()
        self.wfile.write(body)
        if self.path == "/open":
            self.wfile.flush()
            with contextlib.suppress(ConnectionResetError):
                self.rfile.read()  # until whoever asked has left

    do_OPTIONS = do_GET

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with Proxy(server.server_address[1]) as proxy:
            yield proxy
        server.shutdown()


def ask(proxy: Proxy, method: str = "GET", path: str = "/") -> socket.socket:
    made = socket.create_connection(("127.0.0.1", proxy.port), PATIENCE)
    made.sendall(f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    return made


def read(made: socket.socket) -> tuple[bytes, bytes]:
    """The head and the body, to the end. ConnectionResetError when that is no end."""
    with made:
        answer = b""
        while part := made.recv(65536):
            answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    return head, body


@pytest.mark.parametrize("behaviour", ["pass", "bytes"])
def test_an_answer_passes_whole(proxy: Proxy, behaviour: str) -> None:
    proxy.tell(f"now {behaviour}")
    head, body = read(ask(proxy))
    assert b" 200 " in head
    assert body == BODY


def test_a_connection_is_used_again(proxy: Proxy) -> None:
    proxy.tell("next html")
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, PATIENCE)
    answers = []
    for _ in range(3):
        connection.request("GET", "/")
        sock = connection.sock
        answer = connection.getresponse()
        answers.append((answer.status, answer.read()))
    assert connection.sock is sock
    connection.close()
    assert [status for status, _ in answers] == [502, 200, 200]
    assert answers[2][1] == BODY


def test_a_request_is_cut_at_the_given_byte(proxy: Proxy) -> None:
    proxy.tell("next cut 7 fin")
    proxy.tell("next cut 8")
    assert read(ask(proxy))[1] == BODY[:7]
    with pytest.raises(ConnectionResetError):
        read(ask(proxy))
    assert read(ask(proxy))[1] == BODY
    assert proxy.count() == 3


def test_a_request_to_another_path_takes_no_turn(proxy: Proxy) -> None:
    proxy.tell("next html for /events")
    assert read(ask(proxy))[1] == BODY
    assert read(ask(proxy, path="/events"))[0].startswith(b"HTTP/1.1 502")


def test_a_preflight_passes_and_is_not_counted(proxy: Proxy) -> None:
    proxy.tell("next html")
    assert read(ask(proxy, "OPTIONS"))[1] == BODY
    assert proxy.count() == 0
    assert read(ask(proxy))[0].startswith(b"HTTP/1.1 502")


def test_events_are_counted_wherever_the_network_cuts_them(proxy: Proxy) -> None:
    assert read(ask(proxy, path="/events"))[1] == EVENTS
    assert proxy.events() == 20_000
    proxy.tell(f"next cut {EVENTS.index(b'id: 1-50') + 1}")
    with pytest.raises(ConnectionResetError):
        read(ask(proxy, path="/events"))
    assert proxy.events() == 20_050
    proxy.fresh()
    assert proxy.events() == 0


@pytest.mark.parametrize("behaviour", ["stall 5", "swallow"])
def test_silence_ends_with_a_cut_only(proxy: Proxy, behaviour: str) -> None:
    proxy.tell(f"next {behaviour}")
    made = ask(proxy)
    got = b""
    if behaviour != "swallow":
        while not got.endswith(BODY[:5]):
            got += made.recv(65536)
    else:
        while not proxy.count():
            pass
    made.settimeout(0.2)
    with pytest.raises(TimeoutError):
        made.recv(1)
    made.settimeout(PATIENCE)
    proxy.tell("cut")
    with made, pytest.raises(ConnectionResetError):
        made.recv(1)


def test_a_cut_network_comes_back_at_the_same_address(proxy: Proxy) -> None:
    made = ask(proxy, path="/open")
    got = b""
    while not got.endswith(BODY):
        got += made.recv(65536)
    proxy.cut()
    with pytest.raises(ConnectionResetError):
        made.recv(1)
    made.close()
    with pytest.raises(ConnectionRefusedError):
        ask(proxy)
    proxy.mend()
    assert read(ask(proxy))[1] == BODY


@pytest.mark.parametrize(("behaviour", "heard"), [("silent", False), ("mute", True)])
def test_events_come_after_a_silence_that_ends_no_connection(proxy: Proxy, behaviour: str, heard: bool) -> None:
    proxy.tell(f"now {behaviour}")
    made, left = ask(proxy), ask(proxy, path=f"/{behaviour}")
    while proxy.count() < 2:
        pass
    left.close()
    made.settimeout(0.2)
    with pytest.raises(TimeoutError):
        made.recv(1)
    while heard and f"/{behaviour}" not in ASKED:
        pass
    assert (f"/{behaviour}" in ASKED) is heard
    made.settimeout(PATIENCE)
    proxy.mend()
    assert read(made)[1] == BODY
    while f"/{behaviour}" not in ASKED:
        pass


@pytest.mark.parametrize("turns", range(6))
async def test_a_connection_on_its_way_in_is_refused_too(turns: int) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as target:
        threading.Thread(target=target.serve_forever, daemon=True).start()
        server = Server(target.server_address[1])
        loop = asyncio.get_running_loop()
        with socket.socket() as made:
            made.setblocking(False)
            await loop.sock_connect(made, ("127.0.0.1", await server.start()))
            for _ in range(turns):  # of the loop: it is accepted in one, made in the next, and begun in a third
                await asyncio.sleep(0)
            assert await server.command("now refuse") == "ok"
            answer = loop.sock_recv(made, 1)
            with pytest.raises(ConnectionResetError):
                await asyncio.wait_for(answer, PATIENCE)
        target.shutdown()


@pytest.mark.parametrize("command", ["", "now", "next refuse", "next silent", "cut 5", "now cut", "later pass"])
def test_an_unknown_command_is_refused(proxy: Proxy, command: str) -> None:
    with pytest.raises(ValueError, match="no such command"):
        proxy.tell(command)
    assert proxy.count() == 0


def test_a_fresh_start_forgets_every_command(proxy: Proxy) -> None:
    proxy.tell("now html")
    proxy.tell("next swallow")
    held = ask(proxy)
    while not proxy.count():
        pass
    proxy.fresh()
    with pytest.raises(ConnectionResetError):
        read(held)
    assert proxy.count() == 0
    assert read(ask(proxy))[1] == BODY
