"""A reader's connection: written to by flushes while it is level, parked and caught up when it is slow."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.asgi import Client, Watched, Wired, asking
from tidings import Hub
from tidings.delivery.response import EventStreamResponse
from tidings.delivery.subscription import LARGE, STALL, Subscription
from tidings.events import Event
from tidings.testing import Clock
from tidings.wire.sse import Format


@pytest.fixture(params=["send", "connection"], autouse=True)
def sink(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Written to by the `send` of any server, and over the connection of ours."""
    monkeypatch.setattr(Client, "connects", Wired if request.param == "connection" else Watched)
    found: str = request.param
    return found


@pytest.fixture
async def hub() -> AsyncIterator[Hub]:
    async with Hub("memory:") as made:
        yield made


def level(hub: Hub, topic: str = "a") -> int:
    lane = hub.delivery.topics._live.get(topic)
    return len(lane.level) if lane else 0


async def joined(client: Client, hub: Hub, topic: str = "a", count: int = 1) -> None:
    """Until its readers are level with a topic. Only the loop's turns stand between."""
    async with asyncio.timeout(60):
        while level(hub, topic) < count:
            assert not client.done
            await asyncio.sleep(0)


def numbers(first: int, last: int) -> list[str]:
    return [str(n) for n in range(first, last + 1)]


async def publish(hub: Hub, first: int, last: int, topic: str = "a") -> None:
    await hub.log.append(topic, [("message", text) for text in numbers(first, last)])


class Bare(Format):
    """A format for clients that would show comments and reconnection times."""

    comments = False


