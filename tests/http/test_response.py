"""Tests of the responses of Tidings' own routes: limits, the right to read, and the place where a stream runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import partial

import pytest

from tests.asgi import asking
from tests.delivery.test_response import refused
from tidings import Hub
from tidings.access.guards import Watch
from tidings.http.response import ServedStreamResponse, Slots, json_response


@pytest.fixture
async def hub() -> AsyncIterator[Hub]:
    async with Hub("memory:") as made:
        yield made


async def test_a_route_may_have_read_the_last_event_id_itself(hub: Hub) -> None:
    last = await hub.publish("a", "x", close=True)
    response = ServedStreamResponse(hub, "a", last, resume=False, slots=Slots(1, 1), owner="")
    await refused(response, 204, {"last-event-id": "nonsense"})


async def test_a_slot_is_given_back_at_every_end(hub: Hub) -> None:
    slots = Slots(2, 1)
    last = await hub.publish("closed", "x", close=True)
    await refused(ServedStreamResponse(hub, "closed", after=last, slots=slots, owner="ann"), 204)
    await refused(ServedStreamResponse(hub, "a b", slots=slots, owner="ann"), 400)
    for _ in range(3):
        async with asking(ServedStreamResponse(hub, "a", slots=slots, owner="ann")) as client:
            await client.reach(partial(getattr, client, "body"))
            assert slots.open == 1
            await refused(ServedStreamResponse(hub, "a", slots=slots, owner="ann"), 429)
        assert (slots.open, dict(slots.owners)) == (0, {})
    async with asking(ServedStreamResponse(hub, "ends", slots=slots, owner="ann")) as client:
        await client.reach(lambda: client.body)
        await hub.publish("ends", "x", close=True)
        await client.end()
    assert slots.open == 0
    assert all(live.readers == 0 for live in hub.delivery.topics._live.values())


async def test_a_limit_for_all_and_one_for_each_owner() -> None:
    slots = Slots(3, 2)
    for owner in ("ann", "ann", "bob"):
        slots.take(owner)
    slots.free("bob")
    assert (slots.open, dict(slots.owners)) == (2, {"ann": 2})


class Right(Watch):
    """A right that a test takes away."""

    def __init__(self) -> None:
        self.end: Callable[[], None] | None = None
        self.stopped = False

    def start(self, end: Callable[[], None]) -> None:
        self.end = end

    def stop(self) -> None:
        self.stopped = True


async def test_a_stream_whose_right_is_lost_is_cut(hub: Hub) -> None:
    right = Right()
    async with asking(ServedStreamResponse(hub, "a", slots=Slots(1, 1), owner="", watch=right)) as client:
        await client.reach(lambda: client.body)
        assert right.end is not None
        right.end()
        await client.end()
        assert not client.clean
    assert right.stopped


def test_json_is_kept_by_no_cache() -> None:
    response = json_response({"a": 1}, 201, {"location": "/a"})
    assert (response.status_code, bytes(response.body)) == (201, b'{"a":1}')
    assert (response.headers["cache-control"], response.headers["location"]) == ("no-store", "/a")
