"""Subscriptions over a network that cuts, stalls and refuses, and a server that is killed: in order, once each."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from typing import Any

import httpx
import pytest

from tests.client.both import QuickServer
from tests.client.conftest import Make
from tests.proxy import Proxy
from tests.serving import PATIENCE
from tidings import AsyncClient, Client, Forbidden, InvalidRequest, Unauthenticated, Unavailable
from tidings.access.tokens import LEEWAY, sign

SECRET = "0123456789abcdef0123456789abcdef"
NEARLY_OVER = LEEWAY // -2
"""Seconds from now to the expiry of a token that is good for another five, by the leeway of the server's clock."""


@pytest.fixture
def topic(request: pytest.FixtureRequest) -> str:
    """A topic that no other test has."""
    return "".join(c if c.isalnum() else "-" for c in request.node.name)[:150]


def fill(client: Any, topic: str, count: int, first: int = 0) -> None:
    client.publish_many(topic, [("n", str(n)) for n in range(first, first + count)])


def data(events: Iterable[Any], count: int | None = None) -> list[str]:
    return [event.data for event in islice(events, count)]


def numbers(count: int, first: int = 0) -> list[str]:
    return [str(n) for n in range(first, first + count)]


def close(server: QuickServer, *topics: str) -> None:
    for topic in topics:
        httpx.post(f"{server.url}/topics/{topic}/close").raise_for_status()


def test_events_come_as_they_are_until_the_end(client: Any, topic: str, server: QuickServer) -> None:
    offsets = [client.publish(topic, n, f"type.{n}") for n in range(3)]
    subscription = client.subscribe(topic, "earliest")
    assert subscription.offsets == {}
    events = list(islice(subscription, 3))
    assert [(e.topic, e.offset, e.type, e.data) for e in events] == [
        (topic, offset, f"type.{n}", str(n)) for n, offset in enumerate(offsets)
    ]
    assert events[0].time == client.read(topic).events[0].time
    assert subscription.offsets == {topic: offsets[-1]}
    close(server, topic)
    assert list(subscription) == []
    assert data(client.subscribe(topic, offsets[0])) == ["1", "2"]
    assert data(client.subscribe(topic, str(offsets[-1]))) == [], "the server answers 204"


def test_a_transient_event_has_no_offset(client: Any, topic: str, server: QuickServer) -> None:
    fill(client, topic, 1)
    with client.subscribe(topic) as subscription:
        httpx.post(f"{server.url}/topics/{topic}/events?transient=true", content="now").raise_for_status()
        event = next(subscription)
        assert (event.topic, event.offset, event.data) == (topic, None, "now")


def test_the_tail_is_where_the_subscription_began(make: Make, proxy: Proxy, topic: str, server: QuickServer) -> None:
    """Also if the connection is lost before the first event."""
    client = make(proxy.url)
    fill(client, topic, 3)
    with client.subscribe([topic, f"{topic}.new"]) as subscription:
        proxy.cut()
        with Client(server.url) as direct:
            fill(direct, topic, 2, 3)
            fill(direct, f"{topic}.new", 1)
        proxy.mend()
        got = [(event.topic, event.data) for event in islice(subscription, 3)]
    assert sorted(got) == [(topic, "3"), (topic, "4"), (f"{topic}.new", "0")]


@pytest.mark.parametrize("how", ["cut {}", "cut {} fin"])
def test_cuts_at_any_byte_lose_and_double_nothing(make: Make, proxy: Proxy, topic: str, how: str) -> None:
    client = make(proxy.url)
    fill(client, topic, 300)
    for n in range(0, 4000, 311):
        proxy.tell("next " + how.format(n))
    assert data(client.subscribe(topic, "earliest"), 300) == numbers(300)
    assert proxy.count() > 10


def test_byte_by_byte(make: Make, proxy: Proxy, topic: str) -> None:
    client = make(proxy.url)
    fill(client, topic, 50)
    proxy.tell("now bytes")
    assert data(client.subscribe(topic, "earliest"), 50) == numbers(50)


