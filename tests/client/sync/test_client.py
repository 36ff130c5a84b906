"""Publishing, reading, listing and runs, against a real server and over a network that fails."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.client.both import QuickServer
from tests.client.conftest import Make
from tests.proxy import Proxy
from tidings import (
    NEW,
    Client,
    Closed,
    Conflict,
    Forbidden,
    Gone,
    InvalidRequest,
    NotFound,
    OutcomeUnknown,
    TooLarge,
    Unauthenticated,
    Unavailable,
    Unexpected,
)
from tidings.access.tokens import sign

SECRET = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def topic(request: pytest.FixtureRequest) -> str:
    """A topic that no other test has."""
    return "".join(c if c.isalnum() else "-" for c in request.node.name)[:150]


def test_importing_the_client_is_light() -> None:
    heavy = ["fastapi", "uvicorn", "langchain_core", "pydantic", "jwt", "typer", "sqlite3"]
    code = (
        "import sys; before = set(sys.modules); import tidings.client; "
        f"print(*sorted(set({heavy}) & (set(sys.modules) - before)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


DATA = [
    "Grüße\nan alle",
    "",
    " leading",
    "123",
    '"quoted 1"',
    '{"a": [1,  2]}',
    "\r\n",
    "null",
    {"b": [1, None]},
    [],
    7,
]


def test_published_events_are_read(client: Any, topic: str) -> None:
    offsets = [client.publish(topic, data, "note") for data in DATA]
    page = client.read(topic)
    assert [event.offset for event in page.events] == offsets
    assert {(event.topic, event.type) for event in page.events} == {(topic, "note")}
    for event, data in zip(page.events, DATA, strict=True):
        if data == '"quoted 1"':
            assert event.data == "quoted 1", "the one text whose quotes cannot be seen"
        elif isinstance(data, str):
            assert event.data == data
        else:
            assert event.json() == data
    assert (page.next, page.tail, page.up_to_date, page.closed) == (offsets[-1], offsets[-1], True, False)


def test_a_text_that_is_json_in_quotes_stays_as_it_is(client: Any, topic: str) -> None:
    client.publish(topic, '"123"')
    assert client.read(topic).events[0].data == '"123"'


def test_many_are_one_commit(client: Any, topic: str) -> None:
    done = client.publish_many(topic, ((kind, data) for kind, data in [("a", "text"), ("b", {"x": 1}), ("a", "1")]))
    events = client.read(topic).events
    assert [(e.type, e.data) for e in events] == [("a", "text"), ("b", '{"x":1}'), ("a", "1")]
    assert (done.first, done.last) == (events[0].offset, events[-1].offset)
    with pytest.raises(InvalidRequest):
        client.publish_many(topic, [("a", "1"), ("tidings.x", "2")])
    assert len(client.read(topic).events) == 3


def test_pages_are_read_on(client: Any, topic: str) -> None:
    client.publish_many(topic, [("message", str(n)) for n in range(25)])
    page = client.read(topic, limit=10)
    got = list(page.events)
    while not page.up_to_date:
        page = client.read(topic, page.next, 10)
        got += page.events
    assert [event.data for event in got] == [str(n) for n in range(25)]
    assert client.read(topic, "tail").events == []
    assert [event.data for event in client.read(topic, -2).events] == ["23", "24"]
    assert [event.data for event in client.read(topic, str(got[22].offset)).events] == ["23", "24"]


def test_a_publish_has_conditions(client: Any, topic: str) -> None:
    first = client.publish(topic, "one", expected=NEW)
    for expected in (NEW, "other", first._replace(n=7)):
        with pytest.raises(Conflict):
            client.publish(topic, "no", expected=expected)
    second = client.publish(topic, "two", expected=first)
    done = client.publish_many(topic, [("a", "3"), ("a", "4")], expected=second.epoch, close=True)
    assert [event.data for event in client.read(topic).events] == ["one", "two", "3", "4"]
    assert client.read(topic).closed
    with pytest.raises(Closed):
        client.publish(topic, "five", expected=done.last)


def test_a_transient_event_reaches_readers_and_no_log(client: Any, topic: str) -> None:
    client.publish(topic, "kept")
    with client.subscribe(topic) as events:
        assert client.publish(topic, "ann", "typing", transient=True) is None
        event = next(events)
        assert (event.topic, event.offset, event.type, event.data) == (topic, None, "typing", "ann")
    assert [event.data for event in client.read(topic).events] == ["kept"]
    for wrong in ({"key": "k"}, {"expected": NEW}, {"close": True}):
        with pytest.raises(InvalidRequest):
            client.publish(topic, "x", transient=True, **wrong)


def test_topics_are_listed(client: Any, topic: str) -> None:
    for name in ("b", "a"):
        client.publish(f"{topic}.{name}", "x")
    assert client.topics(f"{topic}.") == [f"{topic}.a", f"{topic}.b"]
    assert client.topics(f"{topic}.", f"{topic}.a") == [f"{topic}.b"]


@pytest.mark.parametrize("count", [1, 3])
def test_a_publish_whose_answer_is_lost_is_stored_once(make: Make, proxy: Proxy, topic: str, count: int) -> None:
    client = make(proxy.url)
    for _ in range(count):
        proxy.tell("next cut 0")
    proxy.tell("next html")
    offset = client.publish(topic, "once")
    assert proxy.count() == count + 2
    for _ in range(count):
        proxy.tell("next cut 0 fin")
    done = client.publish_many(topic, [("a", "2"), ("a", "3")])
    assert [event.offset for event in client.read(topic).events] == [offset, done.first, done.last]


def test_a_key_publishes_once(client: Any, topic: str) -> None:
    offsets = {client.publish(topic, text, key="the key") for text in ("one", "two")}
    assert [event.data for event in client.read(topic).events] == ["one"]
    assert offsets == {client.read(topic).tail}
    client.publish(topic, "x")
    client.publish(topic, "x")
    assert len(client.read(topic).events) == 3


def test_giving_up_says_whether_it_may_be_stored(make: Make, proxy: Proxy, topic: str) -> None:
    client = make(proxy.url, patience=0)
    proxy.tell("now cut 0")
    with pytest.raises(OutcomeUnknown, match="once, or not at all"):
        client.publish(topic, "maybe")
    with pytest.raises(Unavailable) as lost:
        client.read(topic)
    assert type(lost.value) is Unavailable
    proxy.tell("now refuse")
    with pytest.raises(Unavailable, match="No server answers at") as refused:
        client.publish(topic, "no")
    assert type(refused.value) is Unavailable
    proxy.tell("now html")
    with pytest.raises(Unavailable, match="502 Bad Gateway"):
        client.topics()


def test_a_server_that_comes_late_is_waited_for(make: Make, proxy: Proxy, topic: str) -> None:
    client = make(proxy.url)
    for _ in range(2):
        proxy.tell("next html")
    assert client.topics(topic) == []


def test_refusals_are_our_errors(client: Any, topic: str, server: QuickServer) -> None:
    client.publish(topic, "x")
    httpx.post(f"{server.url}/topics/{topic}/close").raise_for_status()
    for error, ask in [
        (Closed, lambda: client.publish(topic, "y")),
        (NotFound, lambda: client.read("no.such.topic")),
        (NotFound, lambda: client.runs.get("01JD9W3K5T8Q2R7V4X6Y9Z0ABC")),
        (TooLarge, lambda: client.publish(topic, "x" * (2 << 20))),
        (InvalidRequest, lambda: client.publish("../health", "x")),
        (InvalidRequest, lambda: client.publish(topic, "x", "tidings.x")),
        (InvalidRequest, lambda: client.publish(topic, "x", key="ü")),
        (InvalidRequest, lambda: client.publish(topic, "\ud800")),
        (InvalidRequest, lambda: client.publish(topic, {1, object()})),
        (InvalidRequest, lambda: client.read(topic, "yesterday")),
        (InvalidRequest, lambda: client.topics(limit=5000)),
        (InvalidRequest, lambda: client.runs.get("../health")),
        (InvalidRequest, lambda: client.runs.start([{"role": "assistant", "content": "x"}])),
    ]:
        with pytest.raises(error) as caught:
            ask()
        assert str(caught.value)


def test_events_that_are_gone_are_said_to_be(client: Any, topic: str, server: QuickServer) -> None:
    old = client.publish(topic, "x")
    httpx.delete(f"{server.url}/topics/{topic}").raise_for_status()
    new = client.publish(topic, "y")
    with pytest.raises(Gone) as gone:
        client.read(topic, old)
    assert gone.value.members == {"topic": topic, "reason": "recreated", "earliest": str(new)}
    assert [event.data for event in client.read(topic).events] == ["y"]


@pytest.mark.parametrize("url", ["localhost:8000", "http://", "ftp://x", ""])
def test_a_url_of_no_server_is_said_so(url: str) -> None:
    with pytest.raises(InvalidRequest, match="is not the URL of a server"):
        Client(url)


def test_another_server_is_recognised(make: Make, topic: str) -> None:
    with Elsewhere() as url:
        client = make(url)
        for ask in (client.topics, lambda: client.publish(topic, "x"), lambda: next(client.subscribe(topic))):
            with pytest.raises(Unexpected, match="does not answer as Tidings does"):
                ask()


class TestToken:
    def test_without_a_good_one_one_is_refused(
        self, make: Make, own_server: Callable[..., QuickServer], topic: str
    ) -> None:
        url = own_server(env={"TIDINGS_SECRET": SECRET}).url
        for token in (None, "rubbish", lambda: "rubbish"):
            with pytest.raises(Unauthenticated):
                make(url, token=token).publish(topic, "x")
        with pytest.raises(Forbidden):
            make(url, token=sign(SECRET, "ann", publish=["a"], subscribe=[], seconds=60)).publish("b", "x")
        with pytest.raises(InvalidRequest, match="printable ASCII"):
            make(url, token="Ä")

    def test_an_expired_token_is_renewed(self, make: Make, own_server: Callable[..., QuickServer], topic: str) -> None:
        url = own_server(env={"TIDINGS_SECRET": SECRET}).url
        given: list[str] = []

        def fresh() -> str:
            seconds = -60 if not given else 60
            given.append(sign(SECRET, "ann", publish=["*"], subscribe=["*"], seconds=seconds))
            return given[-1]

        client = make(url, token=fresh)
        for n in range(3):
            client.publish(topic, str(n))
        assert len(given) == 2
        assert [event.data for event in client.read(topic).events] == ["0", "1", "2"]


class TestRuns:
    def test_a_run_is_started_followed_and_described(self, client: Any) -> None:
        run = client.runs.start("What is a run?")
        events = list(run.events())
        assert (events[0].type, events[-1].type) == ("run.started", "run.finished")
        text = "".join(event.json()["delta"] for event in events if event.type == "block.delta")
        assert "run" in text
        state = run.state()
        assert (state.run, state.topic, state.state) == (run.id, run.topic, "finished")
        assert state.offset == str(events[-1].offset)
        assert run.wait() == events[-1]
        assert list(run.events(events[-1].offset)) == []
        again = client.runs.get(run.id)
        assert (again.id, again.topic) == (run.id, f"runs.{run.id}")

    def test_a_lost_answer_starts_no_second_run(self, make: Make, proxy: Proxy, topic: str) -> None:
        client = make(proxy.url)
        proxy.tell("next cut 0")
        run = client.runs.start([{"role": "user", "content": "What is a topic?"}], topic=topic)
        created = [event for event in client.read(topic).events if event.type == "run.created"]
        assert [event.json()["run"] for event in created] == [run.id]

    def test_a_run_is_stopped(self, client: Any) -> None:
        run = client.runs.start("What is an offset?")
        run.stop()
        client.runs.stop(run.id)
        assert list(run.events())[-1].type == "run.finished"
        assert run.state().state in ("cancelled", "finished")

    def test_a_run_whose_stream_is_cut_is_followed_on(self, make: Make, proxy: Proxy) -> None:
        client = make(proxy.url)
        run = client.runs.start("What is a subscription?")
        for n in (300, 900, 1500):
            proxy.tell(f"next cut {n}")
        events = list(run.events())
        offsets = [event.offset.n for event in events]
        assert offsets == sorted(set(offsets))
        whole = "".join(event.json()["delta"] for event in client.read(run.topic).events if "delta" in event.type)
        assert "".join(event.json()["delta"] for event in events if event.type == "block.delta") == whole

    def test_a_run_whose_topic_is_closed_or_deleted_ends_for_its_readers(
        self, client: Any, topic: str, server: QuickServer
    ) -> None:
        closed, deleted = (client.runs.start("What is a log?") for _ in range(2))
        for run in (closed, deleted):
            run.wait()
        httpx.delete(f"{server.url}/topics/{deleted.topic}")
        with pytest.raises(NotFound):
            deleted.state()


class Elsewhere:
    """A server of something else."""

    def __enter__(self) -> str:
        import threading
        from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

        class Page(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = json.dumps({"hello": 1}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                self.do_GET()

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self.server.server_port}"

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
