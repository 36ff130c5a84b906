"""Publishing over HTTP: one event, a batch, and every way to refuse them."""

from __future__ import annotations

import asyncio
import itertools
import json
from typing import Any

import msgspec
import pytest

from tests.asgi import asking
from tests.http.conftest import Server, WatchThreads, serving
from tests.http.problems import problem
from tidings import slices
from tidings.errors import InvalidRequest, TooLarge
from tidings.http import publish as module
from tidings.http.publish import PART, Sizes, parse_lines

pytestmark = pytest.mark.asyncio(loop_scope="module")

NDJSON = {"content-type": "application/x-ndjson"}


class TestPublish:
    async def test_a_single_event_is_published(self, server: Server, topic: str) -> None:
        answer = await server.client.post(f"/topics/{topic}/events", content="hello", params={"type": "greeting"})
        assert answer.status_code == 201
        (event,) = (await server.hub.read(topic)).events
        assert answer.json() == {"offset": str(event.offset), "first": str(event.offset), "last": str(event.offset)}
        assert (event.type, event.data) == ("greeting", "hello")

    @pytest.mark.parametrize("query", ["", "?type=a%20b", "?type=x.y", "?transient=false", "?type=é"])
    @pytest.mark.parametrize("origin", [{}, {"origin": "http://localhost"}], ids=["a program", "a page"])
    async def test_a_program_and_a_page_publish_alike(
        self, server: Server, topic: str, query: str, origin: dict[str, str]
    ) -> None:
        text = '{"a": "é"}\r\n\x00'
        answer = await server.client.post(f"/topics/{topic}/events{query}", content=text.encode(), headers=origin)
        assert answer.status_code == 201
        (event,) = (await server.hub.read(topic)).events
        assert event.data == text

    @pytest.mark.parametrize(("size", "is_large"), [(60_000, False), (70_000, True)])
    async def test_large_json_is_read_in_a_thread(
        self, server: Server, topic: str, threads: WatchThreads, size: int, is_large: bool
    ) -> None:
        calls, text = threads(module, "check_nesting"), json.dumps(["x" * size])
        for content, kind in ((text, "application/json"), (f'{{"data":1}}\n{{"data":{text}}}', "application/x-ndjson")):
            headers = {"content-type": kind}
            answer = await server.client.post(f"/topics/{topic}/events", content=content, headers=headers)
            assert answer.status_code == 201
        assert calls == [is_large, is_large, is_large]
        assert [event.data for event in (await server.hub.read(topic)).events] == [text, "1", text]

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
        assert await server.hub.log.describe(topic) is None

    @pytest.mark.parametrize("lines", ["", "\n\n", "  "])
    async def test_an_empty_batch(self, server: Server, topic: str, lines: str) -> None:
        problem(await server.client.post(f"/topics/{topic}/events", content=lines, headers=NDJSON), 400, "no events")

    async def test_a_rule_broken_in_a_line_stores_none_of_them(self, server: Server, topic: str) -> None:
        lines = '{"data":1}\n{"data":2,"type":"tidings.end"}'
        problem(await server.client.post(f"/topics/{topic}/events", content=lines, headers=NDJSON), 400, "reserved")
        assert await server.hub.log.describe(topic) is None

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
    async def test_a_key_that_breaks_a_rule_is_refused(self, server: Server, topic: str, key: str) -> None:
        headers = {b"idempotency-key": key.encode()}
        problem(
            await server.client.post(f"/topics/{topic}/events", content="x", headers=headers), 400, "Idempotency-Key"
        )
        assert await server.hub.log.describe(topic) is None

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
        problem(await server.client.post(path.replace("presence", "tidings.end"), content="x"), 400)

    @pytest.mark.usefixtures("slow")
    async def test_a_batch_of_transient_events(self, server: Server, topic: str) -> None:
        path, count = f"/topics/{topic}/events?transient=true", 501
        async with asking(server.app, f"/events?topic={topic}") as reader:
            await reader.reach(lambda: reader.body)
            lines = "".join(f'{{"data":{n}}}\n' for n in range(count))
            assert (await server.client.post(path, content=lines, headers=NDJSON)).status_code == 202
            assert [event.data for event in await reader.take(count)] == [str(n) for n in range(count)]
        assert await server.hub.log.describe(topic) is None

    async def test_a_condition_that_is_met_or_not(self, server: Server, topic: str) -> None:
        path = f"/topics/{topic}/events?expected="
        first = (await server.client.post(path + "new", content="1")).json()["last"]
        epoch = first.partition("-")[0]
        assert (await server.client.post(path + first, content="2")).status_code == 201
        assert (await server.client.post(path + epoch, content="3")).status_code == 201
        for wrong in ("new", first, "A" + epoch[1:] if epoch[0] != "A" else "B" + epoch[1:]):
            problem(await server.client.post(path + wrong, content="4"), 409)
        for rubbish in ("a.b", "x" * 17, "é", "a-b", "-"):
            problem(await server.client.post(path + rubbish, content="4"), 400)
        assert [event.data for event in (await server.hub.read(topic)).events] == ["1", "2", "3"]

    async def test_the_last_event_closes_the_topic(self, server: Server, topic: str) -> None:
        path = f"/topics/{topic}/events?close=true"
        assert (await server.client.post(path, content="the end")).status_code == 201
        problem(await server.client.post(path, content="more"), 409, "closed")

    @pytest.mark.parametrize("query", ["expected=new", "expected=0-0"])
    async def test_an_app_decides_about_its_topics_itself(self, server: Server, query: str) -> None:
        answer = await server.client.post(f"/topics/rooms.nowhere/events?{query}", content="x")
        problem(answer, 400, "Events of an app")

    async def test_a_closed_topic(self, server: Server, topic: str) -> None:
        last = await server.hub.publish(topic, "x", close=True)
        said = problem(await server.client.post(f"/topics/{topic}/events", content="x"), 409, "closed")
        assert said["tail"] == str(last)

    async def test_bytes_that_are_no_text(self, server: Server, topic: str) -> None:
        problem(await server.client.post(f"/topics/{topic}/events", content=b"ab\xff"), 400, "UTF-8", "2")
        problem(await server.client.post(f"/topics/{topic}/events", content=b'{"data":"\xff"}', headers=NDJSON), 400)
        assert await server.hub.log.describe(topic) is None

    async def test_text_that_is_not_json_is_refused(self, server: Server, topic: str) -> None:
        """Refuse a body that its type calls JSON and that is not: readers would be given a string in its place."""
        json = {"content-type": "application/json"}
        problem(await server.client.post(f"/topics/{topic}/events", content='{"a":', headers=json), 400, "JSON")
        deep = "[" * 100_000 + "]" * 100_000
        problem(await server.client.post(f"/topics/{topic}/events", content=deep, headers=json), 400, "too deeply")
        assert await server.hub.log.describe(topic) is None
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
        assert await server.hub.log.describe(topic) is None

    async def test_an_event_that_is_too_large_in_a_batch(self, server: Server, topic: str) -> None:
        line = msgspec.json.encode({"data": "x" * ((1 << 20) + 1)})
        problem(await server.client.post(f"/topics/{topic}/events", content=line, headers=NDJSON), 413)

    async def test_a_batch_of_too_many_lines(self, server: Server, topic: str) -> None:
        most = Sizes().lines
        answer = await server.client.post(f"/topics/{topic}/events", content="\n" * (most + 1), headers=NDJSON)
        assert problem(answer, 413, f"{most:,} lines")["limit"] == most

    @pytest.mark.parametrize("type", ["", "a%0Ab", "a%00b", "tidings.reset", "x" * 201, "%ED%A0%80", "%FF"])
    async def test_a_type_that_breaks_a_rule_is_refused(self, server: Server, topic: str, type: str) -> None:
        problem(await server.client.post(f"/topics/{topic}/events?type={type}", content="x"), 400)
        assert await server.hub.log.describe(topic) is None

    async def test_a_rate_over_the_limit(self) -> None:
        async with serving(limit_publishes=10) as server:
            ann = {"cookie": "tidings_name=Ann"}
            for _ in range(10):
                answer = await server.client.post("/topics/a/events", content="x", headers=ann)
                assert answer.status_code == 201
            answer = await server.client.post("/topics/a/events", content='{"data":1}\n' * 10, headers=NDJSON | ann)
            said = problem(answer, 429, "10 events in 10 seconds")
            assert answer.headers["retry-after"] == str(said["retry_after"])
            answer = await server.client.post("/topics/a/events", content='{"data":1}\n' * 11, headers=NDJSON | ann)
            problem(answer, 413, "10 events in 10 seconds")
            answer = await server.client.post("/topics/a/events", content='{"data":1}\n' * 11, headers=NDJSON)
            assert answer.status_code == 201

    async def test_topics_over_the_limit(self) -> None:
        async with serving(limit_topics=2) as server:
            ann = {"cookie": "tidings_name=Ann"}
            for name in ("a", "b"):
                assert (await server.client.post(f"/topics/{name}/events", content="x", headers=ann)).status_code == 201
            problem(await server.client.post("/topics/c/events", content="x", headers=ann), 429, "2 topics in a day")
            assert (await server.client.post("/topics/a/events", content="x", headers=ann)).status_code == 201
            assert await server.hub.log.describe("c") is None


