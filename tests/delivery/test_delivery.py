"""Tests of the delivery of an open hub: its background tasks, its counts, transient events and the drain."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.asgi import asking
from tidings import EventStreamResponse, Hub
from tidings.delivery.delivery import Counts
from tidings.errors import InvalidRequest, TooLarge


@pytest.fixture
async def hub() -> AsyncIterator[Hub]:
    async with Hub("memory:", drain_window=0.0) as made:
        yield made


async def test_counts_of_work_and_of_streams(hub: Hub) -> None:
    async with asking(EventStreamResponse(hub, "a")) as client, asking(EventStreamResponse(hub, "b")):
        await client.reach(lambda: client.body)
        await hub.publish_many("a", [("message", "1"), ("message", "2")])
        await client.take(2)
        counts = hub.delivery.counts()
        assert (counts.published, counts.delivered, counts.streams, counts.topics) == (2, 2, 2, 2)
        assert counts.window_bytes > 0
        assert counts.write_bytes == 0
    assert hub.delivery.counts().streams == 0


def test_a_process_that_has_done_nothing_counts_nothing() -> None:
    """The metrics of a closed hub."""
    assert set(Counts()) == {0}


async def test_streams_end_with_the_hub() -> None:
    async with Hub("memory:") as hub, asking(EventStreamResponse(hub, "a")) as client:
        await client.reach(lambda: client.body)
        delivery = hub.delivery
        await hub.close()
        assert delivery.streams == set()
        assert delivery.topics.closed
        await client.end()
        assert not client.clean


async def test_a_background_task_that_fails_is_logged(hub: Hub, caplog: pytest.LogCaptureFixture) -> None:
    async def fails() -> None:
        raise ValueError("on purpose")

    await asyncio.wait([hub.delivery.background(fails())])
    await asyncio.sleep(0)
    assert "on purpose" in caplog.text


async def test_background_tasks_end_with_the_hub() -> None:
    async with Hub("memory:") as hub:
        task = hub.delivery.background(asyncio.Event().wait())
    assert task.cancelled()


async def test_a_listener_has_transient_events(hub: Hub) -> None:
    heard: list[tuple[str, str]] = []
    hub.delivery.listen("a", lambda type, data: heard.append((type, data)))
    await hub.publish("a", {"typing": True}, "presence", transient=True)
    await hub.publish("a", "stored")
    assert heard == [("presence", '{"typing":true}')]


async def test_a_transient_event_keeps_the_rules_of_a_stored_one(hub: Hub) -> None:
    with pytest.raises(InvalidRequest):
        await hub.publish("a b", "x", transient=True)
    with pytest.raises(TooLarge):
        await hub.publish("a", "x" * ((1 << 20) + 1), transient=True)


async def test_a_drain_closes_every_stream_and_says_so(hub: Hub) -> None:
    assert hub.state == "open"
    async with asking(EventStreamResponse(hub, "a")) as one, asking(EventStreamResponse(hub, "b")) as two:
        await two.reach(lambda: one.body and two.body)
        hub.drain()
        assert hub.state == "draining"
        hub.drain()
        for client in (one, two):
            await client.end()
            assert not client.clean


async def test_a_hurried_drain_waits_for_no_window() -> None:
    async with (
        Hub("memory:", drain_window=3600.0) as hub,
        asking(EventStreamResponse(hub, "a")) as one,
        asking(EventStreamResponse(hub, "b")) as two,
    ):
        await two.reach(lambda: one.body and two.body)
        hub.drain()
        hub.drain(hurry=True)
        await one.end()
        await two.end()
