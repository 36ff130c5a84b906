"""The app: direct routes and FastAPI's routes have one origin policy, one document and one form of errors."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import Request
from starlette.responses import Response

from tests.apps.members import SECRET, Member, facts, room
from tests.asgi import asking
from tests.http.conftest import serving
from tests.http.problems import problem
from tidings.http.openapi import DirectRoute
from tidings.http.request import Direct

ORIGIN = "https://app.example"
EVIL = "https://evil.example"


@pytest.mark.parametrize("path", ["/events?topic=a&after=earliest", "/topics/a", "/stream?q=hello"])
async def test_pages_of_an_allowed_origin_read_every_route(path: str) -> None:
    async with serving(cors_origins=ORIGIN) as server:
        await server.hub.publish("a", "x", close=True)
        for origin, allowed in ((ORIGIN, ORIGIN), (EVIL, None)):
            async with asking(server.app, path, headers={"origin": origin}) as client:
                await client.reach(lambda: client.status)
                assert client.headers.get("access-control-allow-origin") == allowed


@pytest.mark.parametrize(("method", "path"), [("POST", "/topics/a/events"), ("PUT", "/topics/a")])
async def test_pages_of_an_allowed_origin_alone_change_something(method: str, path: str) -> None:
    async with serving(cors_origins=ORIGIN) as server:
        answer = await server.client.request(method, path, json={}, headers={"origin": EVIL})
        problem(answer, 403, "origin")
        assert await server.hub.topics() == []
        answer = await server.client.request(method, path, json={}, headers={"origin": ORIGIN})
        assert answer.status_code in (200, 201)
        assert answer.headers["access-control-allow-origin"] == ORIGIN


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/topics/{topic}/events"),
        ("GET", "/topics/{topic}/events"),
        ("GET", "/events"),
        ("GET", "/runs/{run}/events"),
        ("GET", "/stream"),
        ("PUT", "/topics/{topic}"),
    ],
)
async def test_the_document_shows_both_kinds_of_routes(method: str, path: str) -> None:
    async with serving() as server:
        document = (await server.client.get("/openapi.json")).json()
        operation = document["paths"][path][method.lower()]
        assert operation["summary"]
        assert "400" in operation["responses"]
        names = [(p["in"], p["name"]) for p in operation.get("parameters", [])]
        assert len(names) == len(set(names))
        ids = [o["operationId"] for operations in document["paths"].values() for o in operations.values()]
        assert len(ids) == len(set(ids))


async def broken(request: Request) -> Response:
    raise ValueError("a secret of the server's")


async def test_an_error_of_a_direct_route_is_a_problem_without_its_text() -> None:
    async with serving() as server:
        app: Any = server.app
        described = {"summary": "Break", "responses": {}}
        app.direct = (*app.direct, DirectRoute("GET", "/broken", Direct(broken), described))
        answer = await server.client.get("/broken")
        problem(answer, 500, "The log says what")
        assert "secret" not in answer.text


async def test_a_mounted_app_answers_direct_routes_below_its_path() -> None:
    async with serving() as server:
        mounted = {"root_path": "/sub"}
        scope_path = "/sub/events?topic=a&after=earliest"
        await server.hub.publish("a", "x", close=True)

        async def below(scope: Any, receive: Any, send: Any) -> None:
            await server.app({**scope, **mounted}, receive, send)

        async with asking(below, scope_path) as client:
            assert (await client.take(1))[0].data == "x"


async def test_a_refusal_by_any_guard_names_the_topic_of_the_request() -> None:
    """A client follows all its topics on one connection. Without the name it does not know which one to give up."""
    async with serving(secret=SECRET) as server:
        ann, bob = Member(server, "Ann"), Member(server, "Bob", publish=("*",))
        private = await room(ann, "private", private=True)
        await ann.said(private, "message.posted", text="@assistant hello")
        [created] = await facts(server, private, "run.created")
        await ann.said("conversations.ann", "message", text="hers")
        refused = [private, "rooms.nowhere", f"runs.{created['run']}", f"runs.{'0' * 26}", "conversations.ann"]
        refused += ["conversations.nowhere", "users.Ann", "users.Ann.conversations"]
        for topic in refused:
            for path in (f"/topics/{topic}", f"/topics/{topic}/events", f"/events?topic=presence&topic={topic}"):
                answer = await bob.get(path)
                assert problem(answer, answer.status_code)["topic"] == topic, path
                assert answer.status_code in (403, 404)
        for topic in (*refused, "presence"):
            if topic != "conversations.nowhere":  # whoever publishes first begins it
                answer = await bob.say(topic, "message.posted", text="x")
                assert problem(answer, answer.status_code)["topic"] == topic
