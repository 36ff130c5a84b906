"""A reader's connection: written to by flushes while it is level, parked and caught up when it is slow."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.asgi import Client, Watched, Wired, asking
from tests.delivery.level import joined, level, numbers, publish
from tidings import Hub
from tidings.delivery.response import EventStreamResponse
from tidings.delivery.subscription import STALL, Subscription
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

    async def test_a_level_stream_has_no_task(self, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
        async with asking(EventStreamResponse(hub, "a")) as client:
            await joined(client, hub)
            (stream,) = hub.delivery.streams
            monkeypatch.setattr(Subscription, "_run", None)  # a task would fail at once
            for n in range(5):
                await publish(hub, n + 1, n + 1)
                await client.next()
            assert stream.level

    async def test_a_stream_that_has_ended_does_nothing_more(self, hub: Hub) -> None:
        """The right to read may be lost while the response begins, so that the stream has ended before it starts."""
        async with asking(EventStreamResponse(hub, "a")) as client:
            await joined(client, hub)
            (stream,) = hub.delivery.streams
        assert isinstance(stream, Subscription)
        stream.kick()
        stream.start()
        assert stream._task is None
        assert stream.visit(time.monotonic()) is None
        assert hub.delivery.streams == set()

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
    async def test_a_slow_stream_costs_a_single_write_and_no_queue(self, hub: Hub) -> None:
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

    async def test_a_stream_that_stops_and_goes_misses_nothing(self, hub: Hub) -> None:
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

    async def test_a_stream_parked_by_one_topic_is_not_written_by_another(self, hub: Hub) -> None:
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

    async def test_a_slow_stream_at_the_end_has_one_task(self, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
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

    async def test_a_stalled_stream_is_closed(self, hub: Hub, tidings_clock: Clock) -> None:
        async with asking(EventStreamResponse(hub, "a")) as client:
            await joined(client, hub)
            client.freeze()
            await publish(hub, 1, 1)
            await tidings_clock.advance(STALL - 1)
            assert not client.done
            await client.end(within=2)
            assert not client.clean
            assert hub.delivery.streams == set()

    async def test_a_stream_leaves_while_it_is_waited_for(self, hub: Hub) -> None:
        async with asking(EventStreamResponse(hub, "a")) as client:
            await joined(client, hub)
            client.freeze()
            await publish(hub, 1, 1)
            await client.reach(lambda: client.waiting)
            client.connection.leave()
            await client.end()
            assert client.connection.waiting == 0
        assert hub.delivery.streams == set()


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

    async def test_an_expired_token_ends_the_stream(self, hub: Hub, tidings_clock: Clock) -> None:
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

    async def test_a_stream_that_is_closed_is_forgotten_at_once(self, hub: Hub) -> None:
        async with asking(EventStreamResponse(hub, "a")) as client:
            await joined(client, hub)
            (stream,) = hub.delivery.streams
            stream.close()
            assert (stream.closed, hub.delivery.streams) == (True, set())
            await client.end()
            assert not client.clean

    async def test_an_ended_stream_leaves_no_trace(self, hub: Hub) -> None:
        async with asking(EventStreamResponse(hub, ["a", "b"])) as client:
            await joined(client, hub)
        live = hub.delivery.topics._live["a"]
        assert (live.readers, live.level, hub.delivery.streams) == (0, {}, set())
        await publish(hub, 1, 1)
