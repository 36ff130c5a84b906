"""`GET /events`: its parameters, read strictly, and its rights."""

from __future__ import annotations

from typing import Any

import pytest

from tests.asgi import asking
from tests.http.conftest import Server, serving
from tests.http.problems import problem
from tidings.access.tokens import sign

SECRET = "a secret of thirty-two characters."
ORIGINS = [{}, {"origin": "http://localhost"}]

FOLLOWED = {
    "topic=a&after=earliest": ["a0", "a1"],
    "topic=a&from=earliest": ["a0", "a1"],
    "after=earliest&topic=a": ["a0", "a1"],
    "topic=%61&after=e%61rliest": ["a0", "a1"],
    "topic=a&last_event_id={epoch}-1": ["a1"],
    "topic=a&after=-1": ["a1"],
    "topic=a&after=-5": ["a0", "a1"],
    "topic=a&lastEventId={epoch}-1": ["a1"],
    "topic=a&last_event_id={epoch}-0&lastEventId={epoch}-1": ["a1"],
    "topic=a&lastEventId={epoch}-0&lastEventId={epoch}-1": ["a1"],
    "topic=a&after={epoch}-1&last_event_id=&envelope=false": ["a1"],
}

REFUSED = {
    "topic=a&after=tail&after=earliest": (422, "twice"),
    "topic=a&after=tail&from=earliest": (422, "twice"),
    "topic=a.&after=earliest": (400, "segments"),
    "topic=" + "a" * 201: (400, "segments"),
    "topic=a&topic=a": (400, "twice"),
    "&".join(f"topic=t{n}" for n in range(33)): (400, "32"),
    "topic=a&after=-0": (400, "offset"),
    "topic=a&after=never": (400, "offset"),
    "topic=a&last_event_id=x-y-z": (400, "offset"),
    "topic=a&last_event_id={epoch}-1~{epoch}-1": (400, "topics"),
    "topic=a&envelope=perhaps": (422, "envelope"),
    "topic=a&envelope=1": (422, "envelope"),
    "topic=a&also=1": (422, "also"),
    "topic=%FF": (400, "UTF-8"),
    "after=earliest": (422, "topic"),
    "": (422, "topic"),
}


async def published(server: Server) -> str:
    """Publish two events to the topic `a` and return its epoch."""
    for n in range(2):
        last = await server.hub.publish("a", f"a{n}")
    return last.epoch


@pytest.mark.parametrize("headers", ORIGINS, ids=["a program", "a page"])
@pytest.mark.parametrize("query", FOLLOWED)
async def test_follow_from_the_place_that_the_query_names(query: str, headers: dict[str, str]) -> None:
    async with serving() as server:
        path = "/events?" + query.format(epoch=await published(server))
        async with asking(server.app, path, headers=headers) as client:
            events: list[Any] = await client.take(len(FOLLOWED[query]))
            assert [event.data for event in events] == FOLLOWED[query]


@pytest.mark.parametrize("headers", ORIGINS, ids=["a program", "a page"])
@pytest.mark.parametrize("query", REFUSED)
async def test_refuse_a_query_that_breaks_a_rule(query: str, headers: dict[str, str]) -> None:
    async with serving() as server:
        status, word = REFUSED[query]
        path = "/events?" + query.format(epoch=await published(server))
        problem(await server.client.get(path, headers=headers), status, word)


async def test_answer_204_for_topics_that_are_closed_and_read() -> None:
    async with serving() as server:
        last = await server.hub.publish("closed", "last", close=True)
        assert (await server.client.get(f"/events?topic=closed&last_event_id={last}")).status_code == 204


async def test_a_head_request_is_not_a_stream() -> None:
    async with serving() as server:
        problem(await server.client.get("/event"), 404)
        assert (await server.client.head("/events?topic=a")).status_code == 405


@pytest.mark.parametrize("headers", ORIGINS, ids=["a program", "a page"])
async def test_follow_only_what_the_token_allows(headers: dict[str, str]) -> None:
    async with serving(secret=SECRET) as server:
        await server.hub.publish("a", "one")
        bearer = {"authorization": "Bearer " + sign(SECRET, "ann", publish=(), subscribe=("a",), seconds=600)}
        for topic, token, status in (("a", {}, 401), ("a", bearer, 200), ("b", bearer, 403)):
            path = f"/events?topic={topic}&after=earliest"
            async with asking(server.app, path, headers={**headers, **token}) as client:
                await client.reach(lambda: client.done or client.events)
                assert client.status == status
