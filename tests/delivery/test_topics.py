"""The state of a topic in a process: from its own commits, from news of other processes, and from looks at the store,
which may be late, fail, or be older than the state."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.asgi import asking
from tests.delivery.events import settle, take, waits
from tests.delivery.looks import Deaf, Describe, fails, look
from tests.serving import PATIENCE
from tidings import Hub
from tidings.delivery.live_topic import FLUSHING, WINDOW_EVENTS
from tidings.delivery.response import EventStreamResponse
from tidings.delivery.topics import IDLE_KEPT
from tidings.errors import Unavailable
from tidings.events import ORIGIN, Lost, Offset, Page
from tidings.log.head import Head
from tidings.log.journal import Journal
from tidings.log.names import TAIL


@pytest.fixture
async def hub() -> AsyncIterator[Hub]:
    async with Hub("memory:") as made:
        yield made


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

    async def test_a_topic_counts_its_readers_until_they_leave(self, hub: Hub) -> None:
        topics = hub.delivery.topics
        positions = [await topics.follow("a", TAIL) for _ in range(2)]
        assert topics._live["a"].readers == 2
        for left, position in zip((1, 0), positions, strict=True):
            topics.unfollow(position)
            assert topics._live["a"].readers == left

    async def test_idle_topics_are_forgotten_and_those_with_readers_are_not(self, hub: Hub) -> None:
        topics = hub.delivery.topics
        kept = await topics.follow("kept", TAIL)
        for n in range(IDLE_KEPT + 128):
            topics.unfollow(await topics.follow(f"idle.{n}", TAIL))
        assert topics._live["kept"] is kept.live
        assert len(topics) <= IDLE_KEPT + 64

    async def test_an_observer_sees_what_comes_until_it_goes(self, hub: Hub) -> None:
        await hub.publish("a", "1")
        await hub.delivery.topics.follow("a", TAIL)
        seen: list[int] = []
        end = hub.delivery.observe("a", lambda events, tail: seen.append(tail.n))
        for n in (2, 3):
            await hub.publish("a", str(n))
            await settle()
            if n == 2:
                end()
        assert seen == [1, 2]

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
    async def test_an_event_found_during_a_flush_reaches_its_readers(self, born: bool) -> None:
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
            async with asyncio.timeout(PATIENCE):
                while live.visible < live.head:  # noqa: ASYNC110 a flush tells nobody, and waits if the last one was slow
                    await asyncio.sleep(0)
            assert live.head == 4
            assert live.events

    @pytest.mark.parametrize("meanwhile", ["deleted", "trimmed"])
    async def test_a_log_that_begins_anew_while_it_is_read_is_followed(
        self, meanwhile: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The events that were missed are too large for one look, and more are read."""
        store = Deaf()
        async with Hub(store) as hub:
            await hub.publish("a", "0")
            await settle()
            live = (await hub.delivery.follow("a", "tail")).live
            for _ in range(3):
                await Journal(store).append("a", [("message", "x" * 800_000)])
            read, reads = hub.log.read, 0

            async def overtaken(topic: str, after: Offset | None, limit: int = 1000) -> Page:
                nonlocal reads
                reads += 1
                page = await read(topic, after, limit)
                if meanwhile == "trimmed":
                    return page._replace(events=(), lost="trimmed")
                await hub.delete("a")
                await hub.publish("a", "new")
                return page

            monkeypatch.setattr(hub.log, "read", overtaken)
            await hub.delivery.topics.reload(live)
            async with asyncio.timeout(PATIENCE):
                while live.reloading:  # noqa: ASYNC110 a look says so nowhere else
                    await asyncio.sleep(0)
            assert reads == 1
            assert live.head == (1 if meanwhile == "deleted" else 4)
            assert live.tail.epoch == (await hub.describe("a")).tail.epoch

    async def test_a_commit_during_a_flush_leaves_the_visible_end_to_the_flush(self, hub: Hub) -> None:
        """The last reader left while its events were being written."""
        await hub.publish("a", "1")
        position = await hub.delivery.follow("a", "tail")
        await settle()
        hub.delivery.unfollow(position)
        position.live.state = FLUSHING
        await hub.publish("a", "2")
        await settle()
        assert (position.live.visible, position.live.head) == (1, 2)

    async def test_recent_events_beyond_the_budget_are_read_from_the_store(self, hub: Hub) -> None:
        hub.delivery.topics.memory.limit = 1_000
        hub.delivery.unfollow(await hub.delivery.follow("a", "tail"))
        for n in range(20):
            await hub.publish("a", f"{n}" * 100)
            await settle()
            assert hub.delivery.topics.memory.size <= 1_000
        assert len(await take(hub.subscribe("a", "earliest"), 20)) == 20

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
