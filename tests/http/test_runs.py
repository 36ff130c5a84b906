"""Runs over HTTP: start, follow, stop, from one request and another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from tests.asgi import Client, asking
from tests.http.conftest import Server, serving
from tests.http.problems import problem
from tidings import Assistant, create_app
from tidings.access.names import topics_of
from tidings.access.subject import PERSON
from tidings.access.tokens import sign
from tidings.apps.processes.service import OWN

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOBODY = "01JD9W3K5T8Q2R7V4X6Y9Z0ABC"


async def start(server: Server, **body: Any) -> str:
    """The id of a new run."""
    answer = await server.client.post("/runs", json=body)
    assert answer.status_code == 201, answer.text
    run: str = answer.json()["run"]
    return run


async def follow(server: Server, run: str, query: str = "", headers: dict[str, str] | None = None) -> Client:
    """A run's events, to its end."""
    async with asking(server.app, f"/runs/{run}/events{query}", headers=headers) as client:
        await client.end()
    return client


def types(client: Client) -> list[str]:
    return [event.type for event in client.events]


def text(client: Client) -> str:
    deltas = [msgspec.json.decode(event.data) for event in client.events if event.type == "block.delta"]
    return "".join(delta["delta"] for delta in deltas)


class TestStart:
    async def test_the_server_prints_its_url(self, server: Server) -> None:
        answer = await server.client.post("/runs", json={"input": "Hello|, world"})
        assert answer.status_code == 201
        run = answer.json()["run"]
        assert answer.json() == {"run": run, "topic": f"runs.{run}", "events": f"/runs/{run}/events"}
        assert answer.headers["location"] == f"/runs/{run}"
        client = await follow(server, run)
        assert text(client) == "Hello, world"
        assert types(client)[0] == "run.started"
        assert types(client)[-2:] == ["run.finished", "tidings.end"]
        assert client.clean

    async def test_messages_are_a_conversation(self, server: Server) -> None:
        messages = [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "one"},
            {"role": "assistant", "content": "two"},
            {"role": "user", "content": "three"},
        ]
        assert text(await follow(server, await start(server, messages=messages))) == "three"

    async def test_a_run_is_announced_before_the_model_is_asked(self, server: Server, topic: str) -> None:
        before = server.script.calls
        run = await start(server, input="hi", topic=topic, assistant="echo")
        (event,) = (await server.hub.read(topic)).events
        assert event.type == "run.created"
        told = msgspec.json.decode(event.data)
        assert (told["run"], told["input"], told["assistant"]) == (run, "hi", "echo")
        await follow(server, run)
        assert server.script.calls == before + 1

    async def test_a_run_is_a_case_of_the_server_s_own_process(self, server: Server) -> None:
        run = await start(server, input="hi", assistant="echo")
        done: list[str] = []
        async with asyncio.timeout(60):
            async for event in server.hub.subscribe(OWN, "earliest"):
                if (step := event.json())["case"] == run:
                    done.append(step["activity"])
                if done[-1:] == ["answered"]:
                    break
        assert done == ["asked", "first token", "answered"]
        problem(await server.client.post(f"/topics/{OWN}/events", json=step), 403, "nobody else")

    async def test_the_same_key_is_the_same_run(self, server: Server) -> None:
        before, key = server.script.calls, {"idempotency-key": "k 1"}
        first = await server.client.post("/runs", json={"input": "hi"}, headers=key)
        again = await server.client.post("/runs", json={"input": "hi"}, headers=key)
        assert (first.status_code, again.status_code) == (201, 200)
        assert again.json() == first.json()
        assert again.headers["location"] == first.headers["location"]
        await follow(server, first.json()["run"])
        assert server.script.calls == before + 1

    @pytest.mark.parametrize(
        ("body", "status", "word"),
        [
            ({}, 400, "`input` or `messages`"),
            ({"input": "a", "messages": [{"role": "user", "content": "b"}]}, 400, "`input` or `messages`"),
            ({"input": ""}, 422, "input"),
            ({"input": "  "}, 400, "question"),
            ({"input": 3}, 422, "input"),
            ({"input": "x" * ((1 << 18) + 1)}, 422, "input"),
            ({"messages": []}, 422, "messages"),
            ({"messages": [{"role": "assistant", "content": "b"}]}, 400, "`user`"),
            ({"messages": [{"role": "tool", "content": "b"}]}, 422, "role"),
            ({"messages": [{"role": "user"}]}, 422, "content"),
            ({"messages": [{"role": "user", "content": "a", "name": "x"}]}, 422, "name"),
            ({"input": "a", "assistant": "nobody"}, 404, "nobody"),
            ({"input": "a", "topic": "not a topic"}, 400, "topic"),
            ({"input": "a", "unknown": 1}, 422, "unknown"),
            ([], 422, "body"),
        ],
    )
    async def test_a_request_that_is_wrong_calls_no_model(
        self, server: Server, body: Any, status: int, word: str
    ) -> None:
        before, topics = server.script.calls, await server.hub.topics("runs.")
        problem(await server.client.post("/runs", json=body), status, word)
        assert (server.script.calls, await server.hub.topics("runs.")) == (before, topics)

    @pytest.mark.parametrize("content", [b"", b"{", b"\xff", b'{"input":"\\ud800"}', b"[" * 20_000])
    async def test_a_body_that_is_no_json(self, server: Server, content: bytes) -> None:
        before, json = server.script.calls, {"content-type": "application/json"}
        answer = await server.client.post("/runs", content=content, headers=json)
        problem(answer, answer.status_code)
        assert answer.status_code in (400, 422)
        assert server.script.calls == before

    async def test_a_body_over_the_limit_of_the_settings_calls_no_model(self) -> None:
        async with serving(max_body=20_000) as server:
            body = {"input": "x" * 20_001}
            problem(await server.client.post("/runs", json=body), 413, "at most 20,000 bytes")
            assert server.script.calls == 0
            assert (await server.client.post("/runs", json={"input": "x" * 19_900})).status_code == 201

    async def test_only_an_announcement_that_is_made_counts_as_a_topic(self) -> None:
        async with serving(secret=SECRET, limit_topics=2) as server:
            topics = topics_of("Ann")
            token = sign(SECRET, "Ann", publish=topics, subscribe=topics, seconds=60, limits=PERSON)
            ann = {"authorization": f"Bearer {token}"}

            async def ask(topic: str, **more: str) -> httpx.Response:
                body = {"input": "a", "topic": topic, **more}
                return await server.client.post("/runs", json=body, headers=ann)

            for _ in range(3):
                problem(await ask("rooms.none"), 404)
                problem(await ask("conversations.a", assistant="nobody"), 404)
            await server.hub.log.append("conversations.b", [("m", "x")], owner="Bob")
            problem(await ask("conversations.b"), 403)
            assert (await ask("conversations.a")).status_code == 201
            assert (await ask("conversations.a")).status_code == 201
            problem(await ask("conversations.c", parent=NOBODY), 404)
            problem(await ask("conversations.d"), 429, "create 2 topics")
            assert (await ask("conversations.a")).status_code == 201

    async def test_a_conversation_that_is_closed(self, server: Server, topic: str) -> None:
        before = server.script.calls
        await server.hub.publish(topic, "x", close=True)
        problem(await server.client.post("/runs", json={"input": "a", "topic": topic}), 409, "closed")
        assert server.script.calls == before


