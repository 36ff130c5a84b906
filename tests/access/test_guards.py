"""Guards: asked for every read and change of their own topics, and of no others."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.asgi import asking
from tests.http.conftest import Server, serving
from tests.http.problems import problem
from tidings.access.guards import Admitted, Guard, Guards, Items, Sealed, Watch
from tidings.access.subject import Subject
from tidings.errors import Conflict, Forbidden, InvalidRequest
from tidings.log.rules import NEW, Appended

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Recorder(Guard):
    """Notes what it is asked, and answers as it is told to."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.told: list[tuple[list[tuple[str, str]], int, bool]] = []
        self.refusal: Exception | None = None
        self.judge: Callable[[Items], Any] = Admitted
        self.ends: list[Callable[[], None]] = []
        self.over = 0

    def _note(self, what: str, topic: str) -> None:
        self.calls.append((what, topic))
        if self.refusal is not None:
            raise self.refusal

    async def read(self, subject: Subject, topic: str) -> None:
        self._note("read", topic)

    def watch(self, subject: Subject, topic: str) -> Watch | None:
        return None if topic.endswith(".public") else Recording(self)

    async def admit(self, subject: Subject, topic: str, items: Items, *, transient: bool) -> Admitted:
        self._note("cast" if transient else "admit", topic)
        admitted = self.judge(items)
        return await admitted if hasattr(admitted, "__await__") else admitted  # type: ignore[no-any-return]

    async def published(self, subject: Subject, topic: str, items: Items, done: Appended, note: Any = None) -> None:
        self.told.append((list(items), done.last.n, done.duplicate))

    async def manage(self, subject: Subject, topic: str) -> None:
        self._note("manage", topic)


