"""Tokens, origins and methods: who may do what by the native protocol."""

from __future__ import annotations

import asyncio

import pytest

from tests.apps.test_projection import Counting
from tests.asgi import asking
from tests.http.conftest import Server, serving
from tests.http.problems import problem
from tidings.access.tokens import sign

pytestmark = pytest.mark.asyncio(loop_scope="module")


SECRET = "a secret that is long enough for a test"


def token(
    name: str = "ann", publish: tuple[str, ...] = (), subscribe: tuple[str, ...] = (), seconds: float = 60
) -> dict[str, str]:
    return {"authorization": "Bearer " + sign(SECRET, name, publish=publish, subscribe=subscribe, seconds=seconds)}


class TestTokens:
    async def test_a_token_allows_what_it_says(self) -> None:
        async with serving(secret=SECRET) as server:
            ann = token(publish=("chat.*",), subscribe=("chat.a",))
            post = server.client.post
            answer = await post("/topics/chat.a/events", content="x")
            problem(answer, 401)
            assert answer.headers["www-authenticate"] == "Bearer"
            assert (await post("/topics/chat.a/events", content="x", headers=ann)).status_code == 201
            assert (await post("/topics/chat.b/events", content="x", headers=ann)).status_code == 201
            problem(await post("/topics/other/events", content="x", headers=ann), 403, "other")
            get = server.client.get
            assert (await get("/topics/chat.a/events", headers=ann)).status_code == 200
            for path in ("/topics/chat.b/events", "/topics/chat.b", "/events?topic=chat.a&topic=chat.b"):
                problem(await get(path, headers=ann), 403, "chat.b")
            for path in ("/topics/chat.a", "/events?topic=chat.a", "/topics", "/assistants"):
                problem(await get(path), 401)
            assert (await get("/topics", headers=ann)).json() == {"topics": ["chat.a"]}
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

    async def test_the_list_reads_only_what_the_token_covers(self) -> None:
        """A look at all 200,000 topics of a store took 22 s."""
        async with serving(secret=SECRET) as server:
            await asyncio.gather(*[server.hub.publish(f"m.{n}", "x") for n in range(300)])
            for name in ("a", "a.1", "m", "z"):
                await server.hub.publish(name, "x")
            counting = Counting(server.hub._store)
            server.hub.log.store = counting  # type: ignore[assignment]
            for patterns, listed in (((), []), (("none.*",), []), (("m", "z", "a.*"), ["a.1", "m", "z"])):
                counting.calls.clear()
                answer = await server.client.get("/topics?limit=1000", headers=token(subscribe=patterns))
                assert answer.json()["topics"] == listed
                assert counting.calls["topics"] <= 2 * len(patterns)

    async def test_a_stream_ends_with_its_token_and_goes_on_with_another(self) -> None:
        async with serving(secret=SECRET) as server:
            # The signer's clock may be ten seconds off, and so a token lives as much longer.
            short = token(subscribe=("a",), seconds=-9.0)
            async with asking(server.app, "/events?topic=a", headers=short) as reader:
                await reader.reach(lambda: reader.body)
                await server.hub.publish("a", "1")
                await reader.take(1)
                await reader.end()
                assert not reader.clean
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
        assert await server.hub.log.describe(topic) is None

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
    async def test_a_method_that_a_path_does_not_take_is_refused(
        self, server: Server, method: str, path: str, allow: set[str]
    ) -> None:
        answer = await server.client.request(method, path)
        problem(answer, 405, method)
        assert set(answer.headers["allow"].split(", ")) == allow

    @pytest.mark.parametrize("path", ["/nowhere", "/topics/a/b/c", "/topics/a%2Fb"])
    async def test_an_unknown_path_is_refused(self, server: Server, path: str) -> None:
        problem(await server.client.get(path), 404)

    async def test_head_says_that_it_is_there(self, server: Server) -> None:
        for path in ("/health", "/metrics", "/"):
            answer = await server.client.head(path)
            assert answer.status_code == 200, path