class TestFollow:
    async def test_a_run_is_read_from_its_first_event_by_default(self, server: Server) -> None:
        run = await start(server, input="hi")
        whole = await follow(server, run)
        id = whole.events[2].id
        for query, headers in ((f"?from={id}", {}), (f"?last_event_id={id}", {}), ("", {"last-event-id": id})):
            assert types(await follow(server, run, query, headers)) == types(whole)[3:]
        for query, headers in (("", {"last-event-id": whole.last_event_id}), ("?from=tail", {})):
            assert (await follow(server, run, query, headers)).status == 204

    async def test_two_readers_of_one_answer(self, server: Server) -> None:
        server.script.go.clear()
        before = server.script.calls
        run = await start(server, input="one |!wait|two")
        async with (
            asking(server.app, f"/runs/{run}/events") as one,
            asking(server.app, f"/runs/{run}/events?envelope=true") as two,
        ):
            await one.reach(lambda: text(one) == "one ")
            server.script.go.set()
            await one.end()
            await two.end()
        assert text(one) == "one two"
        assert [msgspec.json.decode(event.data)["type"] for event in two.events] == types(one)
        assert server.script.calls == before + 1

    async def test_a_late_reader_gets_the_text_so_far_in_one_event(self, server: Server) -> None:
        server.script.go.clear()
        run = await start(server, input="|!wait|".join("abc"))
        server.script.go.set()
        client = await follow(server, run)
        again = await follow(server, run)
        assert text(client) == text(again) == "abc"
        assert types(again).count("block.delta") == 1
        ids = [event.id for event in client.events]
        assert ids == sorted(ids, key=lambda id: int(id.rpartition("-")[2]))
        page = (await server.client.get(f"/topics/runs.{run}/events?merge=true")).json()
        assert [event["type"] for event in page["events"]] == types(again)[:-1]

    async def test_nobody(self, server: Server) -> None:
        for path in (f"/runs/{NOBODY}", f"/runs/{NOBODY}/events", f"/topics/runs.{NOBODY}"):
            problem(await server.client.get(path), 404, NOBODY)
        problem(await server.client.post(f"/runs/{NOBODY}/stop"), 404, NOBODY)

    @pytest.mark.parametrize("run", ["a b", "x" * 65, "%00", "a.b", "%FF", "é"])
    async def test_an_id_of_a_run_that_breaks_a_rule_is_refused(self, server: Server, run: str) -> None:
        for method, path in (("GET", f"/runs/{run}"), ("GET", f"/runs/{run}/events"), ("POST", f"/runs/{run}/stop")):
            answer = await server.client.request(method, path)
            problem(answer, answer.status_code)
            assert answer.status_code in (400, 404, 422)

    async def test_an_offset_that_is_wrong(self, server: Server) -> None:
        run = await start(server, input="hi")
        problem(await server.client.get(f"/runs/{run}/events?from=x"), 400, "offset")
        problem(await server.client.get(f"/runs/{run}/events", headers={"last-event-id": "x"}), 400, "offset")


