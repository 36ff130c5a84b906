"""Topics and their events over HTTP: pages, heads, configuration."""

from __future__ import annotations

import time

import pytest

from tests.http.conftest import Server, WatchThreads, serving
from tests.http.problems import problem
from tidings import Hub
from tidings.access.guards import Guard
from tidings.access.subject import Subject
from tidings.http import topics as module
from tidings.log.head import Head

pytestmark = pytest.mark.asyncio(loop_scope="module")


class TestRead:
    async def test_a_page(self, server: Server, topic: str) -> None:
        await server.hub.log.append(topic, [("x", '{"a": 1.50}'), ("message", "text"), ("message", '"quoted"')])
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

    @pytest.mark.parametrize(("size", "is_large"), [(30_000, False), (35_000, True)])
    async def test_a_large_page_is_written_in_a_thread(
        self, server: Server, topic: str, threads: WatchThreads, size: int, is_large: bool
    ) -> None:
        calls = threads(module, "page_value")
        await server.hub.log.append(topic, [("x", '"' + "x" * size + '"')] * 2)
        answer = await server.client.get(f"/topics/{topic}/events")
        assert [event["data"] for event in answer.json()["events"]] == ["x" * size] * 2
        assert calls == [is_large]

    async def test_pages_one_after_another(self, server: Server, topic: str) -> None:
        await server.published(topic, 25)
        found, after = [], ""
        while True:
            page = (await server.client.get(f"/topics/{topic}/events", params={"after": after, "limit": 10})).json()
            found += [event["data"] for event in page["events"]]
            after = page["next"]
            if page["up_to_date"]:
                break
        assert found == list(range(1, 26))

    async def test_pages_that_go_back(self, server: Server, topic: str) -> None:
        await server.published(topic, 25)
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

    async def test_a_page_after_a_deletion_is_gone(self, server: Server, topic: str) -> None:
        path = f"/topics/{topic}/events"
        offsets = await server.published(topic, 5)
        await server.hub.delete(topic)
        for way in ("after", "before"):
            said = problem(
                await server.client.get(path, params={way: offsets[1]}), 410, f"{way} {offsets[1]}", "deleted"
            )
            assert said["reason"] == "deleted"
        again = await server.published(topic, 2)
        said = problem(await server.client.get(path, params={"after": offsets[1]}), 410, "recreated")
        assert (said["reason"], said["earliest"]) == ("recreated", again[0])

    async def test_a_page_after_trimmed_events_is_gone(self, server: Server, topic: str) -> None:
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
        await server.published(topic)
        problem(await server.client.get(f"/topics/{topic}/events?{query}"), status, word)


class TestTopics:
    async def test_a_topic_is_configured_closed_and_deleted(self, server: Server, topic: str) -> None:
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
        await server.published(topic)
        closed = await server.client.post(f"{path}/close")
        assert (closed.status_code, closed.json()["closed"], closed.json()["tail"]) == (200, True, f"{epoch}-3")
        assert (await server.client.post(f"{path}/close")).json() == closed.json()
        assert (await server.client.put(path, json={"max_age": None})).json()["retention"]["max_age"] is None
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
        assert answer.status_code in (400, 413, 422)
        assert await server.hub.log.describe(topic) is None

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
    async def test_a_name_that_breaks_a_rule_is_refused(
        self, server: Server, method: str, path: str, name: str
    ) -> None:
        problem(await server.client.request(method, path.format(name), json={}), 400)


async def test_time_is_when_the_log_took_it(server: Server, topic: str) -> None:
    before = time.time()
    await server.published(topic, 1)
    (event,) = (await server.client.get(f"/topics/{topic}/events")).json()["events"]
    assert before <= event["time"] <= time.time()


class TestRedact:
    async def test_the_content_goes_and_the_event_stays(self, server: Server, topic: str) -> None:
        await server.hub.publish_many(topic, [("x", "first"), ("message", '{"text": "secret"}'), ("x", "last")])
        before = (await server.client.get(f"/topics/{topic}/events")).json()["events"]
        path = f"/topics/{topic}/events/{before[1]['offset']}"
        for _ in range(2):
            answer = await server.client.delete(path)
            assert (answer.status_code, answer.content) == (204, b"")
        answer = await server.client.get(f"/topics/{topic}/events")
        assert b"secret" not in answer.content
        data = {"topic": topic, "offset": before[1]["offset"], "type": "message"}
        redacted = {**before[1], "type": "tidings.redacted", "data": data, "redacted": True}
        assert answer.json()["events"] == [before[0], redacted, before[2]]

    async def test_an_event_that_is_not_there(self, server: Server, topic: str) -> None:
        offset = (await server.hub.publish_many(topic, [("x", "1")])).last
        for text in (offset._replace(n=2), offset._replace(n=0), "other1-1", "0-0"):
            problem(await server.client.delete(f"/topics/{topic}/events/{text}"), 404, "no event")
        problem(await server.client.delete(f"/topics/nothing.here/events/{offset}"), 404, "no event")
        problem(await server.client.delete(f"/topics/{topic}/events/x"), 400, "An offset is")


class TestSettings:
    async def test_setting_one_keeps_the_other(self, server: Server, topic: str) -> None:
        async def put(**body: object) -> tuple[object, object]:
            state = (await server.client.put(f"/topics/{topic}", json=body)).json()
            return state["retention"]["max_events"], state["ttl"]

        assert await put(max_events=9) == (9, None)
        assert await put(ttl=60) == (9, 60)
        assert await put() == (9, 60)
        assert await put(max_bytes=1000) == (None, 60)
        assert await put(max_events=5, ttl=None) == (5, None)


class Slow(Guard):
    """A guard that lets another request delete and create the topic again while it decides about it."""

    def __init__(self, hub: Hub, when: str) -> None:
        self._hub = hub
        self._when = when

    async def manage(self, subject: Subject, topic: str) -> None:
        await self._race(topic, "manage")

    async def deleting(self, topic: str, head: Head) -> None:
        await self._race(topic, "deleting")

    async def _race(self, topic: str, now: str) -> None:
        if now == self._when:
            await self._hub.delete(topic)
            await self._hub.publish(topic, "another life")


@pytest.mark.parametrize("when", ["manage", "deleting"])
async def test_a_change_that_was_allowed_in_one_life_does_not_happen_in_the_next(when: str) -> None:
    async with serving() as server:
        server.app.access.guards["slow"] = Slow(server.hub, when)  # type: ignore[attr-defined]
        requests = {"DELETE": "/topics/slow.a", "POST": "/topics/slow.a/close", "PUT": "/topics/slow.a"}
        for method, path in requests.items():
            if when == "deleting" and method != "DELETE":
                continue
            await server.hub.publish("slow.a", "one life")
            answer = await server.client.request(method, path, json={"ttl": 60})
            assert problem(answer, 409)["topic" if method != "PUT" else "title"] in ("slow.a", "Conflict")
            head = await server.hub.describe("slow.a")
            assert (head.tail.n, head.closed, head.ttl) == (1, False, None)


async def test_a_topic_that_begins_while_its_deletion_is_decided_stays() -> None:
    async with serving() as server:
        server.app.access.guards["slow"] = Slow(server.hub, "manage")  # type: ignore[attr-defined]
        assert (await server.client.delete("/topics/slow.a")).status_code == 204
        assert (await server.hub.describe("slow.a")).tail.n == 1
