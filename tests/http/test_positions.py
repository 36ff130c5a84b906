"""The position at which a stream begins: the client's last event ID, however it is sent, or the last N events."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import ASGIApp

from tests.asgi import asking
from tests.http.conftest import Server
from tests.http.problems import problem
from tidings import EventStreamResponse, Hub
from tidings.wire.sse import ServerSentEvent

pytestmark = pytest.mark.asyncio(loop_scope="module")

WAYS: Mapping[str, Callable[[str], tuple[str, dict[str, str]]]] = {
    "header": lambda id: ("", {"last-event-id": id}),
    "last_event_id": lambda id: (f"last_event_id={quote(id, safe='')}", {}),
    "lastEventId": lambda id: (f"lastEventId={quote(id, safe='')}", {}),
}
"""The ways to send an id: browsers send the header; the EventSource polyfills of npm send `lastEventId`."""

QUESTION = "one |two |three"


class Target(NamedTuple):
    """A stream that ends: its app and its address, to which a query may be added."""

    app: ASGIApp
    path: str


def foreign(hub: Hub) -> Starlette:
    """Return an app of somebody else's that streams from our hub."""

    async def topic(request: Request) -> EventStreamResponse:
        return EventStreamResponse(hub, request.path_params["names"].split(","), "earliest")

    async def answer(request: Request) -> EventStreamResponse:
        return hub.runs.response(request.path_params["run"])

    return Starlette(routes=[Route("/follow/{names}", topic), Route("/answers/{run}", answer)])


async def target(server: Server, kind: str, topic: str) -> Target:
    """Prepare a stream of this kind, of topics that are closed or a run that has ended."""
    if kind in ("run", "foreign run"):
        run = (await server.client.post("/runs", json={"input": QUESTION})).json()["run"]
        async with asking(server.app, f"/runs/{run}/events") as reader:
            await reader.end()
        return (
            Target(foreign(server.hub), f"/answers/{run}?")
            if kind[0] == "f"
            else Target(server.app, f"/runs/{run}/events?")
        )
    if kind == "stream":
        return Target(server.app, f"/stream?q={quote(QUESTION)}")
    names = [f"{topic}.{n}" for n in range(3 if "topics" in kind else 1)]
    for name in names:
        await server.published(name, 5)
        await server.hub.close_topic(name)
    if kind[0] == "f":
        return Target(foreign(server.hub), f"/follow/{','.join(names)}?")
    return Target(server.app, "/events?after=earliest&" + "&".join(f"topic={name}" for name in names))


async def read(
    to: Target, query: str = "", headers: Mapping[str, str] | None = None
) -> tuple[int, list[ServerSentEvent]]:
    """Return the status and all events of a stream, without the reconnection time, which is random."""
    mark = "" if to.path.endswith("?") or not query else "&"
    sent = {"accept": "text/event-stream", **(headers or {})}
    async with asking(to.app, f"{to.path}{mark}{query}", headers=sent) as reader:
        await reader.end()
        return reader.status, [event._replace(retry=None) for event in reader.events]


def content(kind: str, events: Sequence[ServerSentEvent]) -> Sequence[Any]:
    """Return what a stream has to hold: its events, in order; of several topics, which have no order among each other,
    what was published."""
    return sorted(event.data for event in events if event.type == "message") if "topics" in kind else events


