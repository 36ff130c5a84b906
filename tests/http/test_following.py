"""Event streams over HTTP: where they begin, what they carry, how they end."""

from __future__ import annotations

import time

import msgspec
import pytest

from tests.asgi import asking
from tests.http.conftest import Server, serving
from tests.http.problems import problem
from tidings.events import Offset

pytestmark = pytest.mark.asyncio(loop_scope="module")


class TestFollow:
    async def test_the_answer_is_an_event_stream(self, server: Server, topic: str) -> None:
        await server.hub.log.append(topic, [("x", "1"), ("message", "two\nlines")])
        async with asking(server.app, f"/events?topic={topic}&from=earliest") as reader:
            one, two = await reader.take(2)
            assert reader.status == 200
            assert reader.headers == {
                "content-type": "text/event-stream; charset=utf-8",
                "cache-control": "no-cache, no-transform",
                "x-accel-buffering": "no",
            }
            assert (one.type, one.data, two.type, two.data) == ("x", "1", "message", "two\nlines")
            assert [one.id, two.id] == [str(e.offset) for e in (await server.hub.read(topic)).events]
            assert reader.body.startswith(b":\nretry: ")
            assert b"\r" not in reader.body

    @pytest.mark.parametrize("how", ["header", "query", "from"])
    async def test_following_goes_on_after_the_last_event(self, server: Server, topic: str, how: str) -> None:
        offsets = await server.published(topic, 5)
        path, headers = f"/events?topic={topic}", {}
        if how == "header":
            headers["last-event-id"] = offsets[1]
            path += f"&from=earliest&last_event_id={offsets[3]}"
        elif how == "query":
            path += f"&from=earliest&last_event_id={offsets[1]}"
        else:
            path += f"&from={offsets[1]}"
        async with asking(server.app, path, headers=headers) as reader:
            assert [event.data for event in await reader.take(3)] == ["3", "4", "5"]

    async def test_following_begins_at_the_tail_by_default(self, server: Server, topic: str) -> None:
        await server.published(topic)
        async with asking(server.app, f"/events?topic={topic}") as reader:
            await reader.reach(lambda: reader.body)
            await server.hub.publish(topic, "new")
            assert (await reader.take(1))[0].data == "new"

    async def test_envelopes(self, server: Server, topic: str) -> None:
        await server.hub.log.append(topic, [("x", '{"a": 1}'), ("message", "text"), ("message", "a\nb")])
        async with asking(server.app, f"/events?topic={topic}&from=earliest&envelope=true") as reader:
            events = await reader.take(3)
        stored = (await server.hub.read(topic)).events
        for event, kept, value in zip(events, stored, [{"a": 1}, "text", "a\nb"], strict=True):
            assert msgspec.json.decode(event.data) == {
                "topic": topic,
                "offset": str(kept.offset),
                "type": kept.type,
                "time": kept.time,
                "data": value,
            }
            assert event.type == kept.type

    async def test_a_single_id_restores_every_topic(self, server: Server, topic: str) -> None:
        names = [f"{topic}.{n}" for n in range(32)]
        query = "&".join(f"topic={name}" for name in names)
        seen: dict[str, list[int]] = {name: [] for name in names}
        id = ""
        rounds = 12
        for n in range(1, rounds + 1):
            for name in names[:: n % 5 + 1]:
                await server.hub.publish(name, {"n": n})
            expected = len(names[:: n % 5 + 1])
            headers = {"last-event-id": id} if id else {}
            path = f"/events?{query}&from=earliest&envelope=true"
            async with asking(server.app, path, headers=headers) as reader:
                # Each time it is cut after some, and comes back for the rest.
                events = await reader.take(expected // 2 if n < rounds else expected)
            for event in events if n == rounds else events[: max(expected // 2, 1)]:
                told = msgspec.json.decode(event.data)
                seen[told["topic"]].append(told["data"]["n"])
                id = event.id
                assert id.isascii()
                assert len(id) <= 512
        async with asking(server.app, path, headers={"last-event-id": id}) as reader:
            await server.hub.publish(names[0], {"n": 99})
            await reader.reach(lambda: any('"n":99' in event.data for event in reader.events))
            for event in reader.events:
                told = msgspec.json.decode(event.data)
                seen[told["topic"]].append(told["data"]["n"])
        for i, name in enumerate(names):
            want = [n for n in range(1, rounds + 1) if i % (n % 5 + 1) == 0] + ([99] if i == 0 else [])
            assert seen[name] == want, name

    async def test_up_to_four_topics_have_a_short_id(self, server: Server, topic: str) -> None:
        query = "&".join(f"topic={topic}.{n}" for n in range(4))
        async with asking(server.app, f"/events?{query}") as reader:
            await reader.reach(lambda: reader.body)
            await server.hub.publish(f"{topic}.1", "x")
            (event,) = await reader.take(1)
            assert len(event.id) <= 128
            assert event.id.count("~") == 3

    async def test_a_loss_is_said_in_the_stream(self, server: Server, topic: str) -> None:
        offsets = await server.published(topic)
        await server.hub.delete(topic)
        async with asking(server.app, f"/events?topic={topic}", headers={"last-event-id": offsets[1]}) as reader:
            (event,) = await reader.take(1)
            said = {"topic": topic, "reason": "deleted", "earliest": "0-1"}
            assert (event.type, msgspec.json.decode(event.data), event.id) == ("tidings.reset", said, "0-0")
            new = await server.published(topic, 1)
            assert (await reader.next()).id == new[0]
        headers = {"last-event-id": offsets[1]}
        async with asking(server.app, f"/events?topic={topic}&envelope=true", headers=headers) as reader:
            reset, event = await reader.take(2)
            said = {"topic": topic, "reason": "recreated", "earliest": new[0]}
            assert reset.type == "tidings.reset"
            envelope = msgspec.json.decode(reset.data)
            assert envelope["data"] == said
            assert abs(envelope["time"] - time.time()) < 3600, "now, and not 1970"
            assert reset.id == f"{new[0].partition('-')[0]}-0"
            assert event.id == new[0]

    async def test_the_end_and_the_way_back(self, server: Server, topic: str) -> None:
        offsets = await server.published(topic)
        async with asking(server.app, f"/events?topic={topic}&from=earliest") as reader:
            await reader.take(3)
            await server.hub.close_topic(topic)
            await reader.end()
            assert reader.clean
            assert reader.events[-1][:3] == (
                "tidings.end",
                f'{{"topic":"{topic}","offset":"{offsets[2]}"}}',
                offsets[2],
            )
        for query, headers in (("", {"last-event-id": offsets[2]}), ("", {}), (f"&from={offsets[2]}", {})):
            async with asking(server.app, f"/events?topic={topic}{query}", headers=headers) as back:
                await back.end()
                assert (back.status, back.body) == (204, b"")
        async with asking(server.app, f"/events?topic={topic}", headers={"last-event-id": offsets[0]}) as late:
            await late.end()
            assert [event.type for event in late.events] == ["message", "message", "tidings.end"]

    async def test_an_id_beyond_the_end_of_a_closed_topic_is_no_end(self, server: Server, topic: str) -> None:
        last = await server.hub.publish(topic, "x", close=True)
        path, beyond = f"/events?topic={topic}", str(Offset(last.epoch, 9))
        async with asking(server.app, path, headers={"last-event-id": beyond}) as reader:
            await reader.end()
            assert [event.type for event in reader.events] == ["tidings.reset", "message", "tidings.end"]

    async def test_some_closed_topics_are_not_the_end(self, server: Server, topic: str) -> None:
        one = await server.hub.publish(f"{topic}.a", "x", close=True)
        two = await server.hub.publish(f"{topic}.b", "x")
        path, headers = f"/events?topic={topic}.a&topic={topic}.b", {"last-event-id": f"{one}~{two}"}
        async with asking(server.app, path, headers=headers) as reader:
            (end,) = await reader.take(1)
            assert (end.type, end.id) == ("tidings.end", f"{one}~{two}")
            await server.hub.close_topic(f"{topic}.b")
            await reader.end()
            assert reader.clean
        async with asking(server.app, path, headers=headers) as reader:
            await reader.end()
            assert reader.status == 204

    @pytest.mark.parametrize(
        ("query", "status", "word"),
        [
            ("", 422, "topic"),
            ("topic=", 400, "topic"),
            ("topic=a&topic=a", 400, "twice"),
            ("&".join(f"topic=t{n}" for n in range(33)), 400, "32"),
            ("topic=a&from=nonsense", 400, "offset"),
            ("topic=a&from=", 400, "offset"),
            ("topic=a&last_event_id=nonsense", 400, "offset"),
            ("topic=a&last_event_id=E-1~E-2", 400, "2 topics"),
            ("topic=a&topic=b&last_event_id=E-1", 400, "1 topics"),
            ("topic=a&last_event_id=" + "E" * 600, 400, "512"),
            ("topic=a&last_event_id=%00", 400, "offset"),
            ("topic=a&envelope=perhaps", 422, "envelope"),
            ("topic=%FF", 400, ""),
        ],
    )
    async def test_a_parameter_that_is_wrong(self, server: Server, query: str, status: int, word: str) -> None:
        """A status, before the first byte: never a stream that is empty."""
        problem(await server.client.get(f"/events?{query}"), status, word)

    @pytest.mark.parametrize("id", [b"nonsense", b"\xff", b"E-1~E-2", b"E-1 ", b"\xc3\xa9-1", b"x" * 600])
    async def test_a_last_event_id_that_is_wrong(self, server: Server, topic: str, id: bytes) -> None:
        answer = await server.client.get(f"/events?topic={topic}", headers={b"last-event-id": id})
        problem(answer, 400)

    async def test_streams_beyond_the_limit_are_refused(self) -> None:
        async with serving(max_connections=2) as server:
            async with asking(server.app, "/events?topic=a") as one, asking(server.app, "/events?topic=a") as two:
                await one.reach(lambda: one.body)
                await two.reach(lambda: two.body)
                answer = await server.client.get("/events?topic=a")
                problem(answer, 429, "2 open streams")
                assert answer.headers["retry-after"]
            async with asking(server.app, "/events?topic=a") as again:
                await again.reach(lambda: again.body)
                assert again.status == 200
