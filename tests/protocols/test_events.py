"""The native protocol: every endpoint and every status of it."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import msgspec
import pytest

from tests.asgi import asking
from tests.protocols.conftest import Server, serving
from tests.protocols.problems import problem
from tidings.auth import sign
from tidings.events import Offset

pytestmark = pytest.mark.asyncio(loop_scope="module")

NDJSON = {"content-type": "application/x-ndjson"}


async def published(server: Server, topic: str, count: int = 3) -> list[str]:
    """The offsets of events 1 … count."""
    done = await server.hub.append(topic, [("message", str(n)) for n in range(1, count + 1)])
    return [f"{done.last.epoch}-{n}" for n in range(done.first.n, done.last.n + 1)]


class TestPublish:
    async def test_one_event(self, server: Server, topic: str) -> None:
        answer = await server.client.post(f"/topics/{topic}/events", content="hello", params={"type": "greeting"})
        assert answer.status_code == 201
        (event,) = (await server.hub.read(topic)).events
        assert answer.json() == {"offset": str(event.offset), "first": str(event.offset), "last": str(event.offset)}
        assert (event.type, event.data) == ("greeting", "hello")

    @pytest.mark.parametrize("query", ["", "?type=a%20b", "?type=x.y", "?transient=false", "?type=é"])
    @pytest.mark.parametrize("origin", [{}, {"origin": "http://localhost"}], ids=["plain", "a page's"])
    async def test_the_plain_way_and_the_other_are_one(
        self, server: Server, topic: str, query: str, origin: dict[str, str]
    ) -> None:
        text = '{"a": "é"}\r\n\x00'
        answer = await server.client.post(f"/topics/{topic}/events{query}", content=text.encode(), headers=origin)
        assert answer.status_code == 201
        (event,) = (await server.hub.read(topic)).events
        assert event.data == text

    async def test_a_batch_is_one_commit(self, server: Server, topic: str) -> None:
        lines = [
            '{"data":"text"}',
            '{"type":"x","data":{"b" : 1}}',
            '{"data":[1, 2]}',
            '{"data":null}',
            '{"data":""}',
            '{"data":"a\\nb"}',
        ]
        answer = await server.client.post(f"/topics/{topic}/events", content="\n".join(lines) + "\n", headers=NDJSON)
        assert answer.status_code == 201
        events = (await server.hub.read(topic)).events
        assert answer.json() == {
            "offset": str(events[5].offset),
            "first": str(events[0].offset),
            "last": str(events[5].offset),
        }
        assert [(e.type, e.data) for e in events] == [
            ("message", "text"),
            ("x", '{"b" : 1}'),
            ("message", "[1, 2]"),
            ("message", "null"),
            ("message", ""),
            ("message", "a\nb"),
        ]

    @pytest.mark.parametrize(
        ("lines", "number"),
        [
            (['{"data":1}', "not json", '{"data":2}'], 2),
            (['{"data":1}', "", '{"data":1}', '{"type":"x"}'], 4),
            (['{"data":1}', '{"data":1,"type":3}'], 2),
            (["[1]"], 1),
            (['{"data":1} {"data":2}'], 1),
            (['{"data":"\\ud800"}'], 1),
            (['{"data":1,"typ":"x"}'], 1),
            (['{"data":' + "[" * 100_000 + "]" * 100_000 + "}"], 1),
        ],
    )
    async def test_a_line_that_is_wrong_is_named_and_nothing_is_stored(
        self, server: Server, topic: str, lines: list[str], number: int
    ) -> None:
        answer = await server.client.post(f"/topics/{topic}/events", content="\n".join(lines), headers=NDJSON)
        assert problem(answer, 400, f"Line {number} ")["line"] == number
        assert await server.hub.describe(topic) is None

    @pytest.mark.parametrize("lines", ["", "\n\n", "  "])
    async def test_an_empty_batch(self, server: Server, topic: str, lines: str) -> None:
        problem(await server.client.post(f"/topics/{topic}/events", content=lines, headers=NDJSON), 400, "no events")

    async def test_a_rule_broken_in_a_line_stores_none_of_them(self, server: Server, topic: str) -> None:
        lines = '{"data":1}\n{"data":2,"type":"tidings.end"}'
        problem(await server.client.post(f"/topics/{topic}/events", content=lines, headers=NDJSON), 400, "reserved")
        assert await server.hub.describe(topic) is None

    async def test_the_same_key_is_the_same_event(self, server: Server, topic: str) -> None:
        path, key = f"/topics/{topic}/events", {"idempotency-key": "k 1"}
        first = await server.client.post(path, content="x", headers=key)
        again = await server.client.post(path, content="x", headers=key)
        other = await server.client.post(path, content="x", headers={"idempotency-key": "k 2"})
        assert [first.status_code, again.status_code, other.status_code] == [201, 200, 201]
        assert again.json() == first.json() != other.json()
        assert len((await server.hub.read(topic)).events) == 2

    async def test_a_batch_with_a_key(self, server: Server, topic: str) -> None:
        path, headers = f"/topics/{topic}/events", {**NDJSON, "idempotency-key": "k"}
        first = await server.client.post(path, content='{"data":1}\n{"data":2}', headers=headers)
        again = await server.client.post(path, content='{"data":1}\n{"data":2}', headers=headers)
        assert (first.status_code, again.status_code) == (201, 200)
        assert again.json() == first.json()
        assert first.json()["first"].endswith("-1")
        assert first.json()["last"].endswith("-2")

    async def test_the_same_key_at_once_is_stored_once(self, server: Server, topic: str) -> None:
        path, key = f"/topics/{topic}/events", {"idempotency-key": "k"}
        answers = await asyncio.gather(*(server.client.post(path, content="x", headers=key) for _ in range(20)))
        assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
        assert len({answer.text for answer in answers}) == 1

    @pytest.mark.parametrize("key", ["", "x" * 201, "tab\tin", "é"])
    async def test_a_key_that_is_none(self, server: Server, topic: str, key: str) -> None:
        headers = {b"idempotency-key": key.encode()}
        problem(
            await server.client.post(f"/topics/{topic}/events", content="x", headers=headers), 400, "Idempotency-Key"
        )
        assert await server.hub.describe(topic) is None

    async def test_a_transient_event(self, server: Server, topic: str) -> None:
        path = f"/topics/{topic}/events?transient=true&type=presence"
        async with asking(server.app, f"/events?topic={topic}") as reader:
            await reader.reach(lambda: reader.body)
            await server.hub.publish(topic, "stored")
            await reader.take(1)
            assert (await server.client.post(path, content="typing")).status_code == 202
            event = await reader.next()
            assert event[:2] == ("presence", "typing")
            assert reader.body.endswith(b"event: presence\ndata: typing\n\n")
        assert len((await server.hub.read(topic)).events) == 1
        problem(await server.client.post(path, content="x", headers={"idempotency-key": "k"}), 400, "transient")
        problem(await server.client.post(f"{path}&type=tidings.end", content="x"), 400)

    async def test_a_closed_topic(self, server: Server, topic: str) -> None:
        last = await server.hub.publish(topic, "x", close=True)
        said = problem(await server.client.post(f"/topics/{topic}/events", content="x"), 409, "closed")
        assert said["tail"] == str(last)

    async def test_bytes_that_are_no_text(self, server: Server, topic: str) -> None:
        problem(await server.client.post(f"/topics/{topic}/events", content=b"ab\xff"), 400, "UTF-8", "2")
        problem(await server.client.post(f"/topics/{topic}/events", content=b'{"data":"\xff"}', headers=NDJSON), 400)
        assert await server.hub.describe(topic) is None

    async def test_json_that_is_none(self, server: Server, topic: str) -> None:
        """Who says that it is JSON is told when it is not: readers would be given a string in its place."""
        json = {"content-type": "application/json"}
        problem(await server.client.post(f"/topics/{topic}/events", content='{"a":', headers=json), 400, "JSON")
        assert await server.hub.describe(topic) is None
        assert (
            await server.client.post(f"/topics/{topic}/events", content='{"a": 1}', headers=json)
        ).status_code == 201
        assert (await server.hub.read(topic)).events[0].data == '{"a": 1}'

    @pytest.mark.parametrize("announced", [True, False])
    async def test_a_body_that_is_too_large(self, server: Server, topic: str, announced: bool) -> None:
        async def parts() -> Any:
            for _ in range(11):
                yield b"x" * (1 << 20)

        content = b"x" * (11 << 20) if announced else parts()
        problem(await server.client.post(f"/topics/{topic}/events", content=content), 413, "1,048,576")
        content = b"x" * (11 << 20) if announced else parts()
        problem(await server.client.post(f"/topics/{topic}/events", content=content, headers=NDJSON), 413)
        assert await server.hub.describe(topic) is None

    async def test_an_event_that_is_too_large_in_a_batch(self, server: Server, topic: str) -> None:
        line = msgspec.json.encode({"data": "x" * ((1 << 20) + 1)})
        problem(await server.client.post(f"/topics/{topic}/events", content=line, headers=NDJSON), 413)

    @pytest.mark.parametrize("type", ["", "a%0Ab", "a%00b", "tidings.reset", "x" * 201, "%ED%A0%80", "%FF"])
    async def test_a_type_that_is_none(self, server: Server, topic: str, type: str) -> None:
        problem(await server.client.post(f"/topics/{topic}/events?type={type}", content="x"), 400)
        assert await server.hub.describe(topic) is None

    async def test_a_rate_over_the_limit(self) -> None:
        async with serving(publish_rate=1) as server:
            statuses = [(await server.client.post("/topics/a/events", content="x")).status_code for _ in range(12)]
            assert statuses[:10] == [201] * 10
            answer = await server.client.post("/topics/a/events", content='{"data":1}\n' * 12, headers=NDJSON)
            problem(answer, 429, "1 events a second")
            assert answer.headers["retry-after"]


class TestRead:
    async def test_a_page(self, server: Server, topic: str) -> None:
        await server.hub.append(topic, [("x", '{"a": 1.50}'), ("message", "text"), ("message", '"quoted"')])
        events = (await server.hub.read(topic)).events
        answer = await server.client.get(f"/topics/{topic}/events")
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        page = answer.json()
        assert [e["data"] for e in page["events"]] == [{"a": 1.5}, "text", "quoted"]
        assert b'{"a": 1.50}' in answer.content, "numbers keep their digits"
        assert page["events"][0] == {
            "offset": str(events[0].offset),
            "type": "x",
            "time": events[0].time,
            "data": {"a": 1.5},
        }
        assert (page["next"], page["tail"]) == (str(events[2].offset),) * 2
        assert (page["earliest"], page["up_to_date"], page["closed"]) == (str(events[0].offset), True, False)

    async def test_pages_one_after_another(self, server: Server, topic: str) -> None:
        await published(server, topic, 25)
        found, after = [], ""
        while True:
            page = (await server.client.get(f"/topics/{topic}/events", params={"after": after, "limit": 10})).json()
            found += [event["data"] for event in page["events"]]
            after = page["next"]
            if page["up_to_date"]:
                break
        assert found == list(range(1, 26))

    async def test_pages_that_go_back(self, server: Server, topic: str) -> None:
        await published(server, topic, 25)
        path, found, before = f"/topics/{topic}/events", [], "tail"
        while True:
            page = (await server.client.get(path, params={"before": before, "limit": 10})).json()
            if not page["events"]:
                break
            found = [event["data"] for event in page["events"]] + found
            before = page["previous"]
        assert found == list(range(1, 26))
        assert (page["previous"], page["next"]) == (before, before), "there is no further back"
        both = await server.client.get(path, params={"before": "tail", "after": before})
        problem(both, 400, "either after an offset or before one")
        problem(await server.client.get(path, params={"before": "head"}), 400)

    async def test_what_is_gone(self, server: Server, topic: str) -> None:
        path = f"/topics/{topic}/events"
        offsets = await published(server, topic, 5)
        await server.hub.delete(topic)
        for way in ("after", "before"):
            said = problem(
                await server.client.get(path, params={way: offsets[1]}), 410, f"{way} {offsets[1]}", "deleted"
            )
            assert said["reason"] == "deleted"
        again = await published(server, topic, 2)
        said = problem(await server.client.get(path, params={"after": offsets[1]}), 410, "recreated")
        assert (said["reason"], said["earliest"]) == ("recreated", again[0])

    async def test_what_is_trimmed(self, server: Server, topic: str) -> None:
        await server.client.put(f"/topics/{topic}", json={"max_events": 5})
        for _ in range(20):
            last = await server.hub.publish(topic, "x")
        await server.hub.log.trim(topic)
        earliest = (await server.client.get(f"/topics/{topic}")).json()["earliest"]
        answer = await server.client.get(f"/topics/{topic}/events", params={"after": f"{last.epoch}-1"})
        assert problem(answer, 410, "trimmed")["earliest"] == earliest
        page = (await server.client.get(f"/topics/{topic}/events")).json()
        assert page["events"][0]["offset"] == earliest

    async def test_a_topic_that_is_not_there(self, server: Server, topic: str) -> None:
        problem(await server.client.get(f"/topics/{topic}/events"), 404, topic)

    @pytest.mark.parametrize(
        ("query", "status", "word"),
        [
            ("after=nonsense", 400, "offset"),
            ("after=a-b", 400, "offset"),
            ("after=E-01", 400, "offset"),
            ("after=0-7", 400, "offset"),
            ("after=E--1", 400, "offset"),
            ("after=E-9999999999999999999", 400, "offset"),
            ("after=%00", 400, "offset"),
            ("after=%FF", 400, ""),
            ("limit=0", 422, "limit"),
            ("limit=1001", 422, "limit"),
            ("limit=x", 422, "limit"),
            ("limit=99999999999999999999999", 422, "limit"),
            ("merge=perhaps", 422, "merge"),
        ],
    )
    async def test_a_parameter_that_is_wrong(
        self, server: Server, topic: str, query: str, status: int, word: str
    ) -> None:
        await published(server, topic)
        problem(await server.client.get(f"/topics/{topic}/events?{query}"), status, word)


class TestTopics:
    async def test_from_creation_to_deletion(self, server: Server, topic: str) -> None:
        path = f"/topics/{topic}"
        problem(await server.client.get(path), 404, topic)
        limits = {"max_age": 60, "max_events": 10, "max_bytes": 1000, "ttl": 3600}
        made = await server.client.put(path, json=limits)
        assert made.status_code == 200
        state = made.json()
        epoch = state["epoch"]
        assert state == {
            "topic": topic,
            "epoch": epoch,
            "earliest": f"{epoch}-1",
            "tail": f"{epoch}-0",
            "closed": False,
            "retention": {"max_age": 60, "max_events": 10, "max_bytes": 1000},
            "ttl": 3600,
        }
        assert (await server.client.get(path)).json() == state
        await published(server, topic)
        closed = await server.client.post(f"{path}/close")
        assert (closed.status_code, closed.json()["closed"], closed.json()["tail"]) == (200, True, f"{epoch}-3")
        assert (await server.client.post(f"{path}/close")).json() == closed.json()
        assert (await server.client.put(path, json={})).json()["retention"]["max_age"] is None
        assert (await server.client.delete(path)).status_code == 204
        assert (await server.client.delete(path)).status_code == 204
        problem(await server.client.get(path), 404)
        problem(await server.client.post(f"{path}/close"), 404)

    @pytest.mark.parametrize(
        ("body", "word"),
        [
            ('{"max_events": 0}', "max_events"),
            ('{"max_events": -1}', "max_events"),
            ('{"max_events": 1.5}', "max_events"),
            ('{"max_events": "many"}', "max_events"),
            ('{"max_events": 1e400}', "max_events"),
            ('{"max_age": NaN}', "max_age"),
            ('{"max_age": Infinity}', "max_age"),
            ('{"ttl": null, "tttl": 3}', "tttl"),
            ("[]", "body"),
            ("null", "body"),
            ("{", ""),
            ("", "body"),
            ('{"max_events": ' + "9" * 5000 + "}", ""),
            ("[" * 100_000 + "]" * 100_000, ""),
        ],
    )
    async def test_a_configuration_that_is_wrong(self, server: Server, topic: str, body: str, word: str) -> None:
        answer = await server.client.put(f"/topics/{topic}", content=body, headers={"content-type": "application/json"})
        problem(answer, answer.status_code, word)
        assert answer.status_code in (400, 422)
        assert await server.hub.describe(topic) is None

    async def test_the_list(self, server: Server, topic: str) -> None:
        for n in range(5):
            await server.hub.publish(f"{topic}.{n}", "x")
        prefix = {"prefix": f"{topic}."}
        names = [f"{topic}.{n}" for n in range(5)]
        assert (await server.client.get("/topics", params=prefix)).json() == {"topics": names}
        some = await server.client.get("/topics", params={**prefix, "after": names[1], "limit": 2})
        assert some.json() == {"topics": names[2:4]}
        assert (await server.client.get("/topics", params={"prefix": "nothing."})).json() == {"topics": []}
        problem(await server.client.get("/topics", params={"limit": 0}), 422, "limit")
        problem(await server.client.get("/topics", params={"prefix": "x" * 201}), 422, "prefix")

    @pytest.mark.parametrize("name", ["a..b", ".a", "a.", "a%20b", "%C3%A9", "a%00b", "a" * 201, "%FF", "a%0Ab", "~"])
    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", "/topics/{}"),
            ("PUT", "/topics/{}"),
            ("DELETE", "/topics/{}"),
            ("POST", "/topics/{}/close"),
            ("GET", "/topics/{}/events"),
            ("POST", "/topics/{}/events"),
            ("GET", "/events?topic={}"),
        ],
    )
    async def test_a_name_that_is_none(self, server: Server, method: str, path: str, name: str) -> None:
        problem(await server.client.request(method, path.format(name), json={}), 400)


class TestFollow:
    async def test_the_answer_is_an_event_stream(self, server: Server, topic: str) -> None:
        await server.hub.append(topic, [("x", "1"), ("message", "two\nlines")])
        async with asking(server.app, f"/events?topic={topic}&from=earliest") as reader:
            one, two = await reader.take(2)
            assert reader.status == 200
            assert reader.headers == {
                "content-type": "text/event-stream",
                "cache-control": "no-cache, no-transform",
                "x-accel-buffering": "no",
            }
            assert (one.type, one.data, two.type, two.data) == ("x", "1", "message", "two\nlines")
            assert [one.id, two.id] == [str(e.offset) for e in (await server.hub.read(topic)).events]
            assert reader.body.startswith(b":\nretry: ")
            assert b"\r" not in reader.body

    @pytest.mark.parametrize("how", ["header", "query", "from"])
    async def test_it_goes_on_after_the_last_event(self, server: Server, topic: str, how: str) -> None:
        offsets = await published(server, topic, 5)
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

    async def test_from_the_tail_unless_it_says_otherwise(self, server: Server, topic: str) -> None:
        await published(server, topic)
        async with asking(server.app, f"/events?topic={topic}") as reader:
            await reader.reach(lambda: reader.body)
            await server.hub.publish(topic, "new")
            assert (await reader.take(1))[0].data == "new"

    async def test_envelopes(self, server: Server, topic: str) -> None:
        await server.hub.append(topic, [("x", '{"a": 1}'), ("message", "text"), ("message", "a\nb")])
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

    async def test_one_id_restores_every_topic(self, server: Server, topic: str) -> None:
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
        offsets = await published(server, topic)
        await server.hub.delete(topic)
        async with asking(server.app, f"/events?topic={topic}", headers={"last-event-id": offsets[1]}) as reader:
            (event,) = await reader.take(1)
            said = {"topic": topic, "reason": "deleted", "earliest": "0-1"}
            assert (event.type, msgspec.json.decode(event.data), event.id) == ("tidings.reset", said, "0-0")
            new = await published(server, topic, 1)
            assert (await reader.next()).id == new[0]
        headers = {"last-event-id": offsets[1]}
        async with asking(server.app, f"/events?topic={topic}&envelope=true", headers=headers) as reader:
            reset, event = await reader.take(2)
            said = {"topic": topic, "reason": "recreated", "earliest": new[0]}
            assert reset.type == "tidings.reset"
            assert msgspec.json.decode(reset.data)["data"] == said
            assert reset.id == f"{new[0].partition('-')[0]}-0"
            assert event.id == new[0]

    async def test_the_end_and_the_way_back(self, server: Server, topic: str) -> None:
        offsets = await published(server, topic)
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

    async def test_too_many_streams(self) -> None:
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


SECRET = "a secret that is long enough for a test"


def token(
    name: str = "ann", publish: tuple[str, ...] = (), subscribe: tuple[str, ...] = (), seconds: float = 60
) -> dict[str, str]:
    return {"authorization": "Bearer " + sign(SECRET, name, publish=publish, subscribe=subscribe, seconds=seconds)}


class TestTokens:
    async def test_a_token_allows_what_it_says(self) -> None:
        async with serving(secret=SECRET) as server:
            ann = token(publish=("rooms.*",), subscribe=("rooms.a",))
            post = server.client.post
            answer = await post("/topics/rooms.a/events", content="x")
            problem(answer, 401)
            assert answer.headers["www-authenticate"] == "Bearer"
            assert (await post("/topics/rooms.a/events", content="x", headers=ann)).status_code == 201
            assert (await post("/topics/rooms.b/events", content="x", headers=ann)).status_code == 201
            problem(await post("/topics/other/events", content="x", headers=ann), 403, "other")
            get = server.client.get
            assert (await get("/topics/rooms.a/events", headers=ann)).status_code == 200
            for path in ("/topics/rooms.b/events", "/topics/rooms.b", "/events?topic=rooms.a&topic=rooms.b"):
                problem(await get(path, headers=ann), 403, "rooms.b")
            for path in ("/topics/rooms.a", "/events?topic=rooms.a", "/topics", "/assistants"):
                problem(await get(path), 401)
            assert (await get("/topics", headers=ann)).json() == {"topics": ["rooms.a"]}
            for method, path in (
                ("PUT", "/topics/other"),
                ("DELETE", "/topics/other"),
                ("POST", "/topics/other/close"),
            ):
                problem(await server.client.request(method, path, headers=ann, json={}), 403, "other")

    async def test_the_list_goes_on_past_what_may_not_be_seen(self) -> None:
        async with serving(secret=SECRET) as server:
            for n in range(30):
                await server.hub.publish(f"{'ab'[n % 2]}.{n:02}", "x")
            ann = token(subscribe=("b.*",))
            listed = (await server.client.get("/topics", params={"limit": 4}, headers=ann)).json()["topics"]
            assert listed == ["b.01", "b.03", "b.05", "b.07"]

    async def test_a_stream_ends_with_its_token_and_goes_on_with_another(self) -> None:
        async with serving(secret=SECRET) as server:
            # The signer's clock may be ten seconds off, and so a token lives as much longer.
            short = token(subscribe=("a",), seconds=-9.0)
            async with asking(server.app, "/events?topic=a", headers=short) as reader:
                await reader.reach(lambda: reader.body)
                await server.hub.publish("a", "1")
                await reader.take(1)
                await reader.end()
                assert reader.clean
            problem(await server.client.get("/events?topic=a", headers=short), 401, "expired")
            await server.hub.publish("a", "2")
            headers = {**token(subscribe=("a",)), "last-event-id": reader.last_event_id}
            async with asking(server.app, "/events?topic=a", headers=headers) as reader:
                assert (await reader.take(1))[0].data == "2"

    async def test_each_subject_has_its_number_of_streams(self) -> None:
        async with serving(secret=SECRET, max_connections_per_subject=1) as server:
            ann, bob = token("ann", subscribe=("*",)), token("bob", subscribe=("*",))
            async with asking(server.app, "/events?topic=a", headers=ann) as one:
                await one.reach(lambda: one.body)
                problem(await server.client.get("/events?topic=a", headers=ann), 429, "1 open streams")
                async with asking(server.app, "/events?topic=a", headers=bob) as two:
                    await two.reach(lambda: two.body)
                    assert two.status == 200


class TestOrigins:
    async def test_a_page_of_another_origin_may_not_publish(self, server: Server, topic: str) -> None:
        foreign = {"origin": "https://evil.example"}
        problem(await server.client.post(f"/topics/{topic}/events", content="x", headers=foreign), 403)
        assert await server.hub.describe(topic) is None

    async def test_a_server_without_a_key_answers_to_its_own_names_only(self, server: Server, topic: str) -> None:
        for path in (f"/topics/{topic}/events", f"/topics/{topic}/events?transient=false"):
            answer = await server.client.post(path, content="x", headers={"host": "rebound.example"})
            problem(answer, 403)

    async def test_a_preflight_allows_what_a_reader_sends(self) -> None:
        origin = "https://app.example"
        async with serving(cors_origins=origin) as server:
            asked = {
                "origin": origin,
                "access-control-request-method": "GET",
                "access-control-request-headers": "last-event-id,authorization,cache-control",
            }
            answer = await server.client.options("/events?topic=a", headers=asked)
            assert answer.status_code == 200
            assert answer.headers["access-control-allow-origin"] == origin
            assert "last-event-id" in answer.headers["access-control-allow-headers"].lower()
            for method in ("POST", "PUT", "DELETE"):
                asked |= {"access-control-request-method": method, "access-control-request-headers": "idempotency-key"}
                assert (await server.client.options("/topics/a/events", headers=asked)).status_code == 200
            answer = await server.client.post("/topics/a/events", content="x", headers={"origin": origin})
            assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (201, origin)
            async with asking(server.app, "/events?topic=a", headers={"origin": origin}) as reader:
                await reader.reach(lambda: reader.body)
                assert reader.headers["access-control-allow-origin"] == origin
            answer = await server.client.options("/events", headers={**asked, "origin": "https://evil.example"})
            assert answer.status_code == 400
            assert "access-control-allow-origin" not in answer.headers


class TestMethods:
    @pytest.mark.parametrize(
        ("method", "path", "allow"),
        [
            ("POST", "/events", {"GET"}),
            ("PATCH", "/topics/a", {"GET", "PUT", "DELETE"}),
            ("DELETE", "/topics/a/events", {"GET", "POST"}),
            ("GET", "/topics/a/close", {"POST"}),
            ("BREW", "/health", {"GET"}),
        ],
    )
    async def test_a_method_that_is_none(self, server: Server, method: str, path: str, allow: set[str]) -> None:
        answer = await server.client.request(method, path)
        problem(answer, 405, method)
        assert set(answer.headers["allow"].split(", ")) == allow

    @pytest.mark.parametrize("path", ["/nowhere", "/topics/a/b/c", "/topics/a%2Fb"])
    async def test_a_path_that_is_none(self, server: Server, path: str) -> None:
        problem(await server.client.get(path), 404)

    async def test_head_says_that_it_is_there(self, server: Server) -> None:
        for path in ("/health", "/metrics", "/"):
            answer = await server.client.head(path)
            assert answer.status_code == 200, path


async def test_time_is_when_the_log_took_it(server: Server, topic: str) -> None:
    before = time.time()
    await published(server, topic, 1)
    (event,) = (await server.client.get(f"/topics/{topic}/events")).json()["events"]
    assert before <= event["time"] <= time.time()
