"""Tidings inside other people's apps, on servers that know nothing of it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator

import pytest

from tests.mounted.foreign import SERVERS, ForeignServer
from tests.streams import PATIENCE, many_streams, request, streaming

ONE_PROCESS = [name for name in SERVERS if name != "uvicorn-workers"]

STAYING = ("hypercorn",) if sys.version_info >= (3, 12) else ()
"""Servers that do not leave before their clients do: asyncio's `Server.wait_closed` waits for them from Python 3.12 on
(https://github.com/pgjones/hypercorn/issues/308)."""

Start = Callable[..., ForeignServer]


@pytest.fixture
def start() -> Iterator[Start]:
    begun: list[ForeignServer] = []

    def begin(*args: object, **options: object) -> ForeignServer:
        begun.append(ForeignServer(*args, **options))
        return begun[-1]

    yield begin
    for server in begun:
        server.kill()


async def say(server: ForeignServer, text: str) -> str:
    """Publish to the topic, and return the offset."""
    said = await request(f"{server.url}/topics/chat.a/events", "POST", text)
    assert said.status == 200, said
    offset: str = said.json()
    return offset


async def until_open(server: ForeignServer, count: int) -> None:
    """Wait until the app has this many streams open."""
    async with asyncio.timeout(PATIENCE):
        while (await request(f"{server.url}/open")).json() != count:  # noqa: ASYNC110 (it is another process)
            await asyncio.sleep(0.01)


async def all_promises(server: ForeignServer) -> None:
    """Check live events, many at once, a resume, a client that leaves, the end, and 204 after it."""
    room = f"{server.url}/events?topic=chat.a"
    async with streaming(room) as one, streaming(room) as two:
        assert (one.status, one.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
        await until_open(server, 2)
        first = await say(server, "first")
        assert [(e.id, e.data) for e in await one.take(1)] == [(first, "first")]
        assert [e.id for e in await two.take(1)] == [first]
    await until_open(server, 0)

    texts = [f"{n} " + "x" * 2000 for n in range(200)]
    for text in texts:
        await say(server, text)
    async with streaming(room, first) as again:
        assert [e.data for e in await again.take(len(texts))] == texts
        await until_open(server, 1)
        last = await say(server, "last")
        assert [e.id for e in await again.take(1)] == [last]
        await request(f"{server.url}/topics/chat.a/close", "POST")
        assert [e.type for e in await again.take(2)] == ["tidings.end"]
        assert again.clean
    await until_open(server, 0)
    async with streaming(room, last) as done:
        assert done.status == 204


async def leaves(server: ForeignServer, *, completed: bool = False) -> None:
    """On SIGTERM the server ends while streams are open, and each client can tell that its topic has not ended.

    `completed`: something between Tidings and the server completes each body, as it would that of any app.
    """
    if server.name in STAYING:
        return
    async with many_streams() as follow, asyncio.TaskGroup() as group:
        streams = [await follow(f"{server.url}/events?topic=chat.b") for _ in range(20)]
        rest = [group.create_task(stream.take(1)) for stream in streams]
        status = await asyncio.to_thread(server.terminate)
    assert status in (0, -15)
    assert [task.result() for task in rest] == [[]] * len(rest)
    if server.name != "hypercorn":  # no signal reaches its workers: it cuts what is open after its own time-out
        assert completed or not any(stream.clean for stream in streams)
        assert "Traceback" not in "".join(server.output)


@pytest.mark.parametrize("app", ["in_fastapi:app", "in_starlette:app"])
@pytest.mark.parametrize("name", ONE_PROCESS)
async def test_streams_resumes_and_ends_on_every_server(name: str, app: str, start: Start) -> None:
    server = start(name, app)
    await all_promises(server)
    await leaves(server)


@pytest.mark.parametrize("middleware", ["base", "gzip"])
@pytest.mark.parametrize("name", ONE_PROCESS)
async def test_streams_through_middleware(name: str, middleware: str, start: Start) -> None:
    server = start(name, "in_starlette:app", env={"MIDDLEWARE": middleware})
    await all_promises(server)
    # Starlette's BaseHTTPMiddleware completes the body itself; only on uvicorn can the connection be closed before.
    await leaves(server, completed=middleware == "base" and not name.startswith("uvicorn"))


async def test_an_app_in_an_app_needs_the_outer_lifespan_and_says_so(start: Start) -> None:
    server = start("uvicorn", "in_another:app")
    for path, method in [("events?topic=chat.a", "GET"), ("topics/chat.a/events", "POST"), ("topics", "GET")]:
        refused = await request(f"{server.url}/tidings/{path}", method, "x" if method == "POST" else "")
        assert refused.status == 503
        assert "lifespan=hub.lifespan" in refused.json()["detail"]
    refused = await request(
        f"{server.url}/tidings/runs", "POST", '{"input": "?"}', {"content-type": "application/json"}
    )
    assert (refused.status, refused.headers["content-type"]) == (503, "application/problem+json")
    assert "Traceback" not in "".join(server.output)


async def test_an_app_in_an_app_streams(start: Start) -> None:
    server = start("uvicorn", "in_another:app", env={"LIFESPAN": "yes"})
    async with streaming(f"{server.url}/tidings/events?topic=chat.a&from=earliest") as stream:
        await request(f"{server.url}/tidings/topics/chat.a/events", "POST", "hello")
        assert [event.data for event in await stream.take(1)] == ["hello"]
        for how in ("anyio", "asyncio"):
            said = (await request(f"{server.url}/from-a-thread?text={how}&how={how}", "POST")).json()
            assert [(event.id, event.data) for event in await stream.take(1)] == [(said, how)]
        refused = (await request(f"{server.url}/from-a-thread?text=lost&how=own-loop", "POST")).json()
        assert "belongs to the event loop that opened it" in refused
    await until_open(server, 0)


async def test_an_app_in_an_app_begins_its_work_at_the_first_request(start: Start) -> None:
    """Its own lifespan never runs. Presence tells who is here only if it was begun."""
    server = start("uvicorn", "in_another:app", env={"LIFESPAN": "yes"})
    named = await request(
        f"{server.url}/tidings/session", "POST", '{"name": "Ann"}', {"content-type": "application/json"}
    )
    assert named.headers["set-cookie"].startswith("tidings_name=Ann; Path=/tidings; HttpOnly")
    cookie = {"cookie": named.headers["set-cookie"].partition(";")[0]}
    async with streaming(f"{server.url}/tidings/events?topic=presence", headers=cookie) as stream:
        [beat] = await stream.take(1)
        assert '"Ann":1' in beat.data
        answer = await request(f"{server.url}/tidings/people", headers=cookie)
        assert "Ann" in answer.body.decode()
    for path, status in (("topics/none", 404), ("nowhere", 404), ("runs", 405)):
        refused = await request(f"{server.url}/tidings/{path}")
        assert (refused.status, refused.headers["content-type"]) == (status, "application/problem+json"), path
    document = (await request(f"{server.url}/tidings/openapi.json")).json()
    assert document["servers"] == [{"url": "/tidings"}]
