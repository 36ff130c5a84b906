"""The promises of publishing and following, over every built-in store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from tests.serving import PATIENCE
from tidings import Hub
from tidings.delivery import topics as topics_module
from tidings.delivery.live_topic import PAGE, WINDOW_EVENTS
from tidings.errors import Closed, Conflict, InvalidRequest, NotFound, TooLarge, Unavailable
from tidings.events import ORIGIN, Event, Offset, Retention
from tidings.log.names import EARLIEST, TAIL
from tidings.log.rules import NEW


async def take(events: AsyncIterator[Event], count: int) -> list[Event]:
    async with asyncio.timeout(PATIENCE):
        return [await anext(events) for _ in range(count)]


async def rest(events: AsyncIterator[Event]) -> list[Event]:
    """All to the topic's end."""
    async with asyncio.timeout(PATIENCE):
        return [event async for event in events]


def data(events: list[Event]) -> list[str]:
    return [event.data for event in events]


def batch(count: int, first: int = 1) -> list[tuple[str, str]]:
    return [("message", str(n)) for n in range(first, first + count)]


async def waits(hub: Hub, topic: str) -> None:
    """Until an iterator over the topic has nothing more to give."""
    async with asyncio.timeout(PATIENCE):
        # A reader that waits says so nowhere else.
        while not ((live := hub.delivery.topics._live.get(topic)) and live.waiters):  # noqa: ASYNC110
            await asyncio.sleep(0)


class TestPublishing:
    async def test_offsets_are_dense_and_come_back(self, hub: Hub) -> None:
        offsets = [await hub.publish("a", str(n)) for n in range(3)]
        assert [offset.n for offset in offsets] == [1, 2, 3]
        page = await hub.read("a")
        assert [event.offset for event in page.events] == offsets
        assert (page.up_to_date, page.closed, page.lost) == (True, False, None)

    async def test_text_is_kept_and_anything_else_is_json(self, hub: Hub) -> None:
        for value in ('{"a": 1}', "", "two\nlines\r\n", "\x00\x01é豆腐", {"a": [1, None]}, 3, None, True):
            await hub.publish("a", value)
        found = data(list((await hub.read("a")).events))
        assert found[:4] == ['{"a": 1}', "", "two\nlines\r\n", "\x00\x01é豆腐"]
        assert found[4:] == ['{"a":[1,null]}', "3", "null", "true"]

    async def test_a_key_is_stored_once(self, hub: Hub) -> None:
        first = await hub.publish("a", "x", key="k")
        assert await hub.publish("a", "y", key="k") == first
        assert await hub.publish("b", "y", key="k") != first
        assert data(list((await hub.read("a")).events)) == ["x"]

    async def test_an_expected_offset_must_match(self, hub: Hub) -> None:
        first = await hub.publish("a", "x", expected=None)
        assert (await hub.log.append("b", batch(2), expected=NEW)).last.n == 2
        for expected in (NEW, "nope", Offset(first.epoch, 7)):
            with pytest.raises(Conflict):
                await hub.log.append("a", batch(1), expected=expected)
        await hub.log.append("a", batch(1), expected=first)
        await hub.log.append("a", batch(1), expected=first.epoch)
        assert len((await hub.read("a")).events) == 3

    async def test_no_event_follows_the_end(self, hub: Hub) -> None:
        await hub.publish("a", "last", close=True)
        with pytest.raises(Closed):
            await hub.publish("a", "more")
        assert (await hub.close_topic("a")).closed


