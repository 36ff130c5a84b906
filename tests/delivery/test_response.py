"""Tests of the streaming response in an app: its statuses, its ids, and Starlette's arguments."""

from __future__ import annotations

import random
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.routing import Route

from tests.asgi import Client, asking
from tidings import Hub
from tidings.delivery.response import (
    FEW,
    EventStreamResponse,
    closing_time,
    given_id,
    parse_last_event_id,
    problem_response,
)
from tidings.errors import Closed, Gone, InvalidRequest, TidingsError, TooManyRequests, Unauthenticated, Unavailable
from tidings.events import Offset, Retention
from tidings.testing import Clock
from tidings.wire.sse import Format


@pytest.fixture
async def hub() -> AsyncIterator[Hub]:
    async with Hub("memory:") as made:
        yield made


async def refused(response: EventStreamResponse, status: int, headers: dict[str, str] | None = None) -> Client:
    async with asking(response, headers=headers) as client:
        await client.end()
    assert client.status == status
    if status != 204:
        assert client.headers["content-type"] == "application/problem+json"
        assert client.json()["status"] == status
        assert client.json()["detail"]
    return client


class TestStatus:
    """Statuses, which are decided before the first byte; an empty 200 is none of them."""

    @pytest.mark.parametrize("topics", [[], ["a", "a"], ["a", "b c"], [f"t{n}" for n in range(33)], "", "a\n"], ids=str)
    async def test_topics_that_are_none(self, hub: Hub, topics: str | Sequence[str]) -> None:
        await refused(EventStreamResponse(hub, topics), 400)
        assert len(hub.delivery.topics) == 0

    @pytest.mark.parametrize("form", [Format, "json", {}])
    async def test_a_format_that_is_none(self, hub: Hub, form: Any) -> None:
        await refused(EventStreamResponse(hub, "a", format=form), 400)

    async def test_the_most_topics_of_a_connection(self, hub: Hub) -> None:
        async with asking(EventStreamResponse(hub, [f"t{n}" for n in range(32)])) as client:
            assert client.status == 200

    async def test_a_stream_that_begins_during_a_drain_ends_within_200_ms(
        self, hub: Hub, tidings_clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(random, "random", lambda: 1.0)
        hub.drain()
        async with asking(EventStreamResponse(hub, "a")) as client:
            await client.end(within=0.21)
            assert (client.status, client.clean) == (200, False)

    async def test_a_stream_is_cut_at_the_end_of_its_life_and_goes_on_elsewhere(self, tidings_clock: Clock) -> None:
        async with Hub("memory:", stream_life=600.0) as hub:
            last = await hub.publish("a", "x")
            async with asking(EventStreamResponse(hub, "a", after="earliest")) as client:
                await client.take(1)
                await tidings_clock.advance(470.0)
                await hub.publish("a", "y")
                await client.take(1)
                assert client.clean is None
                await client.end(within=140.0)
                assert client.clean is False
            async with asking(EventStreamResponse(hub, "a"), headers={"last-event-id": str(last)}) as client:
                await client.take(1)
                assert client.events[0][:2] == ("message", "y")

    @pytest.mark.parametrize(("life", "right", "least", "most"), [
        (None, None, None, None), (100.0, None, 80.0, 100.0), (None, 50.0, 50.0, 50.0), (100.0, 50.0, 50.0, 50.0),
        (10.0, 50.0, 8.0, 10.0),
    ])  # fmt: skip
    def test_a_stream_lives_as_long_as_its_life_and_its_right(
        self, life: float | None, right: float | None, least: float | None, most: float | None
    ) -> None:
        began = time.monotonic()
        ends = [closing_time(life, None if right is None else time.time() + right) for _ in range(50)]
        took = time.monotonic() - began
        if least is None or most is None:
            assert set(ends) == {None}
            return
        for end in ends:
            assert end is not None
            assert least - 0.1 <= end - began <= most + took + 0.1
        assert life is None or right is not None or max(filter(None, ends)) - min(filter(None, ends)) > 1

    async def test_a_hub_that_is_not_open(self) -> None:
        client = await refused(EventStreamResponse(Hub("memory:"), "a"), 503)
        assert "lifespan" in client.json()["detail"]
        assert client.headers["retry-after"]

    async def test_a_topic_that_is_read(self, hub: Hub) -> None:
        last = await hub.publish("a", "x", close=True)
        await refused(EventStreamResponse(hub, "a", after=last), 204)
        await refused(EventStreamResponse(hub, "a"), 204, {"last-event-id": str(last)})

    async def test_a_last_event_id_that_is_wrong(self, hub: Hub) -> None:
        await refused(EventStreamResponse(hub, "a"), 400, {"last-event-id": "nonsense"})
        await refused(EventStreamResponse(hub, ["a", "b"]), 400, {"last-event-id": "E-1"})

    async def test_head_is_the_headers_alone(self, hub: Hub) -> None:
        async def endpoint(request: Request) -> EventStreamResponse:
            return EventStreamResponse(hub, "a")

        async with asking(Starlette(routes=[Route("/", endpoint)]), method="HEAD") as client:
            await client.end()
        assert (client.status, client.body) == (200, b"")
        assert client.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert hub.delivery.streams == set()


SAFARI = b"Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15"
CHROME = b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
FIREFOX = b"Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0"


class TestHalfEvents:
    """The first bytes of a stream, of which WebKit's `EventSource` needs more than others."""

    @pytest.mark.parametrize(
        ("agent", "cache", "needed"),
        [
            (SAFARI, b"no-cache", True),
            (SAFARI, b"max-age=0", False),
            (CHROME, b"no-cache", False),
            (FIREFOX, b"no-cache", False),
            (b"", b"no-cache", False),
        ],
    )
    async def test_a_half_event_is_ended_for_those_who_keep_it(
        self, hub: Hub, agent: bytes, cache: bytes, needed: bool
    ) -> None:
        first = await hub.publish("a", "x")
        await hub.publish("a", "y")
        headers = {"user-agent": agent.decode(), "cache-control": cache.decode(), "last-event-id": str(first)}
        async with asking(EventStreamResponse(hub, "a"), headers=headers) as client:
            await client.reach(lambda: b"data: y" in client.body)
        begin = f":\nid: {first}\nevent: tidings.cut\n\n" if needed else ":\n"
        assert client.body.startswith(begin.encode())
        assert b"data: x" not in client.body

    async def test_a_client_without_an_id_has_none_afterwards(self, hub: Hub) -> None:
        headers = {"user-agent": SAFARI.decode(), "cache-control": "no-cache"}
        async with asking(EventStreamResponse(hub, "a"), headers=headers) as client:
            await client.reach(lambda: client.body)
        assert client.body == b":\nid: \nevent: tidings.cut\n\n"


class TestArguments:
    """The arguments that Starlette's responses have too."""

    async def test_status_and_headers(self, hub: Hub) -> None:
        response = EventStreamResponse(
            hub, "a", status_code=202, headers={"X-Room": "lobby", "Cache-Control": "no-cache"}
        )
        async with asking(response) as client:
            await client.reach(lambda: client.body)
        assert (client.status, client.headers["x-room"], client.headers["cache-control"]) == (202, "lobby", "no-cache")
        assert client.headers["content-type"] == "text/event-stream; charset=utf-8"

    async def test_a_background_task_runs_after_the_stream(self, hub: Hub) -> None:
        done: list[int] = []

        async def count_streams() -> None:
            done.append(len(hub.delivery.streams))

        response = EventStreamResponse(hub, "a", background=BackgroundTask(count_streams))
        async with asking(response) as client:
            await client.reach(lambda: client.body)
            assert done == []
            await hub.publish("a", "last", close=True)
            await client.end()
            assert client.clean
        assert done == [0]

    @pytest.mark.parametrize(
        ("after", "texts"), [("earliest", "123"), (-2, "23"), ("-2", "23"), (-9, "123"), ("tail", ""), (1, "23")]
    )
    async def test_a_place_to_begin_at(self, hub: Hub, after: Any, texts: str) -> None:
        done = await hub.publish_many("a", [("message", str(n)) for n in (1, 2, 3)])
        after = Offset(done.last.epoch, 1) if after == 1 else after
        async with asking(EventStreamResponse(hub, "a", after)) as client:
            await client.reach(lambda: client.body)
            await hub.publish("a", "4", close=True)
            await client.end()
            assert [event.data for event in client.events if event.type == "message"] == [*texts, "4"]
            assert "tidings.reset" not in {event.type for event in client.events}

    @pytest.mark.parametrize("after", [0, 5, "5", "-0", "first", "", -1_000_001, None, True, "E"])
    async def test_a_place_that_is_none(self, hub: Hub, after: Any) -> None:
        await refused(EventStreamResponse(hub, "a", after), 400)


FOREIGN = Format(notices=False)
"""The format of an app whose events are written in somebody else's protocol."""


class TestForeignFormats:
    """A stream that holds the application's events alone, for clients that check each of them."""

    async def test_the_end_is_the_end_of_the_body(self, hub: Hub) -> None:
        async with asking(EventStreamResponse(hub, ["a", "b"], "earliest", format=FOREIGN)) as client:
            for topic in ("a", "b"):
                await hub.publish(topic, f"the end of {topic}", close=True)
            await client.end()
        assert client.clean
        assert client.data == ["the end of a", "the end of b"]

    async def test_a_foreign_stream_does_not_begin_with_half_an_event(self, hub: Hub) -> None:
        headers = {"user-agent": SAFARI.decode(), "cache-control": "no-cache"}
        async with asking(EventStreamResponse(hub, "a", format=FOREIGN), headers=headers) as client:
            await client.reach(lambda: client.body)
        assert client.body == b":\n"

    async def test_a_redacted_event_is_left_out(self, hub: Hub) -> None:
        offset = await hub.publish("a", "secret")
        await hub.publish("a", "one")
        async with (
            asking(EventStreamResponse(hub, "a", "earliest", format=FOREIGN)) as before,
            asking(EventStreamResponse(hub, "a", "earliest")) as ours,
        ):
            await before.take(2)
            await hub.redact("a", offset)
            await ours.take(3)
            async with asking(EventStreamResponse(hub, "a", "earliest", format=FOREIGN)) as after:
                await hub.publish("a", "two", close=True)
                await before.end()
                await after.end()
        assert before.data == ["secret", "one", "two"]
        assert after.data == ["one", "two"]

    @pytest.mark.parametrize("size", [1, FEW + 1])
    async def test_a_topic_of_which_only_redacted_events_are_left_is_read(self, hub: Hub, size: int) -> None:
        """The client has the id of the last event that it was given. With this id it would come back for ever."""
        for topic in ("a", "b"):
            first = await hub.publish(topic, "one")
            done = await hub.publish_many(topic, [("message", "secret")] * size, close=True)
            for n in range(done.first.n, done.last.n + 1):
                await hub.redact(topic, done.first._replace(n=n))
        async with asking(EventStreamResponse(hub, "a", "earliest", format=FOREIGN)) as client:
            await client.end()
        assert client.data == ["one"]
        last = {"last-event-id": client.events[0].id}
        await refused(EventStreamResponse(hub, "a", format=FOREIGN), 204, last)
        both = {"last-event-id": f"{last['last-event-id']}~{first}"}
        await refused(EventStreamResponse(hub, ["a", "b"], format=FOREIGN), 204, both)
        async with asking(EventStreamResponse(hub, "a"), headers=last) as ours:
            await ours.end()
        assert [event.type for event in ours.events] == ["tidings.redacted"] * size + ["tidings.end"]
        both = {"last-event-id": f"{last['last-event-id']}~0-0"}
        async with asking(EventStreamResponse(hub, ["a", "b"], format=FOREIGN), headers=both) as client:
            await client.end()
        assert client.data == ["one"]

    async def test_events_that_are_gone_are_refused(self, hub: Hub) -> None:
        """The stream cannot say that events are gone, so it does not begin, or is cut."""
        for n in range(40):
            last = await hub.publish("a", n)
        await hub.configure("a", retention=Retention(max_events=1))
        await hub.publish("a", "more")
        gone = await refused(EventStreamResponse(hub, "a", Offset(last.epoch, 1), format=FOREIGN), 410)
        assert gone.json()["reason"] == "trimmed"
        assert hub.delivery.topics._live["a"].readers == 0
        assert Offset.parse(gone.json()["earliest"]).n > 2
        gone = await refused(EventStreamResponse(hub, ["b", "a"], format=FOREIGN), 410, {"last-event-id": "0-0~F-1"})
        assert gone.json()["reason"] == "recreated"
        async with asking(EventStreamResponse(hub, "a", format=FOREIGN)) as client:
            await client.reach(lambda: client.body)
            await hub.delete("a")
            await client.end()
        assert client.clean is False
        assert client.events == []

    async def test_a_reader_that_waits_for_a_topic_has_lost_nothing(self, hub: Hub) -> None:
        async with asking(EventStreamResponse(hub, "a", "0-0", format=FOREIGN)) as client:
            await hub.publish("a", "first", close=True)
            await client.end()
        assert client.data == ["first"]


async def test_fastapi_documents_a_stream_as_it_documents_its_own(hub: Hub) -> None:
    app = FastAPI()

    @app.get("/plain", response_class=EventStreamResponse)
    async def plain() -> EventStreamResponse:
        return EventStreamResponse(hub, "a")

    @app.get("/described", response_class=EventStreamResponse, responses=EventStreamResponse.responses)
    async def described() -> EventStreamResponse:
        return EventStreamResponse(hub, "a")

    @app.get("/answers/{id}", response_class=EventStreamResponse, responses=EventStreamResponse.responses)
    async def answer(id: str) -> EventStreamResponse:
        return hub.runs.response(id)

    @app.get("/fastapi", response_class=EventSourceResponse)
    async def own() -> AsyncIterator[ServerSentEvent]:
        yield ServerSentEvent(data="x")

    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        paths = (await client.get("/openapi.json")).json()["paths"]
    assert list(paths["/plain"]["get"]["responses"]["200"]["content"]) == ["text/event-stream"]
    for path in ("/described", "/answers/{id}"):
        responses = paths[path]["get"]["responses"]
        item = responses["200"]["content"]["text/event-stream"]["itemSchema"]
        theirs = paths["/fastapi"]["get"]["responses"]["200"]["content"]["text/event-stream"]["itemSchema"]
        assert (item["type"], item["properties"]) == (theirs["type"], theirs["properties"])
        assert list(responses["200"]["content"]) == ["text/event-stream"]
        assert responses["204"]["description"]


class TestIds:
    @pytest.mark.parametrize(
        ("text", "count", "found"),
        [
            ("", 3, []),
            ("E-1", 1, [Offset("E", 1)]),
            ("0-0", 1, [Offset("0", 0)]),
            ("E-1~0-0~F-999", 3, [Offset("E", 1), Offset("0", 0), Offset("F", 999)]),
        ],
    )
    def test_an_id_has_an_offset_for_each_topic(self, text: str, count: int, found: list[Offset]) -> None:
        assert parse_last_event_id(text, count) == found

    @pytest.mark.parametrize(
        ("text", "count"),
        [
            *[("E-1", 2), ("E-1~F-1", 1), ("E-1~", 2), ("~", 2), ("E-1~~F-2", 3), ("E-1" + "~E-1" * 150, 151)],
            *[(text, 1) for text in ("E", "E-", "-1", "E-x", "E-+1", "E-1 ", "E-1\x00", "é-1", "E-\uff11", "E-01")],
        ],
    )
    def test_an_invalid_id_is_refused(self, text: str, count: int) -> None:
        with pytest.raises(InvalidRequest):
            parse_last_event_id(text, count)


@pytest.mark.parametrize(
    ("error", "status", "header"),
    [
        (InvalidRequest("no"), 400, None),
        (Unauthenticated("no"), 401, "www-authenticate"),
        (Closed("no", tail="E-1"), 409, None),
        (Gone("no", reason="trimmed"), 410, None),
        (TooManyRequests("no"), 429, "retry-after"),
        (Unavailable("no"), 503, "retry-after"),
        (TidingsError(), 500, None),
    ],
)
def test_each_error_is_a_problem(error: TidingsError, status: int, header: str | None) -> None:
    response = problem_response(None, error)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"
    assert header is None or header in response.headers
    for name, value in error.members.items():
        assert f'"{name}":"{value}"' in bytes(response.body).decode()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("last_event_id=E-1", "E-1"),
        ("a=b&lastEventId=E-1&c=d", "E-1"),
        ("%6CastEventId=E%2D1~F-2", "E-1~F-2"),
        ("last_event_id=E-1&lastEventId=E-2", "E-2"),
        ("lastEventId=E-1&lastEventId=E-2", "E-2"),
        ("last_event_id=", ""),
        ("Last-Event-ID=E-1&xlast_event_id=E-1", ""),
        ("last_event_id=%FF", "\ufffd"),
        ("", ""),
    ],
)
def test_the_last_event_id_may_be_a_parameter(query: str, found: str) -> None:
    """The polyfills of npm append a parameter to a URL, which may name an older position already."""
    assert given_id({"headers": [(b"last-event-id", b"")], "query_string": query.encode()}) == found


def test_the_last_event_id_of_a_request_is_utf_8() -> None:
    def scope(*values: bytes) -> dict[str, Any]:
        return {"headers": [(b"accept", b"*/*"), *((b"last-event-id", value) for value in values)]}

    assert given_id(scope()) == ""
    assert given_id(scope("E-1é".encode(), b"E-2")) == "E-1é"
    assert given_id(scope(b"E-2") | {"query_string": b"lastEventId=E-1"}) == "E-2", "the header is newer than the URL"
    with pytest.raises(InvalidRequest, match="not UTF-8"):
        given_id(scope(b"\xff"))
