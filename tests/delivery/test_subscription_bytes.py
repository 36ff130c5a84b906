"""A reader's bytes: through the `send` of other servers, in any format, in silence, and of transient events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.asgi import Client, Watched, Wired, asking
from tests.delivery.level import joined, numbers, publish
from tidings import Hub
from tidings.delivery.response import EventStreamResponse
from tidings.delivery.subscription import LARGE
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


class Bare(Format):
    """A format for clients that would show comments and reconnection times."""

    comments = False


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


class Filling(Wired):
    """A connection whose buffer is full once it has a large body."""

    def write(self, body: bytes) -> None:
        super().write(body)
        if len(body) > LARGE:
            self.freeze()


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

    async def test_a_send_that_needs_a_task_gets_one(self, hub: Hub) -> None:
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

    async def test_a_send_that_always_waits_loses_nothing(self, hub: Hub) -> None:
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
    async def test_a_failing_send_ends_its_reader_and_no_other(
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

    async def test_a_slow_reader_gets_no_transient_events(self, hub: Hub, tidings_clock: Clock) -> None:
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

    @pytest.mark.parametrize("sink", ["connection"], indirect=True)
    @pytest.mark.parametrize("after", ["tail", "earliest"])
    async def test_a_large_event_that_fills_a_connection_is_counted(
        self, hub: Hub, monkeypatch: pytest.MonkeyPatch, after: str
    ) -> None:
        monkeypatch.setattr(Client, "connects", Filling)
        await publish(hub, 1, 1)
        if after == "earliest":
            await hub.publish("a", "x" * (LARGE + 1))
        async with asking(EventStreamResponse(hub, "a", after, format=Bare())) as client:
            if after == "tail":
                await joined(client, hub)
                await hub.publish("a", "x" * (LARGE + 1))
            await client.reach(lambda: client.connection.frozen)
            assert hub.delivery.counts().write_bytes > LARGE
            client.thaw()
            await client.take(1 if after == "tail" else 2)
            await publish(hub, 2, 2)
            await client.take(1)
            await joined(client, hub)
            assert hub.delivery.counts().write_bytes == 0

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

    @pytest.mark.parametrize(("notices", "types"), [(True, ["tidings.end", "message"]), (False, ["message"])])
    async def test_the_reconnection_time_stands_in_the_first_event_that_is_written(
        self, notices: bool, types: list[str]
    ) -> None:
        form = Format(notices=notices)
        async with (
            Hub("memory:", retry=(2.0, 2.0)) as hub,
            asking(EventStreamResponse(hub, ["a", "b"], format=form)) as client,
        ):
            await hub.configure("a", ttl=60)
            await joined(client, hub)
            await hub.close_topic("a")
            await hub.publish("b", "1")
            await client.take(len(types))
            assert [event.type for event in client.events] == types
            assert [event.retry for event in client.events] == [2000, *[None] * (len(types) - 1)]
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
    async def test_a_transient_event_reaches_connected_readers_and_is_never_stored(self, hub: Hub) -> None:
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