class TestRefusals:
    """Refusals that come before the store is asked, so that one store is enough."""

    @pytest.fixture
    def store_url(self) -> str:
        return "memory:"

    @pytest.mark.parametrize(
        ("topic", "type", "value"),
        [
            ("", "message", "x"),
            ("a b", "message", "x"),
            ("a..b", "message", "x"),
            ("é", "message", "x"),
            ("a" * 201, "message", "x"),
            ("a", "", "x"),
            ("a", "two\nlines", "x"),
            ("a", "a\x00b", "x"),
            ("a", "tidings.end", "x"),
            ("a", "message", "half \ud800"),
            ("a", "message", "x" * ((1 << 20) + 1)),
        ],
    )
    async def test_a_broken_rule_refuses_the_whole_batch(self, hub: Hub, topic: str, type: str, value: str) -> None:
        with pytest.raises(InvalidRequest):
            await hub.log.append(topic, [("message", "good"), (type, value)])
        with pytest.raises(InvalidRequest):
            await hub.publish(topic, value, type, transient=True)
        assert await hub.topics() == []

    @pytest.mark.parametrize("value", [float("nan"), b"bytes", {1, 2}, 1j, {1: 2}, ["\ud800"]])
    async def test_a_value_that_json_cannot_hold_is_not_stored(self, hub: Hub, value: Any) -> None:
        for transient in (False, True):
            with pytest.raises(InvalidRequest):
                await hub.publish("a", value, transient=transient)  # type: ignore[call-overload]
        with pytest.raises(InvalidRequest):
            await hub.publish_many("a", [("message", "good"), ("message", value)])
        assert await hub.topics() == []

    @pytest.mark.parametrize("events", [object(), [("x",)], ["ab", "cd"], "ab", [(["x"], 1)]])
    async def test_events_that_are_no_pairs_are_not_stored(self, hub: Hub, events: Any) -> None:
        with pytest.raises(InvalidRequest):
            await hub.publish_many("a", events)
        assert await hub.topics() == []

    @pytest.mark.parametrize("option", [{"key": "1"}, {"expected": NEW}, {"close": True}], ids=str)
    async def test_a_transient_event_takes_no_option_of_an_append(self, hub: Hub, option: Any) -> None:
        with pytest.raises(InvalidRequest, match="A transient event takes no"):
            await hub.publish("a", "x", transient=True, **option)
        assert await hub.topics() == []

    async def test_an_event_that_is_too_large_is_refused(self, hub: Hub) -> None:
        with pytest.raises(TooLarge):
            await hub.publish("a", "x" * ((1 << 20) + 1))


class TestSubscribing:
    async def test_subscribing_before_the_topic_exists_misses_nothing(self, hub: Hub) -> None:
        """From the tail, too: there is nothing before it."""
        readers = [asyncio.create_task(rest(hub.subscribe("a", start))) for start in (-3, EARLIEST, TAIL, ORIGIN)]
        async with asyncio.timeout(PATIENCE):
            while "a" not in hub.delivery.topics._live or len(hub.delivery.topics._live["a"].waiters) < 4:  # noqa: ASYNC110
                await asyncio.sleep(0)
        await hub.publish("a", "1")
        await hub.log.append("a", batch(2, 2), close=True)
        for found in await asyncio.gather(*readers):
            assert data(found) == ["1", "2", "3"]

    async def test_subscribing_begins_at_any_position(self, hub: Hub) -> None:
        done = await hub.log.append("a", batch(5))
        tail = hub.subscribe("a", TAIL)
        first = asyncio.ensure_future(anext(tail))
        await waits(hub, "a")
        await hub.log.append("a", batch(2, 6), close=True)
        assert (await first).data == "6"
        assert data(await rest(tail)) == ["7"]
        assert data(await rest(hub.subscribe("a", EARLIEST))) == list("1234567")
        assert data(await rest(hub.subscribe("a", Offset(done.last.epoch, 2)))) == list("34567")
        assert await rest(hub.subscribe("a", Offset(done.last.epoch, 7))) == []

    async def test_history_and_what_comes_meanwhile_join(self, hub: Hub) -> None:
        """Ten times what the window holds, read while more is published in batches and one by one."""
        past, live = 10 * WINDOW_EVENTS, 500
        for n in range(0, past, 1024):
            await hub.log.append("a", batch(1024, n + 1))
        readers = [asyncio.create_task(rest(hub.subscribe("a", EARLIEST))) for _ in range(3)]
        for n in range(past, past + live, 5):
            await hub.publish("a", str(n + 1))
            await hub.log.append("a", batch(4, n + 2))
        await hub.close_topic("a")
        for found in await asyncio.gather(*readers):
            assert data(found) == [str(n) for n in range(1, past + live + 1)]

    async def test_a_batch_larger_than_the_window_arrives_whole(self, hub: Hub) -> None:
        reader = asyncio.create_task(rest(hub.subscribe("a", EARLIEST)))
        await hub.publish("a", "0")
        await waits(hub, "a")
        await hub.log.append("a", batch(3 * WINDOW_EVENTS), close=True)
        assert data(await reader) == [str(n) for n in range(3 * WINDOW_EVENTS + 1)]

    async def test_events_larger_than_a_page_arrive(self, hub: Hub) -> None:
        large = [("message", f"{n}" + "x" * 300_000) for n in range(40)]
        for item in large:
            await hub.log.append("a", [item])
        await hub.close_topic("a")
        assert data(await rest(hub.subscribe("a", EARLIEST))) == [text for _, text in large]

    async def test_a_reader_that_leaves_leaves_nothing_behind(self, hub: Hub) -> None:
        await hub.publish("a", "1")
        for _ in range(200):
            events = hub.subscribe("a", TAIL)
            waiting = asyncio.ensure_future(anext(events))
            await waits(hub, "a")
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
        live = hub.delivery.topics._live["a"]
        assert (live.readers, len(live.waiters)) == (0, 0)

    async def test_a_subscription_closed_halfway_does_not_disturb_another(self, hub: Hub) -> None:
        await hub.log.append("a", batch(3))
        one, two = hub.subscribe("a", EARLIEST), hub.subscribe("a", EARLIEST)
        assert data(await take(one, 2)) == ["1", "2"]
        await one.aclose()
        await hub.publish("a", "4", close=True)
        assert data(await rest(two)) == ["1", "2", "3", "4"]

    @pytest.mark.parametrize("topic", ["", "a b", "a\nb"])
    async def test_a_name_that_is_none_is_refused(self, hub: Hub, topic: str) -> None:
        with pytest.raises(InvalidRequest):
            await anext(hub.subscribe(topic))
        assert not len(hub.delivery.topics)

    async def test_a_waiting_subscription_hears_that_the_hub_closes(self, store_url: str) -> None:
        async with Hub(store_url) as hub:
            waiting = asyncio.ensure_future(rest(hub.subscribe("a", EARLIEST)))
            await waits(hub, "a")
        with pytest.raises(Unavailable):
            await waiting

    async def test_a_hub_that_is_not_open_says_so(self) -> None:
        with pytest.raises(Unavailable, match="not open"):
            await anext(Hub("memory:").subscribe("a"))

    async def test_ten_thousand_quiet_topics_are_forgotten(self) -> None:
        async with Hub("memory:") as hub:
            events = hub.subscribe("followed")
            waiting = asyncio.ensure_future(anext(events))
            for n in range(10_000):
                hub.delivery.unfollow(await hub.delivery.follow(f"quiet.{n}", TAIL))
            assert len(hub.delivery.topics) <= topics_module.IDLE_KEPT + 65
            await hub.publish("followed", "x")
            async with asyncio.timeout(PATIENCE):
                assert (await waiting).data == "x"