def test_a_peer_that_is_dead_is_noticed_by_its_silence(make: Make, proxy: Proxy, topic: str) -> None:
    client = make(proxy.url, silence=0.3)
    fill(client, topic, 100)
    proxy.tell("next stall 2000")
    proxy.tell("next swallow")
    assert data(client.subscribe(topic, "earliest"), 100) == numbers(100)
    assert proxy.count() == 4


def test_a_gateway_without_its_server_is_waited_for(make: Make, proxy: Proxy, topic: str) -> None:
    client = make(proxy.url)
    fill(client, topic, 10)
    proxy.tell("next html")
    proxy.tell("next cut 500")
    proxy.tell("next html")
    assert data(client.subscribe(topic, "earliest"), 10) == numbers(10)


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_is_busy_is_left_alone_for_as_long_as_it_asks(make: Make, topic: str, status: int) -> None:
    """Without `Retry-After` the first pause is less than a second."""
    asked: list[float] = []

    class Busy(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(time.monotonic())
            self.send_response(204 if len(asked) > 1 else status)
            self.send_header("Retry-After", "1")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with answering(Busy) as url:
        assert data(make(url).subscribe(topic, "earliest")) == []
    first, second = asked
    assert second - first >= 1


@contextmanager
def answering(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """The URL of an HTTP server."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(PATIENCE)


@pytest.mark.parametrize("behaviour", ["html", "refuse"])
def test_a_failed_first_connection_is_an_error(make: Make, proxy: Proxy, topic: str, behaviour: str) -> None:
    proxy.tell(f"now {behaviour}")
    with pytest.raises(Unavailable):
        next(iter(make(proxy.url, patience=0).subscribe(topic, "earliest")))


def test_after_the_first_connection_nobody_gives_up(make: Make, proxy: Proxy, topic: str, server: QuickServer) -> None:
    client = make(proxy.url, patience=0)
    fill(client, topic, 1)
    with client.subscribe(topic, "earliest") as subscription:
        assert data(subscription, 1) == ["0"]
        proxy.cut()
        threading.Timer(2.0, proxy.mend).start()
        with Client(server.url) as direct:
            fill(direct, topic, 1, 1)
        assert data(subscription, 1) == ["1"]


def test_a_repeated_event_is_handed_out_once(topic: str, make: Make, server: QuickServer) -> None:
    """A cache on the way that gives the first answer again, whatever the last event ID is."""
    with Client(server.url) as direct:
        fill(direct, topic, 5)
    with Replaying(server, topic) as url:
        client = make(url)
        subscription = client.subscribe(topic, "earliest")
        assert data(subscription, 5) == numbers(5)
        with Client(server.url) as direct:
            fill(direct, topic, 3, 5)
        assert data(subscription, 3) == numbers(3, 5)


class Replaying:
    """Answers every request for an event stream with all that the topic holds, from the beginning, and ends it."""

    def __init__(self, server: QuickServer, topic: str) -> None:
        self.server, self.topic = server, topic

    def __enter__(self) -> str:
        here = self

        class Cache(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                url = f"{here.server.url}/events?topic={here.topic}&after=earliest&envelope=true"
                with httpx.Client() as client:
                    events = len(client.get(f"{here.server.url}/topics/{here.topic}/events").json()["events"])
                    got = b""
                    with client.stream("GET", url) as stream:
                        for chunk in stream.iter_bytes():
                            got += chunk
                            if got.count(b"\n\n") == events:
                                break
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream;charset=utf-8")
                self.end_headers()
                self.wfile.write(got)

            def log_message(self, *_: object) -> None: ...

        self.cache = ThreadingHTTPServer(("127.0.0.1", 0), Cache)
        threading.Thread(target=self.cache.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self.cache.server_port}"

    def __exit__(self, *_: object) -> None:
        self.cache.shutdown()
        self.cache.server_close()


def test_several_topics_share_a_connection(make: Make, proxy: Proxy, topic: str, server: QuickServer) -> None:
    client = make(proxy.url)
    names = [f"{topic}.{n}" for n in range(3)]
    for name in names:
        fill(client, name, 40)
    for n in (700, 2500, 5000, 1000):
        proxy.tell(f"next cut {n}")
    before = proxy.count()
    subscription = client.subscribe(names, "earliest")
    events = list(islice(subscription, 60))
    resumed = client.subscribe(names, subscription.offsets)
    events += islice(resumed, 60)
    for name in names:
        assert data(event for event in events if event.topic == name) == numbers(40)
    assert resumed.offsets == {name: client.read(name).tail for name in names}
    assert proxy.count() - before < 15
    close(server, *names)
    assert list(resumed) == []


@pytest.mark.parametrize(
    ("topics", "after"),
    [
        ([], "tail"),
        (["a", "a"], "tail"),
        ("a b", "tail"),
        ("a", 3),
        ("a", None),
        (["a", "b"], "Ab-1"),
        (["a", "b"], {"a": "Ab-1"}),
        ("a", {"b": "Ab-1"}),
        ("a", "yesterday"),
    ],
)
def test_a_subscription_that_cannot_be_is_refused_at_once(client: Any, topics: Any, after: Any) -> None:
    with pytest.raises(InvalidRequest):
        client.subscribe(topics, after)


def test_too_many_topics_are_the_server_s_to_refuse(client: Any) -> None:
    with pytest.raises(InvalidRequest, match="32"):
        next(client.subscribe([f"t{n}" for n in range(33)]))


class TestReset:
    def abandon(self, server: QuickServer, topic: str) -> str:
        """Two events, of which a reader has the first, of a topic that then begins anew with two others."""
        with Client(server.url) as client:
            fill(client, topic, 2)
            first = client.read(topic).events[0].offset
            httpx.delete(f"{server.url}/topics/{topic}").raise_for_status()
            fill(client, topic, 2, 2)
        return str(first)

    def test_a_reset_is_an_event_and_the_events_go_on(self, client: Any, topic: str, server: QuickServer) -> None:
        first = self.abandon(server, topic)
        subscription = client.subscribe(topic, first)
        reset = next(subscription)
        earliest = client.read(topic).events[0].offset
        assert (reset.topic, reset.type) == (topic, "tidings.reset")
        assert reset.json() == {"topic": topic, "reason": "recreated", "earliest": str(earliest)}
        assert data(subscription, 2) == ["2", "3"]
        assert data(client.subscribe(topic, reset.offset), 2) == ["2", "3"]

    def test_a_reset_of_several_topics_names_its_topic(self, client: Any, topic: str, server: QuickServer) -> None:
        first = self.abandon(server, topic)
        other = f"{topic}.other"
        fill(client, other, 2)
        at = client.read(other).events[0].offset
        subscription = client.subscribe([other, topic], {topic: first, other: at})
        events = list(islice(subscription, 4))
        assert [event.topic for event in events if event.type == "tidings.reset"] == [topic]
        assert data(event for event in events if event.topic == other) == ["1"]
        assert data(event for event in events if event.topic == topic)[1:] == ["2", "3"]
        assert subscription.offsets == {name: client.read(name).tail for name in (other, topic)}

    def test_a_topic_that_is_deleted_meanwhile(self, client: Any, topic: str, server: QuickServer) -> None:
        fill(client, topic, 1)
        subscription = client.subscribe(topic, "earliest")
        next(subscription)
        httpx.delete(f"{server.url}/topics/{topic}").raise_for_status()
        assert next(subscription).json()["reason"] == "deleted"
        fill(client, topic, 1, 7)
        assert data(subscription, 1) == ["7"]


@pytest.mark.parametrize("after", [-2, "-2"])
def test_the_last_events_come_first(client: Any, topic: str, after: Any) -> None:
    fill(client, topic, 5)
    with client.subscribe(topic, after) as subscription:
        fill(client, topic, 1, 5)
        assert data(subscription, 3) == ["3", "4", "5"]
    assert data(client.subscribe([topic, f"{topic}.none"], -100), 6) == numbers(6)


def test_a_subscription_begins_at_the_tail(client: Any, topic: str) -> None:
    fill(client, topic, 3)
    with client.subscribe(topic) as subscription:
        fill(client, topic, 1, 3)
        assert data(subscription, 1) == ["3"]


async def test_a_subscription_that_is_cancelled_or_left_leaves_its_connection(server: QuickServer, topic: str) -> None:
    import asyncio

    async def open_streams() -> int:
        async with httpx.AsyncClient() as asking:
            text = (await asking.get(f"{server.url}/metrics")).text
        return int(re.findall(r"(?m)^tidings_streams_open (\d+)", text)[0])

    async def become(test: Callable[[int], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not test(await open_streams()):  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    async with AsyncClient(server.url) as client:
        await client.publish(topic, "x")
        before = await open_streams()

        async def follow() -> None:
            async for _ in client.subscribe(topic):
                pass

        task = asyncio.create_task(follow())
        await become(lambda count: count > before)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async for _ in client.subscribe(topic, "earliest"):
            break
        await become(lambda count: count <= before)


def test_a_token_that_expires_is_renewed_and_the_place_kept(
    make: Make, own_server: Callable[..., QuickServer], topic: str
) -> None:
    url = own_server(env={"TIDINGS_SECRET": SECRET}).url
    given: list[str] = []
    renewed = threading.Event()

    def fresh() -> str:
        given.append(sign(SECRET, "ann", publish=[topic], subscribe=[topic], seconds=60 if given else NEARLY_OVER))
        if len(given) > 1:
            renewed.set()
        return given[-1]

    with Client(url, token=sign(SECRET, "bob", publish=["*"], subscribe=[], seconds=600)) as publisher:
        fill(publisher, topic, 10)

        def go_on() -> None:
            assert renewed.wait(PATIENCE)
            fill(publisher, topic, 10, 10)

        thread = threading.Thread(target=go_on)
        thread.start()
        assert data(make(url, token=fresh).subscribe(topic, "earliest"), 20) == numbers(20)
        thread.join(PATIENCE)
    assert len(given) == 2


def test_a_token_that_expires_for_good_ends_it(make: Make, own_server: Callable[..., QuickServer], topic: str) -> None:
    url = own_server(env={"TIDINGS_SECRET": SECRET}).url
    client = make(url, token=sign(SECRET, "ann", publish=[topic], subscribe=[topic], seconds=NEARLY_OVER))
    fill(client, topic, 1)
    with pytest.raises(Unauthenticated):
        data(client.subscribe(topic, "earliest"))
    with pytest.raises(Forbidden):
        data(make(url, token=sign(SECRET, "ann", publish=[], subscribe=["x"], seconds=60)).subscribe(topic))


@pytest.mark.slow
def test_a_server_that_is_killed_again_and_again_loses_and_doubles_nothing(
    make: Make, own_server: Callable[..., QuickServer], topic: str
) -> None:
    """Thousands of events, published and read by clients that only see connections die."""
    server, total, batch = own_server(), 6000, 25
    broken: list[BaseException] = []

    def publish() -> None:
        try:
            with Client(server.url, patience=PATIENCE) as client:
                for first in range(0, total, batch):
                    fill(client, topic, batch, first)
        except BaseException as error:
            broken.append(error)

    thread = threading.Thread(target=publish)
    thread.start()
    got: list[str] = []
    kill_at = {500, 2000, 3500}
    subscription = make(server.url).subscribe(topic, "earliest")
    for event in islice(subscription, total):
        got.append(event.data)
        if len(got) in kill_at:
            server.kill()
            server.start()
    thread.join(PATIENCE)
    assert broken == []
    assert got == numbers(total)
    assert event.offset.n == total
