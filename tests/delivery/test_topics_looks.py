"""Looks at the store that are late, that fail, and that are overtaken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.asgi import asking
from tests.delivery.events import collect, settle, take, waits
from tests.delivery.looks import Deaf, Describe, fails, look
from tidings import Hub
from tidings.delivery import topics as module
from tidings.delivery.response import EventStreamResponse
from tidings.errors import Unavailable
from tidings.events import Offset
from tidings.log.head import Head


@pytest.fixture
async def hubs(tmp_path: Path) -> AsyncIterator[tuple[Hub, Hub]]:
    """Two hubs over one file, as two processes have them."""
    url = f"sqlite:///{tmp_path}/tidings.db"
    async with Hub(url) as one, Hub(url) as two:
        yield one, two


@pytest.fixture
async def hub() -> AsyncIterator[Hub]:
    async with Hub("memory:") as made:
        yield made


async def test_a_topic_opens_beside_a_publisher_in_a_hurry(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look is old before it is there."""
    looks = 0

    async def overtaken(describe: Describe, topic: str) -> Head | None:
        nonlocal looks
        looks += 1
        head = await describe(topic)
        if looks < 1000:
            await hub.publish(topic, str(looks))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        return head

    look(hub, monkeypatch, overtaken)
    first = await hub.publish("a", "0")
    events = hub.subscribe("a", first)
    assert await take(events, 1) == [("message", "1")]
    assert looks < 10


async def test_a_look_older_than_a_commit_here_undoes_nothing(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """The look saw no log, and its result came after this process had published the log's first event."""
    waiting, go = asyncio.Event(), asyncio.Event()

    async def late(describe: Describe, topic: str) -> Head | None:
        head = await describe(topic)
        if not go.is_set():
            waiting.set()
            await go.wait()
        return head

    reader = asyncio.ensure_future(collect(hub.subscribe("a", "earliest")))
    await waits(hub)
    look(hub, monkeypatch, late)
    live = hub.delivery.topics._live["a"]
    reload = asyncio.ensure_future(hub.delivery.topics.reload(live))
    await waiting.wait()
    await hub.publish("a", "1")
    go.set()
    await reload
    await hub.publish("a", "2", close=True)
    assert await reader == ["1", "2"]


async def test_a_look_that_fails_is_made_again(
    hubs: tuple[Hub, Hub], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An event that was announced is not announced again."""
    one, two = hubs
    monkeypatch.setattr(module, "RETRY", 0.01)
    failures = 3

    async def fails(describe: Describe, topic: str) -> Head | None:
        nonlocal failures
        if failures:
            failures -= 1
            raise Unavailable("on purpose")
        return await describe(topic)

    await one.publish("a", "1")
    events = two.subscribe("a", "earliest")
    await take(events, 1)
    look(two, monkeypatch, fails)
    second = asyncio.ensure_future(take(events, 1))
    await waits(two)
    await one.publish("a", "2")
    assert await second == [("message", "2")]
    assert failures == 0
    assert "on purpose" in caplog.text


async def test_a_reader_that_needs_a_look_that_fails_is_told(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    last = await hub.publish("a", "1")
    await take(hub.subscribe("a", "earliest"), 1)
    look(hub, monkeypatch, fails)
    for topic, after in (("a", Offset(last.epoch, 7)), ("b", "earliest")):
        with pytest.raises(Unavailable, match="on purpose"):
            await take(hub.subscribe(topic, after), 1)
    monkeypatch.undo()
    assert await take(hub.subscribe("a", "earliest"), 1) == [("message", "1")]
    await hub.publish("b", "2")
    assert await take(hub.subscribe("b", "earliest"), 1) == [("message", "2")]


async def test_a_reader_whose_topic_is_opening_learns_that_the_hub_closes(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hangs(describe: Describe, topic: str) -> Head | None:
        await asyncio.Event().wait()
        return None

    look(hub, monkeypatch, hangs)
    following = asyncio.ensure_future(hub.delivery.follow("a", "tail"))
    await settle()
    await hub.close()
    with pytest.raises(Unavailable, match="going away"):
        await following


async def test_a_transient_event_that_cannot_wait_for_a_look_is_dropped(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An observer may have ended the right of a reader in an event that cannot be read."""
    caplog.set_level("INFO")
    async with Hub(Deaf()) as hub:
        await hub.publish("a", "1")
        async with asking(EventStreamResponse(hub, "a", after="earliest")) as reader:
            await reader.take(1)
            await settle()  # the reader is level
            hub.delivery.observe("a", lambda events, tail: None)
            with monkeypatch.context() as patch:
                look(hub, patch, fails)
                await hub.publish("a", "lost", "typing", transient=True)
                await settle()
                assert "Transient events of a are dropped: on purpose" in caplog.text
            await hub.publish("a", "heard", "typing", transient=True)
            assert (await reader.take(1))[0].data == "heard"


async def test_a_reader_waits_for_one_look_and_not_for_peace(hub: Hub) -> None:
    """Beside another process that publishes without a pause, the topic is stale for as long."""
    last = await hub.publish("a", "1")
    await take(hub.subscribe("a", "earliest"), 1)
    live = hub.delivery.topics._live["a"]
    restless = True

    async def disturb() -> None:
        while restless:
            hub.delivery.topics._reload_soon(live)
            await asyncio.sleep(0)

    disturbance = asyncio.create_task(disturb())
    events = hub.subscribe("a", Offset(last.epoch, 5))
    assert (await take(events, 1))[0][0] == "tidings.reset"
    restless = False
    await disturbance
