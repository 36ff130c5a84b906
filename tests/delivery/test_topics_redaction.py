"""Redaction: windows, pages and streams of every process lose the content, and no reader misses an event."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import pytest

from tests.asgi import asking
from tests.delivery.events import take, waits
from tests.delivery.looks import Deaf
from tests.serving import PATIENCE
from tidings import Hub
from tidings.delivery.live_topic import WINDOW_EVENTS
from tidings.delivery.response import EventStreamResponse
from tidings.events import REDACTED, Event, Offset
from tidings.log.head import Change, Head, Known
from tidings.log.journal import Journal


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


def announced(events: list[Event]) -> list[str]:
    return [event.json()["offset"] for event in events if event.type == REDACTED and event.offset is None]


class TestRedaction:
    async def test_windows_pages_and_streams_lose_the_content(self, hubs: tuple[Hub, Hub]) -> None:
        """The reader of the other process is behind a window of its own, and in front of pages that were cached."""
        one = hubs[0]
        done = await one.log.append("a", [("message", f"secret{n}") for n in range(3 * WINDOW_EVENTS)])
        last = await one.publish("a", "secret in the window")
        events = {hub: hub.subscribe("a", "earliest") for hub in hubs}
        for hub in hubs:
            assert len(await take(events[hub], done.last.n + 1)) == done.last.n + 1
        old = done.first._replace(n=5)
        for offset in (old, last):
            await one.redact("a", offset)
            for hub in hubs:
                async with asyncio.timeout(PATIENCE):
                    event = await anext(events[hub])
                assert (event.type, event.offset) == (REDACTED, None)
                assert event.json() == {"topic": "a", "offset": str(offset), "type": "message"}
        for hub in hubs:
            read = [event async for event in until(hub.subscribe("a", "earliest"), last)]
            assert [event.offset.n for event in read if event.redacted and event.offset] == [5, last.n]
            assert [event.data for event in read if event.data == "secret4" or "window" in event.data] == []
            assert len(read) == last.n

    async def test_open_streams_get_it_without_an_id(self, hubs: tuple[Hub, Hub]) -> None:
        one, two = hubs
        offset = await one.publish("a", "secret")
        async with asking(EventStreamResponse(two, "a", "earliest")) as reader:
            await reader.take(1)
            await one.redact("a", offset)
            await reader.take(1)
            event = reader.events[1]
            assert event.type == REDACTED
            assert f'"offset":"{offset}"' in event.data
            assert b"\nid:" not in bytes(reader.body).split(REDACTED.encode())[1]
            after = await one.publish("a", "next")
            await reader.take(1)
            assert (reader.events[2].data, reader.events[2].id) == ("next", str(after))
        async with asking(EventStreamResponse(two, "a", "earliest")) as later:
            await later.take(2)
            assert [(event.type, event.id) for event in later.events] == [
                (REDACTED, str(offset)),
                ("message", str(after)),
            ]
            assert b"secret" not in later.body

    async def test_a_process_that_missed_more_than_the_head_names_reads_the_log(self, hubs: tuple[Hub, Hub]) -> None:
        one, two = hubs
        done = await one.log.append("a", [("message", str(n)) for n in range(100)])
        events = two.subscribe("a", "tail")
        following = asyncio.ensure_future(anext(events))
        await waits(two)
        live = two.delivery.topics._live["a"]
        live.opening = asyncio.get_running_loop().create_future()  # as long as it opens, it does not look
        for n in range(1, 61):
            await one.log.redact("a", done.first._replace(n=n))
        live.opening = None
        two.delivery.topics._reload_soon(live)
        got = [await following]
        async with asyncio.timeout(PATIENCE):
            while len(got) < 60:
                got.append(await anext(events))
        assert announced(got) == [str(done.first._replace(n=n)) for n in range(1, 61)]

    async def test_readers_have_every_event_once_while_events_are_redacted(self, hubs: tuple[Hub, Hub]) -> None:
        """P2 and P3: in order, once, without a hole; content that a reader got is announced to it afterwards."""
        dice = random.Random(4)
        one = hubs[0]
        redacted: set[int] = set()
        epoch = (await one.publish("a", "1")).epoch

        async def follow(hub: Hub, after: str | int) -> None:
            at, got, gone = 0, set(), set()
            async for event in hub.subscribe("a", after):
                if event.offset is None:
                    gone.add(Offset.parse(event.json()["offset"]).n)
                    continue
                assert at in (0, event.offset.n - 1)
                at = event.offset.n
                if not event.redacted:
                    assert event.data == str(at)
                    got.add(at)
            assert at == 600
            assert got & redacted <= gone
            assert gone <= redacted

        readers = [asyncio.ensure_future(follow(hub, after)) for hub in hubs for after in ("earliest", -1, "earliest")]
        for n in range(2, 601):
            await dice.choice(hubs).publish("a", str(n))
            if n % 7 == 0:
                readers.append(asyncio.ensure_future(follow(dice.choice(hubs), dice.choice(["earliest", -3]))))
                redacted.add(gone := dice.randint(1, n))
                await dice.choice(hubs).redact("a", Offset(epoch, gone))
        for hub in hubs:
            while hub.delivery.topics._live["a"].said < len(redacted):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await one.close_topic("a")
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*readers)

    async def test_a_slow_reader_of_several_topics_misses_no_announcement(self, hub: Hub) -> None:
        """The reader takes nothing while 1,000 events that it has are redacted, and then gets each, without an id."""
        first = (await hub.log.append("a", [("message", str(n)) for n in range(1000)])).first
        await hub.publish("b", "b")
        async with asking(EventStreamResponse(hub, ["a", "b"], "earliest")) as reader:
            await reader.take(1001)
            reader.freeze()
            await hub.publish("a", "stalls")
            for n in range(1, 1001):
                await hub.redact("a", str(first._replace(n=n)))
            position = reader.last_event_id
            reader.thaw()
            await reader.take(1001)
            gone = [json.loads(event.data)["offset"] for event in reader.events if event.type == REDACTED]
            assert gone == [str(first._replace(n=n)) for n in range(1, 1001)]
            assert reader.last_event_id.split("~")[1] == position.split("~")[1]

    async def test_the_head_of_a_restored_log_keeps_the_places_of_its_readers(self, hub: Hub) -> None:
        """An offset of the earlier life is valid up to where the lives part; a reader beyond it gets a reset."""
        old = (await hub.log.append("a", [("message", str(n)) for n in range(5)])).last
        await hub.log.store.update("a", (), restore)
        assert await take(hub.subscribe("a", old._replace(n=3)), 2) == [("message", "3"), ("message", "4")]
        assert (await take(hub.subscribe("a", old._replace(n=6)), 1))[0][0] == "tidings.reset"

    async def test_a_redaction_in_the_life_after_a_restore_is_announced(self) -> None:
        """A reader that is level learns of both at once: one look finds another life and a redaction in it."""
        async with Hub(Deaf()) as hub:
            old = await hub.publish("a", "secret")
            events = hub.subscribe("a", "earliest")
            await take(events, 1)
            live = hub.delivery.topics._live["a"]
            known = await hub.log.store.update("a", (), restore)
            assert known.head
            secret = old._replace(epoch=known.head.epoch)
            await Journal(hub.log.store).redact("a", secret)
            await hub.delivery.topics.reload(live)
            async with asyncio.timeout(PATIENCE):
                assert announced([await anext(events)]) == [str(secret)]


Redacted = Callable[[str, Head, int], Awaitable[Sequence[tuple[int, str]]]]


class TestMeanwhile:
    """Commits of this process while it reads which events another process has redacted."""

    @pytest.fixture
    async def missed(self) -> AsyncIterator[tuple[Hub, list[Offset]]]:
        """A hub that follows a topic, and the offsets that were redacted without its knowledge."""
        async with Hub(Deaf()) as hub:
            first = (await hub.publish_many("a", [("message", str(n)) for n in range(5)])).first
            await waits_for_commit(hub, 5)
            offsets = [first._replace(n=n) for n in (2, 4)]
            for offset in offsets:
                await Journal(hub.log.store).redact("a", offset)
            yield hub, offsets

    def meanwhile(self, hub: Hub, monkeypatch: pytest.MonkeyPatch, commit: Callable[[], Awaitable[object]]) -> None:
        """Have the first answer about redactions come after a commit."""
        redacted: Redacted = hub.log.redacted
        commits = [commit]

        async def late(topic: str, head: Head, since: int) -> Sequence[tuple[int, str]]:
            named = await redacted(topic, head, since)
            while commits:
                await commits.pop()()
            return named

        monkeypatch.setattr(hub.log, "redacted", late)

    async def test_a_commit_that_names_them_too_has_them_announced_once(
        self, missed: tuple[Hub, list[Offset]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hub, offsets = missed
        live = hub.delivery.topics._live["a"]
        self.meanwhile(hub, monkeypatch, lambda: hub.publish("a", "mine"))
        await hub.delivery.topics.reload(live)
        await waits_for_commit(hub, 6)
        assert [n for n, _ in live.redacted] == [offset.n for offset in offsets]

    async def test_another_life_has_none_of_them(
        self, missed: tuple[Hub, list[Offset]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hub, _ = missed
        live = hub.delivery.topics._live["a"]

        async def begin_again() -> None:
            await hub.delete("a")
            await hub.publish("a", "new")

        self.meanwhile(hub, monkeypatch, begin_again)
        await hub.delivery.topics.reload(live)
        await waits_for_commit(hub, 1)
        assert (live.redacted, live.redactions, live.head) == ([], 0, 1)
        assert [event.data for event in (await hub.read("a")).events] == ["new"]


async def waits_for_commit(hub: Hub, n: int) -> None:
    """Until the topic of this process is level with its log, of `n` events."""
    async with asyncio.timeout(PATIENCE):
        live = (await hub.delivery.follow("a", "tail")).live
        while live.head != n or live.reloading:  # noqa: ASYNC110 a look says so nowhere else
            await asyncio.sleep(0)


async def until(events: AsyncIterator[Event], last: Offset) -> AsyncIterator[Event]:
    async with asyncio.timeout(PATIENCE):
        async for event in events:
            yield event
            if event.offset == last:
                return


def restore(known: Known) -> Change:
    assert known.head
    return Change(known.head.restored())