class TestState:
    async def test_finished(self, server: Server) -> None:
        run = await start(server, input="hi")
        client = await follow(server, run)
        state = (await server.client.get(f"/runs/{run}")).json()
        assert (state["run"], state["topic"], state["state"], state["outcome"]) == (
            run,
            f"runs.{run}",
            "finished",
            "success",
        )
        assert state["offset"] == client.last_event_id
        assert state["started"] <= state["ended"]

    async def test_failed_says_what_is_safe_to_say(self, server: Server) -> None:
        run = await start(server, input="some|!fail")
        client = await follow(server, run)
        assert types(client)[-2:] == ["run.failed", "tidings.end"]
        assert "secret" not in client.body.decode()
        answer = await server.client.get(f"/runs/{run}")
        assert answer.json()["state"] == "failed"
        assert "secret" not in answer.text

    async def test_stopped_keeps_what_there_is(self, server: Server) -> None:
        server.script.go.clear()
        run = await start(server, input="half |!wait|an answer")
        async with asking(server.app, f"/runs/{run}/events") as client:
            await client.reach(lambda: text(client) == "half ")
            assert (await server.client.get(f"/runs/{run}")).json()["state"] == "running"
            stops = [await server.client.post(f"/runs/{run}/stop") for _ in range(3)]
            assert [stop.status_code for stop in stops] == [202] * 3
            await client.end()
        assert types(client).count("run.finished") == 1
        state = (await server.client.get(f"/runs/{run}")).json()
        assert (state["state"], state["outcome"]) == ("cancelled", "cancelled")
        assert text(client) == "half "
        assert (await server.client.post(f"/runs/{run}/stop")).status_code == 202

    async def test_cut_by_a_deploy_is_interrupted(self) -> None:
        async with serving() as server:
            run = await start(server, input="half |!wait|an answer")
            async with asking(server.app, f"/runs/{run}/events") as client:
                await client.reach(lambda: text(client) == "half ")
                server.hub.drain()
                await client.end()
                assert not client.clean, "a clean end would look like an answer that is complete"
            problem(await server.client.post("/runs", json={"input": "x"}), 503)
            await server.hub.runs.close()
            assert (await server.client.get(f"/runs/{run}")).json()["state"] == "interrupted"


