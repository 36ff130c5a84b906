"""The state of a topic in a process: from its own commits, from news of other processes, and from looks at the store,
which may be late, fail, or be older than the state."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from tests.asgi import asking
from tests.serving import PATIENCE
from tidings import Hub
from tidings.delivery import topics as module
from tidings.delivery.live_topic import FLUSHING, WINDOW_EVENTS
from tidings.delivery.response import EventStreamResponse
from tidings.errors import Unavailable
from tidings.events import ORIGIN, REDACTED, Event, Lost, Offset, Page, Retention
from tidings.log.head import Change, Head, Known
from tidings.log.journal import Journal
from tidings.log.port import News
from tidings.stores.memory import MemoryStore

Describe = Callable[[str], Awaitable[Head | None]]


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


async def take(events: AsyncIterator[Event], count: int) -> list[tuple[str, str]]:
    async with asyncio.timeout(PATIENCE):
        return [(event.type, event.data) for event in [await anext(events) for _ in range(count)]]


async def collect(events: AsyncIterator[Event]) -> list[str]:
    async with asyncio.timeout(PATIENCE):
        return [event.data async for event in events]


async def settle() -> None:
    """Give the loop the turns in which a commit is announced and flushed."""
    for _ in range(5):
        await asyncio.sleep(0)


async def waits(hub: Hub, topic: str = "a") -> None:
    """Until an iterator over the topic has nothing more to give."""
    async with asyncio.timeout(PATIENCE):
        # A reader that waits says so nowhere else.
        while not ((lane := hub.delivery.topics._live.get(topic)) and lane.waiters):  # noqa: ASYNC110
            await asyncio.sleep(0)


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

    async def test_what_one_publishes_the_other_has(self, hubs: tuple[Hub, Hub]) -> None:
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

    async def test_what_one_deletes_is_gone_for_the_other(self, hubs: tuple[Hub, Hub]) -> None:
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

    async def test_what_another_trims_is_said(self, hubs: tuple[Hub, Hub]) -> None:
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


class Deaf(MemoryStore):
    """A store whose news do not arrive."""

    async def changes(self) -> AsyncIterator[News]:  # type: ignore[override]
        await asyncio.Event().wait()
        yield None


class TestMoving:
    """The state of a topic between its readers, its commits and the pages of the store."""

    @pytest.mark.parametrize("observed", [True, False])
    async def test_a_transient_event_comes_after_what_is_stored_where_observers_end_streams(
        self, observed: bool
    ) -> None:
        store = Deaf()
        async with Hub(store) as hub:
            await hub.publish("a", "1")
            async with asking(EventStreamResponse(hub, "a", after="earliest")) as reader:
                await reader.take(1)
                await settle()  # the reader is level
                if observed:
                    hub.delivery.observe("a", lambda events, tail: None)
                await Journal(store).append("a", [("message", "2"), ("message", "3")])
                for n in range(3):
                    await hub.publish("a", n, "typing", transient=True)
                events = await reader.take(5 if observed else 3)
                typed = [("typing", str(n)) for n in range(3)]
                stored = [("message", "2"), ("message", "3")] if observed else []
                assert [event[:2] for event in events] == [*stored, *typed]

    async def test_a_commit_here_tells_of_another_life(self) -> None:
        """The news that another process has deleted the log may be late."""
        store = Deaf()
        async with Hub(store) as hub:
            await hub.publish("a", "1")
            events = hub.subscribe("a", "earliest")
            await take(events, 1)
            reset = asyncio.ensure_future(take(events, 2))
            await waits(hub)
            await Journal(store).delete("a")
            await hub.publish("a", "2")
            assert [type for type, _ in await reset] == ["tidings.reset", "message"]

    async def test_an_iterator_that_waits_ends_with_the_hub(self, hub: Hub) -> None:
        waiting = asyncio.ensure_future(take(hub.subscribe("a"), 1))
        await waits(hub)
        hub.delivery.topics.close()
        await settle()
        assert waiting.done()
        with pytest.raises(Unavailable):
            await waiting

    async def test_a_topic_without_readers_is_level_with_its_commits(self, hub: Hub) -> None:
        """The next reader at the tail is given no event, and no announcement, that came before it."""
        first = await hub.publish("a", "1")
        hub.delivery.unfollow(await hub.delivery.follow("a", "tail"))
        await hub.publish("a", "2")
        await hub.redact("a", first)
        await settle()
        position = await hub.delivery.follow("a", "tail")
        assert (position.n, position.said) == (2, 1)
        hub.delivery.unfollow(position)

    async def test_a_topic_that_is_deleted_resets_its_streams(self, hub: Hub) -> None:
        await hub.publish("a", "1")
        async with asking(EventStreamResponse(hub, "a", "earliest")) as reader:
            await reader.take(1)
            await hub.delete("a")
            assert [event.type for event in await reader.take(1)] == ["tidings.reset"]

    async def test_a_commit_here_needs_no_look(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Events and redactions of this process are written while the store cannot be asked."""
        async with Hub(Deaf()) as hub:
            first = await hub.publish("a", "1")
            await settle()
            position = await hub.delivery.follow("a", "tail")
            look(hub, monkeypatch, fails)
            second = await hub.publish("a", "2")
            await settle()
            live = position.live
            assert (live.tail, live.reloading) == (second, None)
            await hub.log.redact("a", first)
            await settle()
            assert (live.said, live.reloading) == (1, None)

    async def test_a_reader_at_a_known_place_needs_no_look(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async with Hub(Deaf()) as hub:
            offsets = [await hub.publish("a", str(n)) for n in range(5)]
            await settle()
            await hub.delivery.follow("a", "tail")
            look(hub, monkeypatch, fails)
            for start, n in ((offsets[4], 5), (offsets[1], 2), (-2, 3), (-9, 0), ("earliest", 0), ("tail", 5)):
                assert (await hub.delivery.follow("a", start)).n == n

    async def test_a_deletion_that_is_known_needs_no_look(self, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
        """The store gives the news of a deletion to the process that made it, too."""
        await hub.publish("a", "1")
        live = (await hub.delivery.follow("a", "earliest")).live
        await settle()
        looks: list[str] = []

        async def counted(describe: Describe, topic: str) -> Head | None:
            looks.append(topic)
            return await describe(topic)

        look(hub, monkeypatch, counted)
        await hub.delete("a")
        await settle()
        assert (live.tail, looks) == (ORIGIN, [])

    @pytest.mark.parametrize("born", [False, True])
    async def test_what_is_found_during_a_flush_reaches_its_readers(self, born: bool) -> None:
        """The flush under way may have passed them already, and no other need follow."""
        store = Deaf()
        async with Hub(store) as hub:
            if not born:
                await hub.publish("a", "0")
                await settle()
            async with asking(EventStreamResponse(hub, "a")) as reader:
                await reader.reach(lambda: reader.body)
                live = hub.delivery.topics._live["a"]
                async with asyncio.timeout(PATIENCE):
                    while not live.level:  # noqa: ASYNC110
                        await asyncio.sleep(0)
                live.state = FLUSHING
                await Journal(store).append("a", [("message", "x")] * (WINDOW_EVENTS + 1))
                if born:
                    await hub.configure("a", ttl=60)
                else:
                    await hub.delivery.topics.reload(live)
                await settle()
                assert live.visible == WINDOW_EVENTS + (1 if born else 2)
                await reader.take(WINDOW_EVENTS + 1)

    async def test_the_newest_of_large_events_that_were_missed_stay_in_memory(self) -> None:
        store = Deaf()
        async with Hub(store) as hub:
            await hub.publish("a", "0")
            await settle()
            live = (await hub.delivery.follow("a", "tail")).live
            for _ in range(3):
                await Journal(store).append("a", [("message", "x" * 800_000)])
            await hub.delivery.topics.reload(live)
            await settle()
            assert live.visible == live.head == 4
            assert live.events

    async def test_a_commit_here_after_missed_redactions_looks_for_them(self) -> None:
        """The head of the commit names the last 32 redactions, and this process has missed 60."""
        store = Deaf()
        async with Hub(store) as hub:
            done = await hub.log.append("a", [("message", str(n)) for n in range(100)])
            await settle()
            position = await hub.delivery.follow("a", "tail")
            for n in range(1, 61):
                await Journal(store).redact("a", done.first._replace(n=n))
            await hub.publish("a", "mine")
            async with asyncio.timeout(PATIENCE):
                while position.live.redactions < 60 or position.live.reloading:  # noqa: ASYNC110
                    await asyncio.sleep(0)
            assert [n for n, _ in position.live.redacted] == list(range(1, 61))

    @pytest.mark.parametrize(
        ("lost", "epoch", "start"),
        [("trimmed", "same", 4), ("trimmed", "other", 0), ("recreated", "same", 0)],
    )
    async def test_a_page_moves_the_start_of_its_own_life_and_of_no_other(
        self, hub: Hub, monkeypatch: pytest.MonkeyPatch, lost: Lost, epoch: str, start: int
    ) -> None:
        """Any other loss is the store's to tell: a log restored from a backup and trimmed is another life."""
        last = (await hub.log.append("a", [("message", str(n)) for n in range(9)])).last
        position = await hub.delivery.follow("a", "earliest")
        read, looks = hub.log.read, 0
        life = last.epoch if epoch == "same" else "other"

        async def lossy(topic: str, after: Offset | None, limit: int = 1000) -> Page:
            page = await read(topic, after, limit)
            return page._replace(earliest=Offset(life, 5), next=Offset(life, 9), lost=lost)

        async def looking(describe: Describe, topic: str) -> Head | None:
            nonlocal looks
            looks += 1
            return await describe(topic)

        monkeypatch.setattr(hub.log, "read", lossy)
        look(hub, monkeypatch, looking)
        await hub.delivery.topics.load(position)
        assert position.live.start == start
        assert looks == (0 if start else 1)

    async def test_announced_events_that_the_store_lacks_are_an_error(
        self, hub: Hub, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await hub.publish("a", "1")
        position = await hub.delivery.follow("a", "earliest")
        read = hub.log.read

        async def lacking(topic: str, after: Offset | None, limit: int = 1000) -> Page:
            return (await read(topic, after, limit))._replace(events=())

        monkeypatch.setattr(hub.log, "read", lacking)
        with pytest.raises(Unavailable, match="has announced"):
            await hub.delivery.topics.load(position)

    async def test_a_look_that_fails_keeps_no_caller(self, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
        """Also not the callers that came while it was under way."""
        await hub.publish("a", "1")
        topics, live = hub.delivery.topics, (await hub.delivery.follow("a", "earliest")).live
        go = asyncio.Event()

        async def fails(describe: Describe, topic: str) -> Head | None:
            await go.wait()
            raise Unavailable("on purpose")

        look(hub, monkeypatch, fails)
        calls = [asyncio.ensure_future(topics.reload(live))]
        await settle()
        calls.append(asyncio.ensure_future(topics.reload(live)))
        await settle()
        go.set()
        for error in await asyncio.gather(*calls, return_exceptions=True):
            assert isinstance(error, Unavailable)
        assert (live.reloading, live.wanted) == (None, [])


async def fails(describe: Describe, topic: str) -> Head | None:
    raise Unavailable("on purpose")


def look(hub: Hub, monkeypatch: pytest.MonkeyPatch, instead: Callable[[Describe, str], Awaitable[Head | None]]) -> None:
    """Have the hub look at the store in another way."""
    describe = hub.log.describe
    monkeypatch.setattr(hub.log, "describe", lambda topic: instead(describe, topic))


class TestLooks:
    """Looks at the store that are late, that fail, and that are overtaken."""

    async def test_a_topic_opens_beside_a_publisher_in_a_hurry(self, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
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

    async def test_a_look_older_than_a_commit_here_undoes_nothing(
        self, hub: Hub, monkeypatch: pytest.MonkeyPatch
    ) -> None:
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
        lane = hub.delivery.topics._live["a"]
        reload = asyncio.ensure_future(hub.delivery.topics.reload(lane))
        await waiting.wait()
        await hub.publish("a", "1")
        go.set()
        await reload
        await hub.publish("a", "2", close=True)
        assert await reader == ["1", "2"]

    async def test_a_look_that_fails_is_made_again(
        self, hubs: tuple[Hub, Hub], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
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

    async def test_who_needs_a_look_that_fails_is_told(self, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
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

    async def test_a_reader_waits_for_one_look_and_not_for_peace(self, hub: Hub) -> None:
        """Beside another process that publishes without a pause, a lane is stale for as long."""
        last = await hub.publish("a", "1")
        await take(hub.subscribe("a", "earliest"), 1)
        lane = hub.delivery.topics._live["a"]
        restless = True

        async def disturb() -> None:
            while restless:
                hub.delivery.topics._reload_soon(lane)
                await asyncio.sleep(0)

        disturbance = asyncio.create_task(disturb())
        events = hub.subscribe("a", Offset(last.epoch, 5))
        assert (await take(events, 1))[0][0] == "tidings.reset"
        restless = False
        await disturbance


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


async def until(events: AsyncIterator[Event], last: Offset) -> AsyncIterator[Event]:
    async with asyncio.timeout(PATIENCE):
        async for event in events:
            yield event
            if event.offset == last:
                return


def restore(known: Known) -> Change:
    assert known.head
    return Change(known.head.restored())
