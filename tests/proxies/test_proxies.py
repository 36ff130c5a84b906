"""Each proxy of docs/deploy.md, as it is configured there, keeps what Tidings promises. The client is curl."""

from __future__ import annotations

import json
import socket
import threading
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest

from tests.proxies.kit import CUTTING, NAMES, REPEATING, Curl, Deployment

MAX_FILE = 10 * 1024 * 1024
"""Bytes of the largest file that a room takes, unless TIDINGS_MAX_FILE says otherwise."""

STREAM = ("--header", "accept: text/event-stream")
CUT = {52, 56, 92}
"""Exit statuses of curl for an answer that was cut: no answer, a reset connection, and a reset stream of HTTP/2."""

FORWARDED = ("x-forwarded-for", "x-forwarded-host", "x-forwarded-prefix", "x-forwarded-proto")
"""Headers by which a proxy says how it was asked. Some server or app believes each of them."""

PUBLISHERS = 4


@pytest.fixture(scope="module", params=NAMES)
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with Deployment(request.param, tmp_path_factory.mktemp(request.param)) as deployment:
        yield deployment


@pytest.fixture
def deployment(running: Deployment) -> Deployment:
    """A deployment whose servers both run, whatever an earlier test did."""
    running.start()
    return running


@pytest.fixture
def curl(deployment: Deployment) -> Curl:
    return Curl(deployment)


@pytest.fixture
def topic() -> str:
    return f"t{uuid4().hex[:12]}"


class Follower:
    """An event stream that curl has open."""

    def __init__(self, curl: Curl, path: str) -> None:
        self._process = curl.follow(path)
        assert self._process.stdout is not None
        self._lines = self._process.stdout
        self.head = "".join(iter(self._lines.readline, "\n"))

    def until(self, line: str) -> None:
        """Read up to a line. The test times out if the line does not come."""
        for read in self._lines:
            if read.rstrip("\r\n") == line:
                return
        raise AssertionError(f"the stream ended before {line!r}")

    def end(self) -> tuple[int, str]:
        """Read to the end. Return curl's exit status, which is 0 for a clean end, and what was read."""
        rest = self._lines.read()
        return self._process.wait(), rest

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._lines.close()


@pytest.fixture
def follow(curl: Curl) -> Iterator[Callable[[str], Follower]]:
    opened: list[Follower] = []

    def open(path: str) -> Follower:
        opened.append(Follower(curl, path))
        return opened[-1]

    yield open
    for follower in opened:
        follower.close()


Follow = Callable[[str], Follower]


def publish(curl: Curl, topic: str, text: str, *arguments: str) -> None:
    answer = curl(f"/topics/{topic}/events", *arguments, body=text.encode())
    assert answer.status in (200, 201), answer


def stored(curl: Curl, topic: str) -> list[str]:
    """Return the data of all events of a topic."""
    data: list[str] = []
    after = "earliest"
    while True:
        page = json.loads(curl(f"/topics/{topic}/events?after={after}&limit=1000").body)
        data += [event["data"] for event in page["events"]]
        if page["up_to_date"]:
            return data
        after = page["next"]


def test_every_event_passes_at_once_over_http2(curl: Curl, follow: Follow, topic: str) -> None:
    stream = follow(f"/events?topic={topic}")
    assert stream.head.startswith("HTTP/2 200"), stream.head
    for number in range(5):  # each is published only when the one before has come
        publish(curl, topic, f"event {number}")
        stream.until(f"data: event {number}")
    assert curl(f"/topics/{topic}/close", "--request", "POST").status == 200
    code, rest = stream.end()
    assert (code, "event: tidings.end\n" in rest) == (0, True)


def test_a_stream_that_a_deploy_ends_does_not_look_complete(
    deployment: Deployment, curl: Curl, follow: Follow, topic: str
) -> None:
    stream = follow(f"/events?topic={topic}")
    publish(curl, topic, "before")
    stream.until("data: before")
    deployment.stop()
    code, rest = stream.end()
    assert "tidings.end" not in rest
    assert code in CUT or deployment.name not in CUTTING