class TestResets:
    """A subscription reports events that are gone, and goes on from the first that is there."""

    async def reset(self, events: AsyncIterator[Event]) -> tuple[str, str, str]:
        (event,) = await take(events, 1)
        assert event.type == "tidings.reset"
        said = msgspec.json.decode(event.data)
        assert said["topic"] == "a"
        return said["reason"], said["earliest"], str(event.offset)

    async def test_trimmed(self, hub: Hub) -> None:
        await hub.configure("a", retention=Retention(max_events=10))
        for n in range(100):
            await hub.publish("a", str(n + 1))
        await hub.log.trim("a")
        head = await hub.log.describe("a")
        assert head is not None
        assert head.start > 0
        events = hub.subscribe("a", Offset(head.epoch, 3))
        earliest, before = f"{head.epoch}-{head.start + 1}", f"{head.epoch}-{head.start}"
        assert await self.reset(events) == ("trimmed", earliest, before)
        assert (await take(events, 1))[0].data == str(head.start + 1)
        assert (await take(hub.subscribe("a", EARLIEST), 1))[0].data == str(head.start + 1), "the earliest is no loss"

    async def test_deleted_while_it_is_read(self, hub: Hub) -> None:
        await hub.log.append("a", batch(2))
        events = hub.subscribe("a", EARLIEST)
        await take(events, 2)
        waiting = asyncio.ensure_future(self.reset(events))
        await waits(hub, "a")
        await hub.delete("a")
        assert await waiting == ("deleted", "0-1", "0-0")
        again = asyncio.ensure_future(take(events, 1))
        await waits(hub, "a")
        first = await hub.publish("a", "new")
        assert (await again)[0].offset == first

    async def test_deleted_before_it_comes_back(self, hub: Hub) -> None:
        last = await hub.publish("a", "1")
        await hub.delete("a")
        assert await self.reset(hub.subscribe("a", last)) == ("deleted", "0-1", "0-0")

    async def test_recreated(self, hub: Hub) -> None:
        last = await hub.publish("a", "1")
        follower = hub.subscribe("a", last)
        waiting = asyncio.ensure_future(self.reset(follower))
        await waits(hub, "a")
        await hub.delete("a")
        new = await hub.publish("a", "2")
        said = [await waiting]
        if said[0][0] == "deleted":
            # It was quick enough to see the moment between the two lives.
            assert (await take(follower, 1))[0].data == "2"
        else:
            assert said == [("recreated", f"{new.epoch}-1", f"{new.epoch}-0")]
        events = hub.subscribe("a", last)
        assert await self.reset(events) == ("recreated", f"{new.epoch}-1", f"{new.epoch}-0")
        assert (await take(events, 1))[0].data == "2"

    @pytest.mark.parametrize("close", [False, True])
    async def test_further_than_the_log_ever_was(self, hub: Hub, close: bool) -> None:
        """A failover may have undone the end of the log."""
        last = await hub.publish("a", "1", close=close)
        events = hub.subscribe("a", Offset(last.epoch, 5))
        assert await self.reset(events) == ("recreated", f"{last.epoch}-1", f"{last.epoch}-0")
        assert (await take(events, 1))[0].data == "1"

    async def test_a_foreign_epoch(self, hub: Hub) -> None:
        await hub.publish("a", "1")
        assert (await self.reset(hub.subscribe("a", Offset("Foreign", 1))))[0] == "recreated"

    async def test_a_topic_that_never_was(self, hub: Hub) -> None:
        assert await self.reset(hub.subscribe("a", Offset("Foreign", 1))) == ("deleted", "0-1", "0-0")

    async def test_reading_on_through_another_life_causes_no_reset(self, hub: Hub) -> None:
        """A subscription reports one reset for each lost life, and gives every event of the present one."""
        for life in range(5):
            events = hub.subscribe("a", EARLIEST)
            await hub.log.append("a", batch(2 * PAGE, 1))
            assert data(await take(events, 2 * PAGE)) == [text for _, text in batch(2 * PAGE)], life
            await events.aclose()
            await hub.delete("a")