SECRET = "a secret that is long enough for a test"


async def test_permissions_on_runs_follow_the_token() -> None:
    async with serving(secret=SECRET) as server:

        def headers(publish: tuple[str, ...], subscribe: tuple[str, ...]) -> dict[str, str]:
            made = sign(SECRET, "ann", publish=publish, subscribe=subscribe, seconds=60)
            return {"authorization": f"Bearer {made}"}

        asks = headers(("runs.*", "chat.a"), ("runs.*",))
        reads = headers((), ("runs.*",))
        post, get = server.client.post, server.client.get
        problem(await post("/runs", json={"input": "x"}), 401)
        problem(await post("/runs", json={"input": "x"}, headers=reads), 403)
        problem(await post("/runs", json={"input": "x", "topic": "chat.b"}, headers=asks), 403, "chat.b")
        answer = await post("/runs", json={"input": "x", "topic": "chat.a"}, headers=asks)
        assert answer.status_code == 201
        run = answer.json()["run"]
        problem(await get(f"/runs/{run}"), 401)
        problem(await get(f"/runs/{run}/events", headers=headers(("*",), ())), 403)
        problem(await post(f"/runs/{run}/stop", headers=reads), 403)
        assert (await get(f"/runs/{run}", headers=reads)).status_code == 200
        problem(await get(f"/runs/{NOBODY}"), 401)
        (event,) = (await server.hub.read("chat.a")).events
        assert msgspec.json.decode(event.data)["by"] == "ann"
        keyed = {"idempotency-key": "k"}
        mine = await post("/runs", json={"input": "x"}, headers={**asks, **keyed})
        other = sign(SECRET, "bob", publish=("runs.*",), subscribe=(), seconds=60)
        theirs = await post("/runs", json={"input": "x"}, headers={"authorization": f"Bearer {other}", **keyed})
        assert mine.json()["run"] != theirs.json()["run"], "a key is its subject's"


async def test_assistants(server: Server) -> None:
    answer: httpx.Response = await server.client.get("/assistants")
    assert answer.json() == {
        "assistants": [
            {
                "name": "echo",
                "title": "Echo",
                "model": None,
                "description": "It says what it is told.",
                "prompts": ["hello"],
                "default": True,
                "icon": "",
                "picture": None,
                "files": "text",
            }
        ]
    }


async def test_the_picture_of_an_assistant_is_served_alone_and_can_do_nothing(tmp_path: Path) -> None:
    svg = tmp_path / "icon.svg"
    svg.write_text('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')
    (tmp_path / "secret.svg").write_text("<svg></svg>")

    async def words(_: Any) -> AsyncIterator[str]:
        yield "words"

    picture = await asyncio.to_thread(Assistant, words, icon=svg)
    offered = {"a": picture, "b": Assistant(words, icon="B")}
    app = await asyncio.to_thread(partial(create_app, assistants=offered, store="memory:"))
    transport = httpx.ASGITransport(app, root_path="/live")
    client = httpx.AsyncClient(transport=transport, base_url="http://localhost")
    async with app.router.lifespan_context(app), client:
        first, second = (await client.get("/assistants")).json()["assistants"]
        assert (second["icon"], second["picture"]) == ("B", None)
        assert first["icon"] == ""
        path = first["picture"].removeprefix("/live")
        answer = await client.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
        assert answer.headers["content-security-policy"] == "default-src 'none'; style-src 'unsafe-inline'; sandbox"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "immutable" in answer.headers["cache-control"]
        digest = path.rpartition("/")[2]
        for other in ("0" * 16, "../secret.svg", "..%2fsecret.svg", "%2e%2e/icon.svg"):
            assert (await client.get(f"/assistants/a/icon/{other}")).status_code in (404, 422, 400), other
        for name in ("b", "c", "..", "a%2f.."):
            assert (await client.get(f"/assistants/{name}/icon/{digest}")).status_code in (404, 422, 400), name
