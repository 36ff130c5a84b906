"""Files over two real processes: sent to one and fetched from the other, and what breaks off is none."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.apps.members import SECRET, token
from tests.serving import PATIENCE, ServerProcess
from tests.streams import Answer, request
from tidings import Hub

Servers = tuple[ServerProcess, ServerProcess]
CONTENT = random.Random(4).randbytes(9_000_000)


def headers() -> dict[str, str]:
    """Return headers with a new token of Ann: an older one would expire before a long run of tests comes here."""
    return {"authorization": f"Bearer {token('Ann')}", "content-type": "application/pdf"}


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def servers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    store = f"sqlite:///{tmp_path_factory.mktemp('files')}/tidings.db"
    if request.param == "postgres":
        engine = request.getfixturevalue("postgres")
        store = engine.url(engine.create())
    env = {"TIDINGS_SECRET": SECRET}
    with ServerProcess(store, env=env) as one, ServerProcess(store, env=env) as two:
        yield one, two


async def say(server: ServerProcess, room: str, type: str, /, **data: Any) -> Answer:
    return await request(f"{server.url}/topics/rooms.{room}/events?type={type}", "POST", json.dumps(data), headers())


async def get(server: ServerProcess, path: str) -> Answer:
    return await request(server.url + path, headers=headers())


@asynccontextmanager
async def half_sent(server: ServerProcess, room: str) -> AsyncIterator[str]:
    """The path of a file of which half is sent, and some of it stored; in the end the client leaves."""
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    lines = [f"POST /rooms/{room}/files?name=half HTTP/1.1", "host: localhost", f"content-length: {len(CONTENT)}"]
    lines += [f"{name}: {value}" for name, value in headers().items()]
    writer.write("\r\n".join([*lines, "", ""]).encode() + CONTENT[: len(CONTENT) // 2])
    await writer.drain()
    async with Hub(server.store) as hub, asyncio.timeout(PATIENCE):
        while not (topics := await hub.topics(f"files.{room}.")):  # noqa: ASYNC110 another process's
            await asyncio.sleep(0.01)
    yield f"/rooms/{room}/files/{topics[0].rpartition('.')[2]}"
    writer.close()


async def test_a_file_sent_to_the_first_process_is_fetched_from_the_second(servers: Servers) -> None:
    one, two = servers
    await say(one, "den", "room.created", name="Den", private=True)
    sent = await request(f"{one.url}/rooms/den/files?name=plan.pdf", "POST", CONTENT, headers())
    assert sent.status == 201
    file = sent.json()
    path = sent.headers["location"]
    assert (await get(two, path)).body == CONTENT
    said = await say(two, "den", "message.posted", text="", files=[file["id"]])
    assert said.status == 201
    event = (await get(one, "/rooms/den")).json()["events"][-1]
    assert event["data"]["files"] == [file]
    assert (await say(one, "den", "message.deleted", message=said.json()["offset"])).status == 201
    for server in servers:
        assert (await get(server, path)).status == 404


async def test_an_upload_whose_client_leaves_is_no_file(servers: Servers) -> None:
    await say(servers[0], "attic", "room.created", name="Attic")
    async with half_sent(servers[0], "attic") as path:
        for server in servers:
            assert (await get(server, path)).status == 404
    sent = await request(f"{servers[0].url}/rooms/attic/files?name=plan.pdf", "POST", CONTENT, headers())
    assert sent.status == 201
    for server in servers:
        assert (await get(server, path)).status == 404
        assert "Traceback" not in "".join(server.output)


async def test_an_upload_whose_process_dies_is_no_file(servers: Servers) -> None:
    one, two = servers
    await say(one, "cellar", "room.created", name="Cellar")
    async with half_sent(one, "cellar") as path:
        await asyncio.to_thread(one.kill)
        await asyncio.to_thread(one.start)
        for server in servers:
            assert (await get(server, path)).status == 404
            id = path.rpartition("/")[2]
            assert (await say(server, "cellar", "message.posted", text="", files=[id])).status == 404
    async with Hub(two.store) as hub:
        head = await hub.log.describe(f"files.cellar.{path.rpartition('/')[2]}")
        assert head is not None
        assert (head.closed, head.ttl) == (False, 3600)  # it expires
    sent = await request(f"{one.url}/rooms/cellar/files?name=plan.pdf", "POST", CONTENT, headers())
    assert (await get(two, sent.headers["location"])).body == CONTENT
