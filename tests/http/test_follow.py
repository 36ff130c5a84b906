"""Following over HTTP, in its two ways: through FastAPI's stack, and for plain requests without it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.asgi import asking
from tests.http.conftest import serving
from tidings.access.tokens import sign

SECRET = "a secret of thirty-two characters."

REQUESTS = [
    "topic=a&from=earliest",
    "topic=a&topic=b&from=earliest&envelope=true",
    "topic=a&last_event_id={epoch}-1",
    "topic=a&from={epoch}-1&last_event_id=&envelope=false",
    "topic=closed&from=earliest",
    "topic=closed&last_event_id={closed}-1",
    "topic=a&from=tail&from=earliest",
    "topic=a.&from=earliest",
    "topic=" + "a" * 201,
    "topic=a&topic=a",
    "&".join(f"topic=t{n}" for n in range(33)),
    "topic=a&from=never",
    "topic=a&last_event_id=x-y-z",
    "topic=a&last_event_id={epoch}-1~{epoch}-1",
    "topic=a&envelope=perhaps",
    "from=earliest",
    "",
]


def plain(query: str) -> str:
    return f"/events?{query}"


def framed(query: str) -> str:
    """The same request in a form that the plain way leaves alone: a parameter that nobody reads."""
    return f"/events?{query}&also=1"


@pytest.mark.parametrize("query", REQUESTS)
async def test_both_ways_answer_alike(query: str) -> None:
    async with serving() as server:
        last = [await server.hub.publish(topic, f"{topic}{n}") for topic in ("a", "b") for n in range(2)][1]
        closed = await server.hub.publish("closed", "last", close=True)
        query = query.format(epoch=last.epoch, closed=closed.epoch)
        answers = []
        for form in (plain, framed):
            async with asking(server.app, form(query)) as client:
                await client.reach(lambda: client.done or client.events)
                wanted = [(event.type, event.id) for event in client.events]
                body = b"" if client.events else client.body
                answers.append((client.status, client.headers, wanted, body))
        assert answers[0] == answers[1]


async def test_what_a_plain_request_is() -> None:
    async with serving() as server:
        following = server.app.following  # type: ignore[attr-defined]

        def is_plain(query: str, method: str = "GET", path: str = "/events", origin: str = "") -> bool:
            headers = [(b"origin", origin.encode())] if origin else []
            scope = {"method": method, "path": path, "query_string": query.encode(), "headers": headers}
            return bool(following.is_plain(scope))

        assert is_plain("topic=a")
        assert is_plain("topic=a.b&topic=c&from=earliest&last_event_id=E-1~E-2&envelope=true")
        assert not is_plain("")
        assert not is_plain("from=earliest")
        assert not is_plain("topic=a%2Eb")
        assert not is_plain("topic=a&also=1")
        assert not is_plain("topic=a&from=earliest&from=tail")
        assert not is_plain("topic=a", method="HEAD")
        assert not is_plain("topic=a", path="/events/")
        assert not is_plain("topic=a", origin="https://example.org")


@pytest.mark.parametrize("form", [plain, framed])
async def test_both_ways_authorise(form: Callable[[str], str]) -> None:
    async with serving(secret=SECRET) as server:
        await server.hub.publish("a", "one")
        token = sign(SECRET, "ann", publish=(), subscribe=("a",), seconds=600)
        for topic, headers, status in (
            ("a", {}, 401),
            ("a", {"authorization": f"Bearer {token}"}, 200),
            ("b", {"authorization": f"Bearer {token}"}, 403),
        ):
            async with asking(server.app, form(f"topic={topic}&from=earliest"), headers=headers) as client:
                await client.reach(lambda: client.done or client.events)
                assert client.status == status