class Recording(Watch):
    """Notes when a stream begins and ends."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def start(self, end: Callable[[], None]) -> None:
        self._recorder.ends.append(end)

    def stop(self) -> None:
        self._recorder.over += 1


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[Server]:
    async with serving() as made:
        yield made


@pytest.fixture
def guard(server: Server) -> Recorder:
    guards: Guards = server.app.access.guards  # type: ignore[attr-defined]
    made = guards["kept"] = Recorder()
    return made


@pytest.fixture
def topic(request: pytest.FixtureRequest) -> str:
    return "kept." + "".join(c if c.isalnum() else "-" for c in request.node.name)


async def publish(
    server: Server, topic: str, text: str = "x", key: str | None = None, query: str = ""
) -> httpx.Response:
    headers = {"idempotency-key": key} if key else {}
    return await server.client.post(f"/topics/{topic}/events{query}", content=text, headers=headers)


async def test_every_read_asks(server: Server, guard: Recorder, topic: str) -> None:
    offset = await server.hub.publish(topic, "x", close=True)
    for path in (
        f"/topics/{topic}",
        f"/topics/{topic}/events",
        f"/topics/{topic}/events?before=tail",
        f"/events?topic={topic}&from=earliest",
        f"/events?from=earliest&topic={topic}",
        f"/events?topic={topic}&last_event_id={offset}",
        f"/events?topic=free&topic={topic}&from=earliest",
    ):
        guard.calls.clear()
        guard.refusal = None
        async with asking(server.app, path) as client:
            await client.reach(lambda: client.status)
            assert client.status in (200, 204)
        assert guard.calls == [("read", topic)], path
        guard.refusal = Forbidden("Not yours.", topic="another.topic")
        assert problem(await server.client.get(path), 403, "Not yours.")["topic"] == topic


async def test_a_list_leaves_out_topics_that_may_not_be_read(server: Server, guard: Recorder, topic: str) -> None:
    await server.hub.publish(topic, "x")
    await server.hub.publish("free", "x")
    listed = "/topics?limit=1000"
    assert {topic, "free"} <= set((await server.client.get(listed)).json()["topics"])
    guard.refusal = Forbidden("Not yours.", topic="another.topic")
    names = (await server.client.get(listed)).json()["topics"]
    assert topic not in names
    assert "free" in names


async def test_every_change_asks(server: Server, guard: Recorder, topic: str) -> None:
    for form in ("", "?type=said&transient=false"):
        assert (await publish(server, topic, query=form)).status_code == 201
    assert (await publish(server, topic, query="?transient=true")).status_code == 202
    requests = [("PUT", f"/topics/{topic}"), ("POST", f"/topics/{topic}/close"), ("DELETE", f"/topics/{topic}")]
    for method, path in requests:
        assert (await server.client.request(method, path, json={})).status_code in (200, 204)
    assert [call for call, _ in guard.calls] == ["admit", "admit", "cast", "manage", "manage", "manage"]
    guard.refusal = Forbidden("Not yours.", topic="another.topic")
    for method, path in requests:
        assert problem(await server.client.request(method, path, json={}), 403, "Not yours.")["topic"] == topic
    for form in ("", "?type=said&transient=false", "?transient=true"):
        assert problem(await publish(server, topic, query=form), 403, "Not yours.")["topic"] == topic
    assert await server.hub.log.describe(topic) is None


async def test_topics_without_a_guard_ask_nobody(server: Server, guard: Recorder) -> None:
    for topic in ("free", "keptother", "other.kept"):
        assert (await publish(server, topic)).status_code == 201
        assert (await server.client.get(f"/topics/{topic}/events")).status_code == 200
    assert guard.calls == []
    assert guard.told == []


async def test_the_events_as_the_guard_returns_them_are_stored(server: Server, guard: Recorder, topic: str) -> None:
    guard.judge = lambda items: Admitted([(type, data.upper()) for type, data in items])
    assert (await publish(server, topic, "hello")).status_code == 201
    [event] = (await server.hub.read(topic)).events
    assert event.data == "HELLO"
    assert guard.told == [([("message", "HELLO")], 1, False)]


async def test_a_key_that_was_seen_has_its_first_answer(server: Server, guard: Recorder, topic: str) -> None:
    guard.judge = lambda items: Admitted([(type, data.upper()) for type, data in items])
    first = await publish(server, topic, "hello", key="k")
    guard.refusal = Forbidden("Not any more.")
    again = await publish(server, topic, "hello", key="k")
    assert (again.status_code, again.json()) == (200, first.json())
    assert guard.told == [([("message", "HELLO")], 1, False), ([("message", "HELLO")], 1, True)]
    problem(await publish(server, topic, "hello", key="other"), 403, "Not any more.")
    problem(await publish(server, f"{topic}-new", "hello", key="k"), 403, "Not any more.")
    guard.refusal = InvalidRequest("Not so.")
    problem(await publish(server, topic, "hello", key="third", query="?type=tidings.x"), 400, "Not so.")
    assert len((await server.hub.read(topic)).events) == 1


async def test_a_large_batch_that_was_seen_is_told_whole(server: Server, guard: Recorder, topic: str) -> None:
    lines = "\n".join(f'{{"data":"{n}{"x" * 100_000}"}}' for n in range(30))
    headers = {"content-type": "application/x-ndjson", "idempotency-key": "k"}
    for status in (201, 200):
        answer = await server.client.post(f"/topics/{topic}/events", content=lines, headers=headers)
        assert answer.status_code == status
    assert guard.told[0][0] == guard.told[1][0]
    assert len(guard.told[1][0]) == 30


async def test_the_second_of_two_publishers_is_checked_against_the_first(
    server: Server, guard: Recorder, topic: str
) -> None:
    judged = 0

    async def judge(items: Items) -> Admitted:
        nonlocal judged
        judged += 1
        if judged == 1:
            await server.hub.publish(topic, "another's")
            return Admitted(items, NEW)
        head = await server.hub.log.describe(topic)
        assert head is not None
        return Admitted(items, head.epoch)

    guard.judge = judge
    assert (await publish(server, topic)).status_code == 201
    assert judged == 2


async def test_a_publisher_that_loses_every_race_gets_a_conflict(server: Server, guard: Recorder, topic: str) -> None:
    await server.hub.publish(topic, "x")
    guard.judge = lambda items: Admitted(items, NEW)
    problem(await publish(server, topic), 409)
    assert len(guard.calls) == 8


async def test_a_topic_that_is_closed_is_no_race(server: Server, guard: Recorder, topic: str) -> None:
    epoch = (await server.hub.publish(topic, "x", close=True)).epoch
    guard.judge = lambda items: Admitted(items, epoch)
    problem(await publish(server, topic), 409, "closed")
    assert len(guard.calls) == 1


async def test_a_stream_ends_when_its_guard_says_so(server: Server, guard: Recorder, topic: str) -> None:
    async with asking(server.app, f"/events?topic=free&topic={topic}.public&topic={topic}") as client:
        await client.reach(lambda: client.body)
        [end] = guard.ends
        end()
        await client.reach(lambda: client.done)
    assert guard.over == 1
    async with asking(server.app, f"/events?topic={topic}&envelope=false") as client:
        await client.reach(lambda: client.body)
    assert (len(guard.ends), guard.over) == (2, 2)


@pytest.mark.parametrize("ending", [0, 1])
async def test_a_stream_of_two_watched_topics_ends_when_the_right_to_either_is_lost(
    server: Server, guard: Recorder, topic: str, ending: int
) -> None:
    async with asking(server.app, f"/events?topic={topic}.one&topic={topic}.two") as client:
        await client.reach(lambda: client.body)
        assert len(guard.ends) == 2
        guard.ends[ending]()
        await client.reach(lambda: client.done)
    assert guard.over == 2


async def test_sealed_topics_refuse_every_request(server: Server) -> None:
    server.app.access.guards["sealed"] = Sealed()  # type: ignore[attr-defined]
    await server.hub.publish("sealed.a", "x")
    for path in ("/topics/sealed.a", "/topics/sealed.a/events", "/events?topic=sealed.a"):
        problem(await server.client.get(path), 403, "Only the server itself")
    problem(await publish(server, "sealed.a"), 403, "Only the server itself")
    problem(await publish(server, "sealed.a", query="?transient=true"), 403, "Only the server itself")
    problem(await server.client.delete("/topics/sealed.a"), 403, "Only the server itself")
    assert "sealed.a" not in (await server.client.get("/topics?limit=1000")).json()["topics"]
    with pytest.raises(Forbidden):
        await Sealed().announce(Subject(None, None, None), "sealed.a")  # type: ignore[arg-type]


async def test_a_guard_allows_what_it_does_not_refuse() -> None:
    guard, nobody = Guard(), Subject(None, None, None)  # type: ignore[arg-type]
    await guard.read(nobody, "t")
    await guard.manage(nobody, "t")
    await guard.announce(nobody, "t")
    assert await guard.admit(nobody, "t", [("a", "b")], transient=False) == Admitted([("a", "b")])
    assert guard.watch(nobody, "t") is None


async def test_a_conflict_without_a_race_is_not_tried_again(server: Server, guard: Recorder, topic: str) -> None:
    guard.refusal = Conflict("Taken.")
    problem(await publish(server, topic), 409, "Taken.")
    assert len(guard.calls) == 1
