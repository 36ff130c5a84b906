"""Two processes on one store: events, ends, deletions and trims of one reach the readers of the other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.asgi import asking
from tests.delivery.events import collect, take, waits
from tests.serving import PATIENCE
from tidings import Hub
from tidings.delivery.live_topic import WINDOW_EVENTS
from tidings.delivery.response import EventStreamResponse
from tidings.events import Retention


@pytest.fixture
async def hubs(tmp_path: Path) -> AsyncIterator[tuple[Hub, Hub]]:
    """Two hubs over one file, as two processes have them."""
    url = f"sqlite:///{tmp_path}/tidings.db"
    async with Hub(url) as one, Hub(url) as two:
        yield one, two


class TestTwoProcesses:
    @pytest.mark.parametrize("with_event", [True, False])
    async def test_a_topic_that_another_closes_ends(self, hubs: tuple[Hub, Hub], with_event: bool) -> None:
        one, two = hubs
        await one.publish("a", "first")
        rest = asyncio.ensure_future(collect(two.subscribe("a", "earliest")))
        await waits(two)
        if with_event:
            await one.publish("a", "last", close=True)
        else:
            await one.close_topic("a")
        assert await rest == (["first", "last"] if with_event else ["first"])

    async def test_a_topic_that_another_makes_and_closes_at_once_ends(self, hubs: tuple[Hub, Hub]) -> None:
        one, two = hubs
        rest = asyncio.ensure_future(collect(two.subscribe("a", "earliest")))
        await waits(two)
        await one.configure("a", ttl=60)
        await one.close_topic("a")
        assert await rest == []

    async def test_a_close_beside_ones_own_events_ends_it(self, hubs: tuple[Hub, Hub]) -> None:
        """The news of both come together, and only one of them is news."""
        one, two = hubs
        for n in range(20):
            topic = f"t{n}"
            rest = asyncio.ensure_future(collect(two.subscribe(topic)))
            await waits(two, topic)
            await two.publish(topic, "mine")
            await one.close_topic(topic)
            assert await rest == ["mine"]

    async def test_events_published_by_either_process_reach_both(self, hubs: tuple[Hub, Hub]) -> None:
        one, two = hubs
        readers = [asyncio.ensure_future(collect(hub.subscribe("a", "earliest"))) for hub in (one, two, one, two)]
        for n in range(200):
            await (one, two)[n % 3 % 2].publish("a", str(n))
        await one.log.append("a", [("message", str(n)) for n in range(200, 200 + 3 * WINDOW_EVENTS)], close=True)
        for found in await asyncio.gather(*readers):
            assert found == [str(n) for n in range(200 + 3 * WINDOW_EVENTS)]

    async def test_large_events_of_another(self, hubs: tuple[Hub, Hub]) -> None:
        """More bytes at once than a window may hold."""
        one, two = hubs
        await one.publish("a", "first")
        rest = asyncio.ensure_future(collect(two.subscribe("a", "earliest")))
        await waits(two)
        large = [f"{n}" + "x" * 500_000 for n in range(30)]
        await one.log.append("a", [("message", text) for text in large], close=True)
        assert await rest == ["first", *large]

    async def test_a_topic_deleted_by_the_first_process_is_gone_in_the_second(self, hubs: tuple[Hub, Hub]) -> None:
        one, two = hubs
        await one.publish("a", "1")
        events = two.subscribe("a", "earliest")
        await take(events, 1)
        reset = asyncio.ensure_future(take(events, 1))
        await waits(two)
        await one.delete("a")
        assert await reset == [("tidings.reset", '{"topic":"a","reason":"deleted","earliest":"0-1"}')]
        again = asyncio.ensure_future(take(events, 1))
        await waits(two)
        await one.publish("a", "new")
        assert await again == [("message", "new")]

    async def test_a_topic_that_another_makes_anew(self, hubs: tuple[Hub, Hub]) -> None:
        one, two = hubs
        old = await one.publish("a", "1")
        events = two.subscribe("a", old)
        reset = asyncio.ensure_future(take(events, 1))
        await waits(two)
        await one.delete("a")
        new = await one.publish("a", "2")
        (said,) = await reset
        assert said[0] == "tidings.reset"
        assert "deleted" in said[1] or f'"recreated","earliest":"{new.epoch}-1"' in said[1]
        assert await take(events, 1) == [("message", "2")]

    async def test_a_trim_by_another_process_causes_a_reset(self, hubs: tuple[Hub, Hub]) -> None:
        one, two = hubs
        first = await one.publish("a", "1")
        await take(two.subscribe("a", "earliest"), 1)
        await one.configure("a", retention=Retention(max_events=5))
        for n in range(3 * WINDOW_EVENTS):
            if n % 300 == 0:
                await one.log.append("a", [("message", "x")] * 300)
        await one.log.trim("a")
        head = await one.log.describe("a")
        assert head is not None
        (said, event) = await take(two.subscribe("a", first), 2)
        assert said == (
            "tidings.reset",
            f'{{"topic":"a","reason":"trimmed","earliest":"{head.epoch}-{head.start + 1}"}}',
        )
        assert event == ("message", "x")

    async def test_a_reader_that_comes_from_another_is_ahead_of_this_one(self, hubs: tuple[Hub, Hub]) -> None:
        """The tail names an event, and perhaps a log, new to this process. Neither is of another life."""
        one, two = hubs
        for n in range(30):
            topic = f"t{n % 3}"
            last = await one.publish(topic, str(n))
            events = two.subscribe(topic, last)
            next_one = asyncio.ensure_future(take(events, 1))
            await waits(two, topic)
            await one.publish(topic, "next")
            assert await next_one == [("message", "next")]
            await events.aclose()

    async def test_a_transient_event_reaches_the_other(self, hubs: tuple[Hub, Hub]) -> None:
        one, two = hubs
        async with asking(EventStreamResponse(two, "a")) as reader:
            await reader.reach(lambda: reader.body)
            await one.publish("a", "stored")
            await reader.take(1)
            async with asyncio.timeout(PATIENCE):
                while len(reader.events) < 2:
                    # At most once: whoever was not level at that instant has missed it.
                    await one.publish("a", {"typing": True}, "presence", transient=True)
                    await asyncio.sleep(0.01)
            assert reader.events[1][:2] == ("presence", '{"typing":true}')
            assert reader.body.count(b"id: ") == 1