class Turns:
    """Counts the turns that another task has."""

    def __init__(self) -> None:
        self.count = 0

    async def __aenter__(self) -> Turns:
        self._counting = asyncio.create_task(self._run())
        await asyncio.sleep(0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._counting.cancel()

    async def _run(self) -> None:
        while True:
            self.count += 1
            await asyncio.sleep(0)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each look at the clock find the time of a slice over."""
    times = itertools.count()
    monkeypatch.setattr(slices, "monotonic", lambda: next(times))


@pytest.mark.usefixtures("slow")
async def test_other_tasks_have_a_turn_after_each_part_of_a_batch() -> None:
    line = b'{"data":1}\n'
    lines = 8 * PART // len(line)
    async with Turns() as turns:
        assert len(await parse_lines(line * lines, lines)) == lines
        assert turns.count == 1 + 8 + 8  # the lines are counted first


@pytest.mark.usefixtures("slow")
async def test_a_long_line_has_a_turn_of_its_own() -> None:
    line = b'{"data":"' + b"x" * 2 * PART + b'"}\n'
    async with Turns() as turns:
        assert len(await parse_lines(line * 5, 5)) == 5
        assert turns.count == 1 + 11 + 5


@pytest.mark.usefixtures("slow")
async def test_a_batch_of_too_many_lines_is_not_counted_to_its_end() -> None:
    async with Turns() as turns:
        with pytest.raises(TooLarge, match="at most 9 lines"):
            await parse_lines(b"\n" * 80 * PART, 9)
        assert turns.count == 1


@pytest.mark.parametrize("size", [1, PART // 3, PART - 12, PART - 11, PART, 3 * PART])
async def test_the_lines_of_all_parts_are_numbered_on(size: int) -> None:
    line = b'{"data":"' + b"x" * size + b'"}'
    body = b"\n\n".join([line] * 40)
    assert await parse_lines(body, 99) == [("message", "x" * size)] * 40
    with pytest.raises(InvalidRequest, match="Line 81 is not an event") as refused:
        await parse_lines(body + b"\n\nwrong", 99)
    assert refused.value.members == {"line": 81}


@pytest.mark.parametrize(
    "line",
    [
        b'{"data":1,"data":2}',
        b'{"data":1,"data":1}',
        b'{"type":"a","type":"b","data":1}',
        b'{"data":"type","type":"a","data":"type"}',
        b'{"type" : "x", "data" : {"type":1} , "data":{"type":1}}',
        b'{"data":1,"\\u0064ata":2}',
        b'{"type":"a\\"","type":"a\\"","data":"\\""}',
    ],
)
async def test_a_line_that_has_a_member_twice_is_refused(line: bytes) -> None:
    with pytest.raises(InvalidRequest, match="Line 2 is not an event: it has a member twice"):
        await parse_lines(b'{"data":1}\n' + line, 9)


@pytest.mark.parametrize(
    "data", ["type", "data", {"type": {"data": "type"}}, [{"data": 1}, {"data": 2}], 'a "data" \\', "", " x "]
)
@pytest.mark.parametrize("type", [None, "data", "type", 'a "type" \\', "data data", "ä"])
@pytest.mark.parametrize("indent", [False, True])
async def test_words_in_a_line_are_no_members(type: str | None, data: Any, indent: bool) -> None:
    event = {"type": type, "data": data} if type else {"data": data}
    line = json.dumps(event, separators=(" , ", " : ")) if indent else json.dumps(event, separators=(",", ":"))
    ((kind, text),) = await parse_lines(line.encode(), 9)
    assert kind == (type or "message")
    assert text == data if isinstance(data, str) else json.loads(text) == data