def test_a_file_of_the_largest_size_passes(curl: Curl, topic: str) -> None:
    name = "cookie: tidings_name=Ann"
    created = curl(f"/topics/rooms.{topic}/events?type=room.created", "--header", name, body=b'{"name":"Den"}')
    assert created.status == 201, created
    headers = ["--header", name, "--header", "content-type: application/pdf"]
    sent = curl(f"/rooms/{topic}/files?name=plan.pdf", *headers, body=bytes(MAX_FILE))
    assert sent.status == 201, sent


@pytest.mark.parametrize("path", ["/metrics", "/openapi.json", "/%6Detrics", "/openapi%2ejson", "/metrics#a"])
def test_a_path_for_the_operator_alone_is_not_public(deployment: Deployment, curl: Curl, path: str) -> None:
    assert curl("/", "--request-target", path).status in (0, 404)  # HAProxy cuts a request with `#`
    with urllib.request.urlopen(deployment.servers[0].url + path) as direct:
        assert direct.status == 200


def test_a_page_of_this_host_and_port_may_publish(deployment: Deployment, curl: Curl, topic: str) -> None:
    publish(curl, topic, "mine", "--header", f"origin: {deployment.url}")
    path = f"/topics/{topic}/events"
    assert curl(path, "--header", "origin: https://localhost", body=b"of another port").status == 403


def test_cookies_are_for_https_alone(curl: Curl) -> None:
    answer = curl("/session", "--header", "content-type: application/json", body=b'{"name":"Ann"}')
    cookies = [line for line in answer.head.splitlines() if line.lower().startswith("set-cookie:")]
    assert ["; Secure" in cookie for cookie in cookies] == [True]


def test_a_client_chooses_no_forwarded_header(deployment: Deployment, curl: Curl) -> None:
    """The servers make way for a socket that takes what the proxy sends."""
    forged = [part for name in FORWARDED for part in ("--header", f"{name}: forged")]
    deployment.stop()
    with socket.create_server(("127.0.0.1", deployment.servers[0].port)) as listening:
        sender = threading.Thread(target=curl, args=("/health", *forged))
        sender.start()
        connection, _ = listening.accept()
        with connection, connection.makefile("rb") as sent:
            head = b"".join(iter(sent.readline, b"\r\n")).decode().lower()
            connection.sendall(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n")
        sender.join()
    headers = dict(line.split(": ", 1) for line in head.splitlines()[1:])
    assert "forged" not in headers.values()
    assert (headers["x-forwarded-proto"], headers["x-forwarded-for"]) == ("https", "127.0.0.1")
    assert headers["host"] == f"localhost:{deployment.port}"


def test_a_rolling_restart_loses_no_post_that_has_a_key(deployment: Deployment, curl: Curl, topic: str) -> None:
    """Publishers go on until both servers have restarted. A proxy that cannot repeat a POST leaves it to its sender."""
    done = threading.Event()
    failed: list[object] = []
    sent: Counter[str] = Counter()

    def work(name: str) -> None:
        while not done.is_set():
            text = f"{name} {sent[name]}"
            key = ("--header", f"idempotency-key: {text}")
            answer = curl(f"/topics/{topic}/events", *key, body=text.encode())
            while answer.status == 502 and deployment.name not in REPEATING:
                answer = curl(f"/topics/{topic}/events", *key, body=text.encode())
            if answer.status not in (200, 201):
                failed.append(answer)
            sent[name] += 1

    publishers = [threading.Thread(target=work, args=(f"p{number}",)) for number in range(PUBLISHERS)]
    for publisher in publishers:
        publisher.start()
    for server in deployment.servers:
        server.terminate()
        server.start()
    done.set()
    for publisher in publishers:
        publisher.join()
    assert failed == []
    assert sorted(stored(curl, topic)) == sorted(
        f"{name} {number}" for name, count in sent.items() for number in range(count)
    )


def test_a_stream_is_cut_and_not_refused_while_no_server_runs(deployment: Deployment, curl: Curl, topic: str) -> None:
    deployment.stop()
    stream = curl(f"/events?topic={topic}", *STREAM)
    assert (stream.status, stream.code in CUT) == (0, True), stream
    assert curl("/session").status in (502, 503)