KINDS = ["topic", "topics", "run", "stream", "foreign topic", "foreign topics", "foreign run"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", KINDS)
async def test_every_stream_goes_on_after_the_last_event_id(server: Server, topic: str, kind: str, way: str) -> None:
    to = await target(server, kind, topic)
    _, events = await read(to)
    calls = server.script.calls
    for at in (0, len(events) // 2):
        status, rest = await read(to, *WAYS[way](events[at].id))
        assert status == 200
        assert content(kind, rest) == content(kind, events[at + 1 :])
    assert await read(to, *WAYS[way](events[-1].id)) == (204, [])
    assert server.script.calls == calls, "a client that comes back starts no run"


@pytest.mark.parametrize("kind", KINDS)
async def test_the_header_counts_before_the_parameters_and_the_last_of_those(
    server: Server, topic: str, kind: str
) -> None:
    to = await target(server, kind, topic)
    _, events = await read(to)
    first, second, *_ = ids = [quote(event.id, safe="") for event in events]
    header = {"last-event-id": events[0].id}
    _, rest = await read(to, f"lastEventId={ids[-1]}&last_event_id={second}", header)
    assert content(kind, rest) == content(kind, events[1:])
    for query in (
        f"last_event_id={first}&lastEventId={second}",
        f"lastEventId={first}&last_event_id={second}",
        f"lastEventId={first}&lastEventId={second}",
        f"last_event_id={second}&lastEventId=",
    ):
        for headers in ({}, {"last-event-id": ""}):
            _, rest = await read(to, query, headers)
            assert content(kind, rest) == content(kind, events[2:]), query
    assert (await read(to, "last_event_id=&lastEventId=", {"last-event-id": ""}))[0] == 200


GARBAGE = [
    "nonsense",
    "E-1",
    "0-0",
    " ",
    "\0",
    "~",
    "é.E-1",
    "x" * 600,
    "01JD9W3K5T8Q2R7V4X6Y9Z0ABC.E-1",
    "[object Object]",
]


@pytest.mark.parametrize("way", WAYS)
async def test_an_id_of_any_kind_starts_no_run(server: Server, way: str) -> None:
    calls = server.script.calls
    for id in GARBAGE:
        if way == "header" and id in (" ", "\0"):
            continue  # no HTTP client sends these in a header
        query, headers = WAYS[way](id)
        raw = {name.encode(): value.encode() for name, value in headers.items()}
        answer = await server.client.get(f"/stream?q={QUESTION}&{query}", headers=raw)
        assert problem(answer, answer.status_code)
        assert answer.status_code in (400, 404), id
    for raw in ({b"last-event-id": b"\xff"},):
        problem(await server.client.get(f"/stream?q={QUESTION}", headers=raw), 400)
    assert server.script.calls == calls


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", ["topic", "topics", "run", "foreign topic", "foreign run"])
async def test_an_id_that_is_none_is_refused_before_the_first_byte(
    server: Server, topic: str, kind: str, way: str
) -> None:
    to = await target(server, kind, topic)
    for id in ("nonsense", "E-1~", "E-x", "é-1", "x" * 600):
        query, headers = WAYS[way](id)
        sent = {name: value.encode().decode("latin-1") for name, value in headers.items()}
        assert (await read(to, query, sent))[0] == 400, id


async def numbers(server: Server, query: str) -> list[str]:
    """Return the data of all events of a stream that ends, which must not begin with a reset."""
    async with asking(server.app, f"/events?{query}") as reader:
        await reader.end()
        assert reader.clean
        assert {event.type for event in reader.events} <= {"message", "tidings.end"}
        return [event.data for event in reader.events if event.type == "message"]


@pytest.mark.parametrize("name", ["after", "from"])
@pytest.mark.parametrize(("last", "found"), [(1, "5"), (3, "345"), (5, "12345"), (6, "12345"), (1_000_000, "12345")])
async def test_the_last_events_of_a_topic(server: Server, topic: str, name: str, last: int, found: str) -> None:
    await server.published(topic, 5)
    await server.hub.close_topic(topic)
    assert await numbers(server, f"topic={topic}&{name}=-{last}") == list(found)


async def test_the_last_events_of_each_of_several_topics(server: Server, topic: str) -> None:
    for name, count in (("a", 5), ("b", 1), ("c", 3)):
        await server.published(f"{topic}.{name}", count)
        await server.hub.close_topic(f"{topic}.{name}")
    found = await numbers(server, "&".join(f"topic={topic}.{name}" for name in "abc") + "&after=-2")
    assert sorted(found) == sorted(["4", "5", "1", "2", "3"])


async def test_events_trimmed_before_the_stream_began_cause_no_reset(server: Server, topic: str) -> None:
    assert (await server.client.put(f"/topics/{topic}", json={"max_events": 8})).status_code == 200
    for _ in range(5):
        await server.published(topic, 5)
    page = await server.hub.read(topic)
    assert 0 < len(page.events) < 25
    kept = [event.data for event in page.events]
    await server.hub.close_topic(topic)
    assert await numbers(server, f"topic={topic}&after=-20") == kept
    assert await numbers(server, f"topic={topic}&after=-2") == kept[-2:]


@pytest.mark.parametrize("deleted", [True, False])
async def test_a_topic_that_is_not_there_is_waited_for(server: Server, topic: str, deleted: bool) -> None:
    if deleted:
        await server.published(topic, 5)
        await server.hub.delete(topic)
    async with asking(server.app, f"/events?topic={topic}&after=-3") as reader:
        await reader.reach(lambda: reader.body)
        await server.hub.publish(topic, "new", close=True)
        await reader.end()
        assert [(event.type, event.data) for event in reader.events][:1] == [("message", "new")]


async def test_transient_events_do_not_count_and_redacted_ones_do(server: Server, topic: str) -> None:
    offsets = await server.published(topic, 3)
    await server.hub.publish(topic, "now", transient=True)
    await server.hub.redact(topic, offsets[1])
    async with asking(server.app, f"/events?topic={topic}&after=-2") as reader:
        first, second = await reader.take(2)
        assert (first.type, first.id) == ("tidings.redacted", offsets[1])
        assert (second.data, second.id) == ("3", offsets[2])


async def test_the_last_events_of_a_run_and_of_an_answer_elsewhere(server: Server, topic: str) -> None:
    run = await target(server, "run", topic)
    _, events = await read(run)
    assert (await read(run, "after=-1"))[1] == events[-2:], "the last event, and the end"
    assert (await read(run, "from=-100"))[1] == events


@pytest.mark.parametrize("name", ["after", "from"])
async def test_a_page_of_the_last_events(server: Server, topic: str, name: str) -> None:
    await server.published(topic, 5)
    for last, limit, found in ((2, 100, [4, 5]), (9, 100, [1, 2, 3, 4, 5]), (4, 2, [2, 3])):
        page = (await server.client.get(f"/topics/{topic}/events?{name}=-{last}&limit={limit}")).json()
        assert [event["data"] for event in page["events"]] == found
        assert page["up_to_date"] is (found[-1] == 5)
    problem(await server.client.get(f"/topics/{topic}/events?after=-1&from=-1"), 422, "from")


@pytest.mark.parametrize(
    "text", ["-0", "0", "5", "-1000001", "-1.0", "- 1", "-01", "--1", "-1e3", "first", "", "-\u0661"]
)
async def test_a_number_of_last_events_that_is_none(server: Server, topic: str, text: str) -> None:
    await server.published(topic, 1)
    at = quote(text)
    problem(await server.client.get(f"/events?topic={topic}&after={at}"), 400)
    if text:
        problem(await server.client.get(f"/topics/{topic}/events?after={at}"), 400)
