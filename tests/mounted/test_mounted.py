"""Tidings inside other people's apps, on servers that know nothing of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest

from tests.mounted.foreign import SERVERS, ForeignServer
from tests.streams import PATIENCE, request, streaming

ONE_PROCESS = [name for name in SERVERS if name != "uvicorn-workers"]


@pytest.fixture
def start() -> Iterator[Callable[..., ForeignServer]]:
    begun: list[ForeignServer] = []

    def begin(*args: object, **options: object) -> ForeignServer:
        begun.append(ForeignServer(*args, **options))
        return begun[-1]

    yield begin
    for server in begun:
        server.kill()


async def say(server: ForeignServer, text: str) -> str:
    """Publish to the topic; the offset."""
    said = await request(f"{server.url}/topics/rooms.a/events", "POST", text)
    assert said.status == 200, said
    offset: str = said.json()
    return offset


async def until_open(server: ForeignServer, count: int) -> None:
    """Wait until the app has this many streams open."""
    async with asyncio.timeout(PATIENCE):
        while (await request(f"{server.url}/open")).json() != count:  # noqa: ASYNC110 (it is another process)
            await asyncio.sleep(0.01)


async def all_promises(server: ForeignServer) -> None:
    """Live, many at once, resume, a client that leaves, the end, and 204 after it."""
    room = f"{server.url}/events?topic=rooms.a"
    async with streaming(room) as one, streaming(room) as two:
        assert (one.status, one.headers["content-type"]) == (200, "text/event-stream")
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
        await request(f"{server.url}/topics/rooms.a/close", "POST")
        assert [e.type for e in await again.take(2)] == ["tidings.end"]
        assert again.clean
    await until_open(server, 0)
    async with streaming(room, last) as done:
        assert done.status == 204


@pytest.mark.parametrize("app", ["in_fastapi:app", "in_starlette:app"])
@pytest.mark.parametrize("name", ONE_PROCESS)
async def test_streams_resumes_and_ends_on_every_server(name: str, app: str, start: Callable[..., ForeignServer]):
    await all_promises(start(name, app))


@pytest.mark.parametrize("middleware", ["base", "gzip"])
@pytest.mark.parametrize("name", ONE_PROCESS)
async def test_streams_through_middleware(name: str, middleware: str, start: Callable[..., ForeignServer]):
    await all_promises(start(name, "in_starlette:app", env={"MIDDLEWARE": middleware}))