class TestReading:
    async def test_pages_go_on_from_where_they_end(self, hub: Hub) -> None:
        await hub.log.append("a", batch(25))
        found: list[str] = []
        page = await hub.read("a", limit=10)
        while True:
            found += data(list(page.events))
            if page.up_to_date:
                break
            page = await hub.read("a", page.next, 10)
        assert found == [str(n) for n in range(1, 26)]

    async def test_a_page_begins_before_the_last_events(self, hub: Hub) -> None:
        done = await hub.log.append("a", batch(5))
        assert data(list((await hub.read("a", "-2")).events)) == ["4", "5"]
        assert data(list((await hub.read("a", "-9")).events)) == list("12345")
        assert data(list((await hub.read("a", TAIL)).events)) == []
        assert (await hub.read("a", "-3", limit=1)).next == Offset(done.last.epoch, 3)
        await hub.configure("a", retention=Retention(max_events=2))
        for n in range(6, 46):
            await hub.publish("a", n)
        page = await hub.read("a", "-99")
        assert 0 < len(page.events) < 40
        assert page.events[0].offset == page.earliest

    async def test_a_topic_is_described(self, hub: Hub) -> None:
        done = await hub.log.append("a", batch(5), close=True)
        topic = await hub.describe("a")
        assert (topic.name, topic.tail, topic.earliest.n, topic.closed) == ("a", done.last, 1, True)

    async def test_a_missing_topic_is_not_found(self, hub: Hub) -> None:
        assert await hub.log.describe("a") is None
        for call in (hub.read("a"), hub.close_topic("a")):
            with pytest.raises(NotFound):
                await call
        await hub.delete("a")

    async def test_topics_are_listed_in_order(self, hub: Hub) -> None:
        for name in ("b", "a.2", "a.1", "ab"):
            await hub.publish(name, "x")
        assert await hub.topics() == ["a.1", "a.2", "ab", "b"]
        assert await hub.topics("a.") == ["a.1", "a.2"]
        assert await hub.topics(after="a.2", limit=1) == ["ab"]
