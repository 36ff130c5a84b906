"""The streaming response by itself, as somebody uses it in an app of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from functools import partial

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route

from tests.asgi import Client, asking
from tidings import Hub
from tidings.errors import Closed, Gone, InvalidRequest, TidingsError, TooManyRequests, Unauthenticated, Unavailable
from tidings.events import Offset
from tidings.http.response import EventStreamResponse, Slots, parse_last_event_id, problem_response


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
    """Decided before the first byte; never an empty 200."""

    @pytest.mark.parametrize("topics", [[], ["a", "a"], ["a", "b c"], [f"t{n}" for n in range(33)], "", "a\n"], ids=str)
    async def test_topics_that_are_none(self, hub: Hub, topics: str | Sequence[str]) -> None:
        await refused(EventStreamResponse(hub, topics), 400)
        assert len(hub.lanes) == 0

    async def test_a_hub_that_is_not_open(self) -> None:
        client = await refused(EventStreamResponse(Hub("memory:"), "a"), 503)
        assert "lifespan" in client.json()["detail"]
        assert client.headers["retry-after"]

    async def test_a_topic_that_is_read(self, hub: Hub) -> None:
        last = await hub.publish("a", "x", close=True)
        await refused(EventStreamResponse(hub, "a", start=last), 204)
        await refused(EventStreamResponse(hub, "a"), 204, {"last-event-id": str(last)})
        await refused(EventStreamResponse(hub, "a", last_event_id=str(last)), 204, {"last-event-id": "nonsense"})

    async def test_a_last_event_id_that_is_wrong(self, hub: Hub) -> None:
        await refused(EventStreamResponse(hub, "a"), 400, {"last-event-id": "nonsense"})
        await refused(EventStreamResponse(hub, ["a", "b"]), 400, {"last-event-id": "E-1"})

    async def test_a_slot_is_given_back_however_it_ends(self, hub: Hub) -> None:
        slots = Slots(2, 1)
        last = await hub.publish("closed", "x", close=True)
        await refused(EventStreamResponse(hub, "closed", start=last, slots=slots, owner="ann"), 204)
        await refused(EventStreamResponse(hub, "a b", slots=slots, owner="ann"), 400)
        for _ in range(3):
            async with asking(EventStreamResponse(hub, "a", slots=slots, owner="ann")) as client:
                await client.reach(partial(getattr, client, "body"))
                assert slots.open == 1
                await refused(EventStreamResponse(hub, "a", slots=slots, owner="ann"), 429)
            assert (slots.open, dict(slots.owners)) == (0, {})
        async with asking(EventStreamResponse(hub, "ends", slots=slots, owner="ann")) as client:
            await client.reach(lambda: client.body)
            await hub.publish("ends", "x", close=True)
            await client.end()
        assert slots.open == 0
        assert all(lane.readers == 0 for lane in hub.lanes._lanes.values())

    async def test_head_is_the_headers_alone(self, hub: Hub) -> None:
        async def endpoint(request: Request) -> EventStreamResponse:
            return EventStreamResponse(hub, "a")

        async with asking(Starlette(routes=[Route("/", endpoint)]), method="HEAD") as client:
            await client.end()
        assert (client.status, client.body) == (200, b"")
        assert client.headers["content-type"] == "text/event-stream"
        assert hub.subscriptions == set()


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
    def test_one_offset_for_each_topic(self, text: str, count: int, found: list[Offset]) -> None:
        assert parse_last_event_id(text, count) == found

    @pytest.mark.parametrize(
        ("text", "count"),
        [
            *[("E-1", 2), ("E-1~F-1", 1), ("E-1~", 2), ("~", 2), ("E-1~~F-2", 3), ("E-1" + "~E-1" * 150, 151)],
            *[(text, 1) for text in ("E", "E-", "-1", "E-x", "E-+1", "E-1 ", "E-1\x00", "é-1", "E-\uff11", "E-01")],
        ],
    )
    def test_what_is_none(self, text: str, count: int) -> None:
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
