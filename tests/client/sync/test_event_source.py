"""Event sources of both kinds against a server of scripted answers: what is asked, what is told, and what ends it."""

from __future__ import annotations

import base64
import gzip
import json
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.client.both import QuickServer
from tests.client.conftest import Make
from tests.client.scripted import STREAM, Answer, script
from tests.proxy import Proxy
from tests.serving import PATIENCE
from tidings import (
    Client,
    EventSource,
    InvalidRequest,
    NotFound,
    TidingsError,
    Unauthenticated,
    Unavailable,
    Unexpected,
    errors,
)
from tidings.client import rules

VECTORS = json.loads((Path(__file__).parents[2] / "wire/vectors/sse.json").read_text("utf-8"))

pytestmark = pytest.mark.usefixtures("soon")


def bytes_of(vector: dict[str, Any]) -> bytes:
    return base64.b64decode(vector["base64"]) if "base64" in vector else str(vector["text"]).encode()


def test_every_case_of_the_standard_is_read_over_a_connection(source: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each connection reads one case, and is ended."""
    monkeypatch.setattr(rules, "MOST", 0.01)  # some cases ask for pauses of seconds
    for end in ("clean", "cut"):
        with script(*(Answer(bytes_of(vector), end=end) for vector in VECTORS)) as server:
            seen = [(event.type, event.data) for event in source(server.url)]
        expected = [(event["type"], event["data"]) for vector in VECTORS for event in vector["events"]]
        assert seen == expected
        assert len(server.asked) == len(VECTORS) + 1


class TestRequest:
    def test_by_default(self, source: Make) -> None:
        with script() as server:
            assert list(source(f"{server.url}/a?b=c&d")) == []
        (asked,) = server.asked
        assert (asked.method, asked.path, asked.body) == ("GET", "/a?b=c&d", b"")
        assert asked.headers["accept"] == "text/event-stream"
        assert asked.headers["cache-control"] == "no-cache"
        assert "last-event-id" not in asked.headers

    @pytest.mark.parametrize(
        ("body", "kind", "sent"),
        [
            ({"q": ["ü"]}, "application/json", '{"q":["ü"]}'.encode()),
            ("Grüße", "text/plain; charset=utf-8", "Grüße".encode()),
            (b"\0\xff", None, b"\0\xff"),
        ],
    )
    @pytest.mark.parametrize("method", ["POST", "report"])
    def test_the_body_is_sent_with_each_connection(
        self, source: Make, method: str, body: object, kind: str | None, sent: bytes
    ) -> None:
        with script(Answer(b"data: 1\n\n"), Answer(status=503), Answer(b"data: 2\n\n", end="cut")) as server:
            assert [event.data for event in source(server.url, method=method, body=body)] == ["1", "2"]
        assert [(asked.method, asked.body) for asked in server.asked] == [(method.upper(), sent)] * 4
        assert {asked.headers.get("content-type") for asked in server.asked} == {kind}

    def test_passed_headers_are_sent(self, source: Make) -> None:
        headers = {"X-Key": "k", "Content-Type": "text/x", "Accept": "*/*"}
        with script() as server:
            list(source(server.url, method="PUT", body="b", headers=headers))
        (asked,) = server.asked
        assert [asked.headers[name] for name in ("x-key", "content-type", "accept")] == ["k", "text/x", "*/*"]

    def test_gets_fresh_headers_from_a_function(self, source: Make) -> None:
        given = iter(range(9))
        with script(Answer(), Answer(b"data: 1\n\n")) as server:
            list(source(server.url, headers=lambda: {"authorization": f"Bearer {next(given)}"}))
        assert [asked.headers["authorization"] for asked in server.asked] == ["Bearer 0", "Bearer 1", "Bearer 2"]

    def test_a_token_in_the_url_is_not_shown_in_errors(self, source: Make) -> None:
        with script(Answer(status=404)) as server, pytest.raises(NotFound) as caught:
            list(source(f"{server.url}/a?token=secret"))
        assert "secret" not in str(caught.value)

    @pytest.mark.parametrize(
        "wrong",
        [
            {"url": "localhost:8000"},
            {"method": "G ET"},
            {"method": None},
            {"body": {}},
            {"body": "x", "method": "head"},
            {"body": {1, object()}, "method": "POST"},
            {"body": "\ud800", "method": "POST"},
            {"headers": {"a b": "c"}},
            {"headers": {"a": "b\r\nc: d"}},
            {"headers": {"a": " b"}},
            {"headers": {"a": "ü"}},
            {"headers": {"a": 1}},
            {"headers": {"Last-Event-ID": "7"}},
            {"last_event_id": "a\nb"},
            {"last_event_id": "a\0b"},
            {"last_event_id": "\ud800"},
            {"last_event_id": 7},
        ],
    )
    def test_an_invalid_request_is_refused_at_once(self, source: Make, wrong: dict[str, Any]) -> None:
        with pytest.raises(InvalidRequest):
            source(**{"url": "http://127.0.0.1:1", **wrong})


class TestRedirect:
    @pytest.mark.parametrize(
        ("status", "method"), [(301, "GET"), (302, "GET"), (303, "GET"), (307, "POST"), (308, "POST")]
    )
    def test_a_redirect_is_followed_for_each_connection(self, source: Make, status: int, method: str) -> None:
        with script(*[Answer(b"id: 1\ndata: x\n\n")] * 2) as server:
            there = Answer(status=status, headers={"Location": f"{server.url}/there"})
            with script(there, there, there) as first:
                events = source(f"{first.url}/here", method="POST", body="b", headers={"authorization": "k"})
                assert events.origin == ""
                assert [event.data for event in events] == ["x", "x"]
                assert events.origin == server.url
                assert events.url == f"{first.url}/here"
        assert [(asked.method, asked.path, asked.body) for asked in first.asked] == [("POST", "/here", b"b")] * 3
        body = b"b" if method == "POST" else b""
        assert [(asked.method, asked.path, asked.body) for asked in server.asked] == [(method, "/there", body)] * 3
        assert [asked.headers.get("last-event-id") for asked in server.asked] == [None, "1", "1"]
        assert "authorization" not in server.asked[0].headers, "the secret of one origin is not told to another"

    @pytest.mark.parametrize("location", [{}, {"Location": ""}, {"Location": "/"}, {"Location": "ftp://x/"}])
    @pytest.mark.parametrize("status", [301, 307])
    def test_a_redirect_that_leads_nowhere_is_an_error(
        self, source: Make, status: int, location: dict[str, str]
    ) -> None:
        with script(*[Answer(status=status, headers=location)] * 30) as server, pytest.raises(Unexpected):
            list(source(server.url))


class TestPosition:
    def ids(self, source: Make, *bodies: bytes, **options: Any) -> tuple[list[str | None], Any]:
        """The `Last-Event-ID` of each request, the first included, and the event source."""
        with script(*map(Answer, bodies)) as server:
            events = source(server.url, **options)
            list(events)
        return [asked.headers.get("last-event-id") for asked in server.asked], events

    def test_the_position_is_the_id_of_the_last_event(self, source: Make) -> None:
        got, events = self.ids(source, b"id: 1\ndata: a\n\nid: 2\ndata: b\n\ndata: c\n\n", b"data: d\n\n")
        assert got == [None, "2", "2"]
        assert events.last_event_id == "2"

    def test_an_empty_id_resets_the_position(self, source: Make) -> None:
        assert self.ids(source, b"id: 1\ndata: a\n\n", b"id:\ndata: b\n\n")[0] == [None, "1", None]

    def test_an_id_without_an_event_sets_the_position(self, source: Make) -> None:
        assert self.ids(source, b"id: 1\n\n")[0] == [None, "1"]

    def test_an_unfinished_event_does_not_move_the_position(self, source: Make) -> None:
        assert self.ids(source, b"id: 1\ndata: a\n\nid: 2\ndata: b", b"data: c\n\n")[0] == [None, "1", "1"]

    def test_a_given_position_is_sent(self, source: Make) -> None:
        got, events = self.ids(source, b"data: a\n\n", last_event_id="7")
        assert got == ["7", "7"]
        assert events.last_event_id == "7"

    def test_the_position_may_be_any_text(self, source: Make) -> None:
        got, events = self.ids(source, "id:  ü豆 \ndata: a\n\n".encode())
        assert events.last_event_id == " ü豆 "
        assert got[1] is not None
        assert got[1].encode("latin-1").decode() == "ü豆"

    def test_an_id_that_no_header_can_hold_ends_the_stream(self, source: Make) -> None:
        with pytest.raises(InvalidRequest, match="cannot be sent"):
            self.ids(source, b"id: a\x0cb\ndata: a\n\n")

    def test_the_position_belongs_to_the_event_that_was_handed_out(self, source: Make) -> None:
        with script(Answer(b"id: 1\ndata: a\n\nid: 2\ndata: b\n\n")) as server:
            events = source(server.url)
            assert next(events).id == events.last_event_id == "1"
            assert next(events).id == events.last_event_id == "2"


class TestEnd:
    @pytest.mark.parametrize(
        "body", [b"data: [DONE]\n\n", b'id: Ab-1\nevent: tidings.end\ndata: {"topic":"a","offset":"Ab-1"}\n\n']
    )
    def test_an_end_marker_ends_the_stream(self, source: Make, body: bytes) -> None:
        with script(Answer(b"data: 1\n\n" + body)) as server:
            assert len(list(source(server.url))) == 2
        assert len(server.asked) == 1

    @pytest.mark.parametrize(
        "answer",
        [
            Answer(b"data: 1\n\n"),
            Answer(b"data: [DONE]\n\n", end="cut"),
            Answer(b"data: [DONE]\n\ndata: 1\n\n"),
            Answer(b"event: tidings.end\nid: Ab-1~Cd-7\ndata: {}\n\n"),
        ],
    )
    def test_an_end_that_may_be_a_cut_reconnects(self, source: Make, answer: Answer) -> None:
        with script(answer, Answer(b"data: 2\n\n")) as server:
            assert [event.data for event in source(server.url)][-1] == "2"
        assert len(server.asked) == 3

    def test_status_204_ends_the_stream(self, source: Make) -> None:
        with script(Answer(status=204, headers={})) as server, source(server.url) as events:
            assert list(events) == []
            assert list(events) == []
        assert len(server.asked) == 1


class TestStatus:
    @pytest.mark.parametrize(
        ("status", "kind"),
        [
            (201, Unexpected),
            (205, Unexpected),
            (400, InvalidRequest),
            (401, Unauthenticated),
            (403, errors.Forbidden),
            (404, NotFound),
            (410, errors.Gone),
            (413, errors.TooLarge),
            (418, Unexpected),
        ],
    )
    def test_a_refusing_status_ends_the_stream(self, source: Make, status: int, kind: type[Exception]) -> None:
        for earlier in ([], [Answer(b"data: 1\n\n")]):
            with script(*earlier, Answer(b"data: no\n\n", status)) as server:
                events = source(server.url)
                with pytest.raises(kind) as caught:
                    assert [event.data for event in events] == ["1"] * len(earlier)
                assert type(caught.value) is kind
                assert list(events) == []
            assert len(server.asked) == len(earlier) + 1

    @pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 522])
    def test_a_temporary_status_is_retried(self, source: Make, status: int) -> None:
        told: list[TidingsError] = []
        with script(Answer(b"data: no\n\n", status), Answer(b"data: 1\n\n")) as server:
            events = source(server.url, on_error=told.append)
            assert [event.data for event in events] == ["1"]
        assert str(status) in str(told[0])
        assert isinstance(told[0], errors.TooManyRequests if status == 429 else Unavailable)

    def test_a_lasting_status_exhausts_the_patience(self, source: Make) -> None:
        with script(*[Answer(status=503)] * 9) as server, pytest.raises(Unavailable):
            list(source(server.url, patience=0))
        assert len(server.asked) == 1
        with pytest.raises(Unavailable, match=r"No server answers at http://127\.0\.0\.1:1/a\.$"):
            next(source("http://127.0.0.1:1/a", patience=0))

    def test_after_the_first_connection_is_waited_out_for_ever(self, source: Make) -> None:
        with script(Answer(b"data: 1\n\n"), Answer(status=503), Answer(status=503), Answer(b"data: 2\n\n")) as server:
            assert [event.data for event in source(server.url, patience=0)] == ["1", "2"]

    def test_says_how_long_to_wait(self, source: Make) -> None:
        with script(Answer(status=429, headers={"Retry-After": "1"}), Answer(b"retry: 1000\n\n")) as server:
            times = []
            events = source(server.url, on_error=lambda _: times.append(time.monotonic()))
            assert list(events) == []
            times.append(time.monotonic())
        assert len(times) == 3
        assert min(times[1] - times[0], times[2] - times[1]) >= 1

    @pytest.mark.parametrize("kind", ["text/html", "", "text/event-streams", "text/plain;text/event-stream"])
    def test_another_content_type_is_refused(self, source: Make, kind: str) -> None:
        answer = Answer(b"data: 1\n\n", headers={"Content-Type": kind})
        with script(answer) as server, pytest.raises(Unexpected, match="not with an event stream"):
            list(source(server.url))

    @pytest.mark.parametrize("kind", ["text/event-stream;charset=latin-1", "TEXT/Event-Stream ; x"])
    def test_an_event_stream_content_type_may_have_parameters(self, source: Make, kind: str) -> None:
        with script(Answer("data: ü\n\n".encode(), headers={"Content-Type": kind})) as server:
            assert [event.data for event in source(server.url)] == ["ü"]


def test_a_compressed_stream_is_read(source: Make) -> None:
    with script(Answer(gzip.compress(b"data: 1\n\n"), headers={**STREAM, "Content-Encoding": "gzip"})) as server:
        assert [event.data for event in source(server.url)] == ["1"]


def test_comments_come_in_order_with_the_events(source: Make) -> None:
    items: list[str] = []
    with script(Answer("\ufeff: a\ndata: 1\n:b\n\n:ü\r\n: \r\rdata: 2\n\n:unfinished".encode())) as server:
        for event in source(server.url, on_comment=items.append):
            items.append(f"event {event.data}")
    assert items == ["a", "b", "event 1", "ü", "", "event 2"]


class TestSilence:
    def test_silence_ends_a_connection(self, source: Make) -> None:
        told: list[TidingsError] = []
        held = [Answer(b"id: 1\ndata: 1\n\ndata: half", end="hold"), Answer(b"", end="hold")]
        with script(*held, Answer(b"data: 2\n\n")) as server:
            events = source(server.url, silence=0.2, on_error=told.append)
            assert [event.data for event in events] == ["1", "2"]
        assert ["silent" in str(error) for error in told] == [True, True, False]
        assert [asked.headers.get("last-event-id") for asked in server.asked] == [None, "1", "1", "1"]

    def test_silence_is_unlimited_by_default(self, source: Make) -> None:
        with script() as server:
            events = source(server.url)
        inner = getattr(events, "inner", events)
        assert inner._source.rules.silence is None


class TestErrors:
    def test_errors_are_reported_before_each_pause(self, source: Make) -> None:
        told: list[str] = []
        with script(Answer(b"data: 1\n\n"), Answer(status=502), Answer(b"data: 2\n\n", end="cut")) as server:
            events = source(f"{server.url}/a?b", on_error=lambda error: told.append(str(error)))
            assert [event.data for event in events] == ["1", "2"]
        assert told == [
            f"The connection to {server.url}/a was ended by the server.",
            f"{server.url}/a answered 502 Bad Gateway.",
            f"The connection to {server.url}/a was lost.",
        ]

    def test_an_error_of_the_callback_ends_the_stream(self, source: Make) -> None:
        def refuse(error: TidingsError) -> None:
            raise RuntimeError("Enough.")

        with script(Answer(b"data: 1\n\n"), Answer(b"data: 2\n\n")) as server:
            events = source(server.url, on_error=refuse)
            assert next(events).data == "1"
            with pytest.raises(RuntimeError, match="Enough"):
                next(events)
            assert list(events) == []
        assert len(server.asked) == 1


class TestReconnect:
    def test_between_events_loses_none_and_is_no_error(self, source: Make) -> None:
        told: list[TidingsError] = []
        held = [Answer(b"id: 1\ndata: 1\n\n", end="hold"), Answer(b"data: 2\n\n", end="hold")]
        with script(*held) as server:
            events = source(server.url, on_error=told.append)
            assert next(events).data == "1"
            events.reconnect()
            assert next(events).data == "2"
        assert told == []
        assert [asked.headers.get("last-event-id") for asked in server.asked] == [None, "1"]

    def test_a_reconnect_after_a_lost_connection_skips_the_pause(self, source: Make) -> None:
        made: list[Any] = []
        with script(Answer(b"retry: 50000\n\n"), Answer(b"data: 1\n\ndata: [DONE]\n\n")) as server:
            made.append(source(server.url, on_error=lambda _: made[0].reconnect()))
            assert len(list(made[0])) == 2


def test_a_context_manager_connects_once_and_closes(source: Make) -> None:
    with script(Answer(b"data: 1\n\ndata: 2\n\n", end="hold")) as server:
        events = source(server.url)
        assert server.asked == []
        with events as entered:
            assert len(server.asked) == 1
            assert next(entered).data == "1"
            with events:
                assert next(events).data == "2"
        assert list(events) == []
    assert len(server.asked) == 1


def test_a_client_that_is_passed_sends_and_stays_open() -> None:
    with script(Answer(b"data: 1\n\n")) as server, httpx.Client(headers={"x-from": "me"}) as http:
        assert [event.data for event in EventSource(server.url, http=http)] == ["1"]
        assert http.get(server.url).status_code == 204
    assert [asked.headers["x-from"] for asked in server.asked] == ["me"] * 3


class TestThreads:
    """Interrupts by another thread while the first waits for an event, or in a pause."""

    def waiting(self, events: EventSource) -> tuple[threading.Thread, list[str]]:
        got: list[str] = []
        thread = threading.Thread(target=lambda: got.extend(event.data for event in events))
        thread.start()
        return thread, got

    @pytest.mark.parametrize("end", ["hold", "clean"])
    def test_another_thread_reconnects(self, end: str) -> None:
        paused = threading.Event()
        first = Answer(b"retry: 50000\n\n", end=end)
        with script(first, Answer(b"data: 1\n\ndata: [DONE]\n\n")) as server:
            events = EventSource(server.url, on_error=lambda _: paused.set())
            thread, got = self.waiting(events)
            assert server.came.acquire(timeout=PATIENCE)
            assert end == "hold" or paused.wait(PATIENCE)
            events.reconnect()
            thread.join(PATIENCE)
        assert got == ["1", "[DONE]"]

    @pytest.mark.parametrize("end", ["hold", "clean"])
    def test_another_thread_closes(self, end: str) -> None:
        paused = threading.Event()
        with script(Answer(b"retry: 50000\n\n", end=end)) as server:
            events = EventSource(server.url, on_error=lambda _: paused.set())
            thread, got = self.waiting(events)
            assert server.came.acquire(timeout=PATIENCE)
            assert end == "hold" or paused.wait(PATIENCE)
            events.close()
            thread.join(PATIENCE)
            assert not thread.is_alive()
        assert got == []
        assert len(server.asked) == 1


@pytest.mark.parametrize("after", ["-2", "-100"])
def test_a_stream_of_tidings_is_read_from_the_last_events_to_the_end(
    source: Make, server: QuickServer, proxy: Proxy, after: str, request: pytest.FixtureRequest
) -> None:
    topic = "".join(c if c.isalnum() else "-" for c in request.node.name)
    with Client(server.url) as client:
        client.publish_many(topic, [("n", str(n)) for n in range(5)])
        with source(f"{proxy.url}/events?topic={topic}&after={after}", on_error=lambda _: None) as events:
            first = next(events)
            proxy.tell("cut")
            client.publish(topic, "5", "n", close=True)
            got = [(event.type, event.data) for event in events]
    assert int(first.data) == (3 if after == "-2" else 0)
    assert got[:-1] == [("n", str(n)) for n in range(int(first.data) + 1, 6)]
    assert got[-1][0] == "tidings.end"