class TestLevel:
    async def test_events_of_one_commit_are_one_write(self, hub: Hub) -> None:
        async with asking(EventStreamResponse(hub, "a")) as client:
            await joined(client, hub)
            before = len(client.connection.writes)
            await publish(hub, 1, 50)
            await client.take(50)
            assert len(client.connection.writes) == before + 1
            assert client.data == numbers(1, 50)

    async def test_it_has_no_task_while_it_is_level(self, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
        async with asking(EventStreamResponse(hub, "a")) as client:
            await joined(client, hub)
            (stream,) = hub.delivery.streams
            monkeypatch.setattr(Subscription, "_run", None)  # a task would fail at once
            for n in range(5):
                await publish(hub, n + 1, n + 1)
                await client.next()
            assert stream.level

    async def test_a_stream_that_has_ended_catches_up_with_nothing(self, hub: Hub) -> None:
        async with asking(EventStreamResponse(hub, "a")) as client:
            await joined(client, hub)
            (stream,) = hub.delivery.streams
        assert isinstance(stream, Subscription)
        stream.kick()
        assert stream._task is None

    async def test_the_bytes_of_a_flush_are_shared(self, hub: Hub) -> None:
        one_response, two_response = [EventStreamResponse(hub, "a", format=Bare()) for _ in range(2)]
        async with asking(one_response) as one, asking(two_response) as two:
            await joined(one, hub, count=2)
            await publish(hub, 1, 3)
            await two.take(3)
            assert one.connection.writes[-1] is two.connection.writes[-1]

    async def test_a_thousand_readers_of_a_topic_that_is_born(self, hub: Hub) -> None:
        clients = [Client(EventStreamResponse(hub, ["a", "b"] if n % 2 else "a")) for n in range(1000)]
        for client in clients:
            await client.connect()
        await joined(clients[0], hub, count=1000)
        await publish(hub, 1, 2)
        for client in clients:
            assert [event.data for event in await client.take(2)] == ["1", "2"]
        await asyncio.gather(*(client.close() for client in clients))
        assert hub.delivery.streams == set()
        assert level(hub) == 0


class TestSlow:
    async def test_it_costs_one_write_and_no_queue(self, hub: Hub) -> None:
        async with asking(EventStreamResponse(hub, "a")) as slow, asking(EventStreamResponse(hub, "a")) as quick:
            await joined(slow, hub, count=2)
            slow.freeze()
            await publish(hub, 1, 1)
            await slow.reach(lambda: slow.waiting)
            for n in range(2, 2002, 10):
                await publish(hub, n, n + 9)
            await quick.take(2001)
            assert slow.connection.waiting == 1
            assert level(hub) == 1, "only the quick one"
            assert slow.data == []
            slow.thaw()
            await slow.take(2001)
            assert slow.data == quick.data == numbers(1, 2001)
            await joined(slow, hub, count=2)
            assert hub.delivery.counts().write_bytes == 0
            await publish(hub, 2002, 2002)
            await slow.next()

    async def test_one_that_stops_and_goes_misses_nothing(self, hub: Hub) -> None:
        async with asking(EventStreamResponse(hub, ["a", "b"])) as client:
            await joined(client, hub)
            for n in range(1, 301):
                (client.freeze if n % 3 else client.thaw)()
                await publish(hub, n, n, "a" if n % 2 else "b")
                if not n % 7:
                    await asyncio.sleep(0)
            client.thaw()
            events = await client.take(300)
            for topic, parity in (("a", 1), ("b", 0)):
                mine = [int(event.data) for event in events if int(event.data) % 2 == parity]
                assert mine == [n for n in range(1, 301) if n % 2 == parity], topic

    async def test_one_parked_by_a_topic_is_not_written_by_another(self, hub: Hub) -> None:
        """Both flushes have it in their snapshots; a second `send` beside the half-run one would break the body."""
        async with asking(EventStreamResponse(hub, ["a", "b"])) as client:
            await joined(client, hub)
            client.freeze()
            await asyncio.gather(publish(hub, 1, 1, "a"), publish(hub, 2, 2, "b"))
            await client.reach(lambda: client.waiting)
            await publish(hub, 3, 3, "b")
            await asyncio.sleep(0)
            assert client.connection.waiting == 1
            client.thaw()
            assert sorted(event.data for event in await client.take(3)) == ["1", "2", "3"]

    async def test_one_that_is_slow_at_the_end_has_one_task(self, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
        """The last flush writes to the stream, and then has it look for the end."""
        tasks: list[Subscription] = []
        run = Subscription._run

        def counted(self: Subscription, first: Any) -> Any:
            tasks.append(self)
            return run(self, first)

        async with asking(EventStreamResponse(hub, "a")) as client:
            await joined(client, hub)
            monkeypatch.setattr(Subscription, "_run", counted)
            client.freeze()
            await hub.publish("a", "last", close=True)
            await client.reach(lambda: client.waiting)
            assert len(tasks) == 1
            client.thaw()
            await client.end()
            assert client.clean
            assert [event.type for event in client.events] == ["message", "tidings.end"]

    async def test_one_that_takes_nothing_is_sent_away(self, hub: Hub, tidings_clock: Clock) -> None:
        async with asking(EventStreamResponse(hub, "a")) as client:
            await joined(client, hub)
            client.freeze()
            await publish(hub, 1, 1)
            await tidings_clock.advance(STALL - 1)
            assert not client.done
            await client.end(within=2)
            assert not client.clean
            assert hub.delivery.streams == set()

    async def test_one_that_leaves_while_it_is_waited_for(self, hub: Hub) -> None:
        async with asking(EventStreamResponse(hub, "a")) as client:
            await joined(client, hub)
            client.freeze()
            await publish(hub, 1, 1)
            await client.reach(lambda: client.waiting)
            client.connection.leave()
            await client.end()
            assert client.connection.waiting == 0
        assert hub.delivery.streams == set()


def needs_a_task(app: ASGIApp, refused: list[Message]) -> ASGIApp:
    """A middleware as many are: its `send` asks which task it is in, and is in none for the messages `refused`."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        async def in_a_task(message: Message) -> None:
            if asyncio.current_task() is None:
                refused.append(message)
                raise RuntimeError("no task")
            await asyncio.sleep(0)
            await send(message)

        await app(scope, receive, in_a_task)

    return wrapped


@pytest.mark.parametrize("sink", ["send"], indirect=True)
class TestOtherSends:
    async def test_a_small_page_that_waits_is_not_counted(self, hub: Hub) -> None:
        """A budget of memory is for large bodies, which are kept while their pieces are sent."""
        async with asking(EventStreamResponse(hub, "a")) as client:
            await joined(client, hub)
            client.freeze()
            await publish(hub, 1, 1)
            await client.reach(lambda: client.waiting)
            await publish(hub, 2, 2)
            client.thaw()
            client.freeze()  # the first write goes out, the second waits
            await client.take(1)
            await client.reach(lambda: client.waiting)
            assert hub.delivery.counts().write_bytes == 0
            client.thaw()
            await client.take(1)

    async def test_one_that_needs_a_task_has_one(self, hub: Hub) -> None:
        refused: list[Message] = []
        async with asking(needs_a_task(EventStreamResponse(hub, "a"), refused)) as client:
            for n in range(1, 200):
                await joined(client, hub)
                await publish(hub, n, n)
                await client.next()
            assert client.data == numbers(1, 199)
            assert len(refused) == 1, "the stream asks no second time"
            await hub.close_topic("a")
            await client.end()
            assert client.clean

    async def test_one_that_always_waits(self, hub: Hub) -> None:
        def waits(app: ASGIApp) -> ASGIApp:
            async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
                async def late(message: Message) -> None:
                    await asyncio.sleep(0)
                    await asyncio.sleep(0.0001)
                    await send(message)

                await app(scope, receive, late)

            return wrapped

        async with asking(waits(EventStreamResponse(hub, "a"))) as client:
            await joined(client, hub)
            for n in range(1, 200):
                await publish(hub, n, n)
            await client.take(199)
            assert client.data == numbers(1, 199)

    @pytest.mark.parametrize("error", [OSError("gone"), RuntimeError("closed")])
    async def test_one_that_fails_ends_its_reader_and_no_other(
        self, hub: Hub, error: Exception, caplog: pytest.LogCaptureFixture
    ) -> None:
        broken = False

        async def fails(scope: Scope, receive: Receive, send: Send) -> None:
            async def breaks(message: Message) -> None:
                if broken:
                    raise error
                await send(message)

            await EventStreamResponse(hub, "a")(scope, receive, breaks)

        async with asking(fails) as bad, asking(EventStreamResponse(hub, "a")) as good:
            await joined(bad, hub, count=2)
            broken = True
            await publish(hub, 1, 1)
            await bad.end()
            await publish(hub, 2, 2)
            await good.take(2)
        assert ("A reader was dropped" in caplog.text) == (not isinstance(error, OSError))


class Poisoned(Format):
    """A format that cannot write one event."""

    def encode(self, topic: str, events: Sequence[Event]) -> bytes:
        if any(event.data == "poison" for event in events):
            raise ValueError("poison")
        return super().encode(topic, events)


class Sparing(Format):
    """A format that writes nothing for some events, nor for the end, as that of a run's text does."""

    def encode(self, topic: str, events: Sequence[Event]) -> bytes:
        return super().encode(topic, [event for event in events if event.data != "nothing"])

    def notice(self, topic: str, type: str, data: dict[str, Any], id: str, time: float = 0.0) -> bytes:
        return b""


class TestFormats:
    @pytest.mark.parametrize("start", ["tail", "earliest"])
    async def test_an_event_without_bytes_writes_no_reconnection_time(self, hub: Hub, start: Any) -> None:
        """The time is part of the first event: by itself it may reach clients that fire an empty event for it."""
        if start == "earliest":
            await hub.publish("a", "nothing")
        async with asking(EventStreamResponse(hub, "a", after=start, format=Sparing())) as client:
            await joined(client, hub)
            await hub.publish("a", "nothing")
            await hub.publish("a", "something")
            await client.next()
            first, second = client.connection.writes
            assert first == b":\n"
            assert second.startswith(b"retry: ")
            assert b"\ndata: something\n" in second
            await hub.close_topic("a")
            await client.end()
            assert client.clean

    @pytest.mark.parametrize("start", ["tail", "earliest"])
    async def test_an_event_that_cannot_be_written_ends_its_readers(
        self, hub: Hub, start: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Left open without it, or without a word, they would be lied to."""
        if start == "earliest":
            await hub.publish("a", "poison")
        async with (
            asking(EventStreamResponse(hub, "a", after=start, format=Poisoned())) as bad,
            asking(EventStreamResponse(hub, "a", after=start)) as good,
        ):
            if start == "tail":
                await joined(bad, hub, count=2)
                await hub.publish("a", "poison")
            await bad.end()
            assert not bad.clean
            await hub.publish("a", "fine")
            await good.take(2)
            assert good.data == ["poison", "fine"]
        assert "poison" in caplog.text

    async def test_readers_of_many_formats(self, hub: Hub) -> None:
        formats = [Format(), Format(envelope=True), Format(), Format(envelope=True)]
        clients = [
            Client(EventStreamResponse(hub, ["a", "b"] if i % 3 else ["a"], format=formats[i % 4])) for i in range(100)
        ]
        for client in clients:
            await client.connect()
        await joined(clients[0], hub, count=100)
        await publish(hub, 1, 10)
        for client in clients:
            await client.take(10)
        ids = [[event.id.partition("~")[0] for event in client.events] for client in clients]
        assert all(each == ids[0] for each in ids)
        await asyncio.gather(*(client.close() for client in clients))


class TestEnds:
    async def test_the_end_of_the_topic_ends_it(self, hub: Hub) -> None:
        async with asking(EventStreamResponse(hub, "a")) as client:
            await joined(client, hub)
            last = await hub.publish("a", "last", close=True)
            await client.end()
            assert client.clean
            assert [event.type for event in client.events] == ["message", "tidings.end"]
            assert client.events[1].data == f'{{"topic":"a","offset":"{last}"}}'
            assert client.last_event_id == str(last)

    async def test_a_close_without_an_event_ends_it(self, hub: Hub) -> None:
        await publish(hub, 1, 1)
        async with asking(EventStreamResponse(hub, "a")) as client:
            await joined(client, hub)
            await hub.close_topic("a")
            await client.end()
            assert [event.type for event in client.events] == ["tidings.end"]

    async def test_several_topics_end_when_the_last_does(self, hub: Hub) -> None:
        async with asking(EventStreamResponse(hub, ["a", "b", "c"])) as client:
            await joined(client, hub)
            for topic in ("b", "a"):
                await hub.publish(topic, f"last of {topic}", close=True)
            await client.take(4)
            await hub.publish("c", "goes on")
            await client.next()
            assert not client.done
            await hub.close_topic("c")
            await client.end()
            assert client.clean
            said = [(event.type, event.data.partition(",")[0]) for event in client.events]
            assert said[4:] == [("message", "goes on"), ("tidings.end", '{"topic":"c"')]
            assert sorted(said[:4]) == [
                ("message", "last of a"),
                ("message", "last of b"),
                ("tidings.end", '{"topic":"a"'),
                ("tidings.end", '{"topic":"b"'),
            ]

    async def test_when_its_token_expires(self, hub: Hub, tidings_clock: Clock) -> None:
        response = EventStreamResponse(hub, "a", expires=time.time() + 60)
        async with asking(response) as client:
            await tidings_clock.advance(59)
            assert not client.done
            await client.end(within=2)
            assert not client.clean

    async def test_a_drain_ends_it(self) -> None:
        async with (
            Hub("memory:", drain_window=0.0) as hub,
            asking(EventStreamResponse(hub, "a")) as client,
            asking(EventStreamResponse(hub, "b")) as slow,
        ):
            await joined(client, hub, "a")
            await joined(slow, hub, "b")
            slow.freeze()
            await publish(hub, 1, 1, "b")
            await slow.reach(lambda: slow.waiting)
            hub.drain()
            hub.drain()
            await client.end()
            await slow.end()
            assert not client.clean
            assert not slow.clean
            if isinstance(client.connection, Wired):
                assert client.connection.transport.written == b"1\r\n", "the size line of a chunk that never comes"
            async with asking(EventStreamResponse(hub, "a")) as late:
                await late.end()
                assert not late.clean

    async def test_closing_the_hub_ends_it(self) -> None:
        async with Hub("memory:") as hub:
            client = Client(EventStreamResponse(hub, "a"))
            await client.connect()
            await joined(client, hub)
        await client.end()
        assert not client.clean

    async def test_nothing_of_it_stays(self, hub: Hub) -> None:
        async with asking(EventStreamResponse(hub, ["a", "b"])) as client:
            await joined(client, hub)
        lane = hub.delivery.topics._live["a"]
        assert (lane.readers, lane.level, hub.delivery.streams) == (0, {}, set())
        await publish(hub, 1, 1)


class TestSilence:
    async def test_a_keep_alive_is_a_comment_of_one_line(self, hub: Hub, tidings_clock: Clock) -> None:
        async with asking(EventStreamResponse(hub, "a")) as client:
            await joined(client, hub)
            await tidings_clock.advance(14)
            assert client.body == b":\n"
            await tidings_clock.advance(60)
            assert 4 <= len(client.comments) <= 5
            assert client.body == b":\n" * len(client.connection.writes)
            assert client.events == []

    async def test_while_a_reader_is_slow_it_gets_none(self, hub: Hub, tidings_clock: Clock) -> None:
        """A comment would jump the queue, into the middle of the bytes that wait."""
        async with (
            asking(EventStreamResponse(hub, "a")) as slow,
            asking(EventStreamResponse(hub, "b")) as quick,
        ):
            await joined(slow, hub)
            slow.freeze()
            await publish(hub, 1, 1)
            await slow.reach(lambda: slow.waiting)
            await tidings_clock.advance(60)
            assert len(quick.comments) >= 4
            assert slow.connection.waiting == 1
            slow.thaw()
            await slow.take(1)

    async def test_a_full_connection_gets_none(self, hub: Hub, tidings_clock: Clock) -> None:
        """A client that reads nothing would let the comments pile up in the server's buffer."""
        async with (
            asking(EventStreamResponse(hub, "a")) as full,
            asking(EventStreamResponse(hub, "b")) as quick,
        ):
            await joined(full, hub)
            await joined(quick, hub, "b")
            full.freeze()
            written = len(full.connection.writes)
            await tidings_clock.advance(55)
            assert len(quick.comments) >= 4
            assert len(full.connection.writes) == written
            assert full.connection.waiting <= 1
            full.thaw()
            await publish(hub, 1, 1)
            await full.take(1)

    async def test_a_large_event_breaks_the_silence(self, hub: Hub, tidings_clock: Clock) -> None:
        async with asking(EventStreamResponse(hub, ["a", "b"])) as client:
            await joined(client, hub)
            await tidings_clock.advance(14)
            await hub.publish("a", "x" * (LARGE + 1))
            await client.next()
            await tidings_clock.advance(14)
            assert len(client.comments) == 1, "the first comment, at 0 s; the next is due at 29 s"

    async def test_the_reconnection_time_rides_in_the_first_event(self) -> None:
        async with Hub("memory:", retry=(2.0, 2.0)) as hub, asking(EventStreamResponse(hub, "a")) as client:
            await joined(client, hub)
            assert b"retry" not in client.body
            await publish(hub, 1, 1)
            first = await client.next()
            await publish(hub, 2, 2)
            second = await client.next()
            assert (first.retry, second.retry) == (2000, None)
            assert client.body.startswith(b":\nretry: 2000\ndata: 1\nid: ")
            assert client.body.count(b"retry") == 1

    @pytest.mark.parametrize("topics", [["a"], ["a", "b"]], ids=["one topic", "two topics"])
    async def test_a_large_event_has_its_id_and_the_reconnection_time_too(self, topics: list[str]) -> None:
        large = "x" * (LARGE + 1)
        async with (
            Hub("memory:", retry=(2.0, 2.0)) as hub,
            asking(EventStreamResponse(hub, topics)) as client,
        ):
            await joined(client, hub)
            offsets = [await hub.publish("a", text) for text in (large, large + "y")]
            first, second = await client.take(2)
            assert (first.data, second.data) == (large, large + "y")
            assert (first.retry, second.retry) == (2000, None)
            rest = "" if topics == ["a"] else "~0-0"
            assert [first.id, second.id] == [f"{offset}{rest}" for offset in offsets]

    @pytest.mark.parametrize("place", [0, 1, 2], ids=["first", "middle", "last"])
    async def test_no_part_of_a_large_event_is_empty(self, hub: Hub, place: int) -> None:
        """The first topic has no offsets before its own, and the last has none after. The client sees empty writes."""
        topics = ["b", "c"]
        topics.insert(place, "a")
        async with asking(EventStreamResponse(hub, topics)) as client:
            await joined(client, hub)
            for _ in range(2):
                await hub.publish("a", "x" * (LARGE + 1))
            assert len(await client.take(2)) == 2

    async def test_a_bare_stream_is_events_alone(self, hub: Hub, tidings_clock: Clock) -> None:
        bare = EventStreamResponse(hub, "a", format=Bare())
        async with asking(bare) as client, asking(EventStreamResponse(hub, "a")) as other:
            await joined(client, hub, count=2)
            await tidings_clock.advance(60)
            assert len(other.comments) >= 4
            assert client.body == b""
            last = await hub.publish("a", "x")
            await client.take(1)
            assert client.body == f"data: x\nid: {last}\n\n".encode()


class TestCasts:
    async def test_it_reaches_who_is_there_and_is_never_stored(self, hub: Hub) -> None:
        async with (
            asking(EventStreamResponse(hub, "a")) as one,
            asking(EventStreamResponse(hub, ["b", "a"], format=Format(envelope=True))) as two,
        ):
            await joined(one, hub, count=2)
            last = await hub.publish("a", "stored")
            await hub.publish("a", {"typing": True}, "presence", transient=True)
            await one.take(2)
            await two.take(2)
            assert one.events[1][:3] == ("presence", '{"typing":true}', str(last))
            assert b'event: presence\ndata: {"typing":true}\n\n' in one.body, "no id of its own"
            assert '"offset":null' in two.events[1].data
        async with asking(EventStreamResponse(hub, "a", after="earliest")) as late:
            await hub.publish("a", "more")
            await late.take(2)
            assert late.data == ["stored", "more"]

    async def test_many_are_one_write(self, hub: Hub) -> None:
        async with asking(EventStreamResponse(hub, "a")) as client:
            await joined(client, hub)
            before = len(client.connection.writes)
            for n in range(20):
                await hub.publish("a", n, transient=True)
            await client.take(20)
            assert len(client.connection.writes) == before + 1
            assert client.data == numbers(0, 19)

    async def test_to_nobody_it_is_gone(self, hub: Hub) -> None:
        await hub.publish("a", "x", transient=True)
        await publish(hub, 1, 1)
        async with asking(EventStreamResponse(hub, "a", after="earliest")) as client:
            await client.take(1)
            assert client.data == ["1"]
