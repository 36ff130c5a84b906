"""Presence is right across tabs, processes, and processes that die."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from tests.apps.members import SECRET, Member, token
from tests.asgi import Client, asking
from tests.http.conftest import Server, serving
from tests.http.problems import problem
from tests.serving import ServerProcess
from tidings.apps.people.here import GONE
from tidings.apps.people.presence import EVERY, LOOK
from tidings.testing import Clock


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving(secret=SECRET) as made:
        yield made


async def here(member: Member) -> dict[str, int]:
    answer = await member.get("/people")
    assert answer.status_code == 200, answer.text
    return {one["name"]: one["here"] for one in answer.json()["people"]}


def opened(member: Member, path: str = "/events?topic=presence") -> Any:
    return asking(member.server.app, path, headers=member.headers)


async def said(stream: Client) -> dict[str, int]:
    """Return the people of the next beat."""
    found: dict[str, int] = msgspec.json.decode((await stream.until("presence"))[-1].data)["here"]
    return found


async def test_a_person_is_here_while_a_stream_is_open(server: Server) -> None:
    mara, tom = Member(server, "Mara"), Member(server, "Tom")
    async with AsyncExitStack() as tabs:
        await tabs.enter_async_context(opened(mara))
        await tabs.enter_async_context(opened(mara))
        async with opened(tom, "/events?topic=users.Tom"):
            assert await here(mara) == {"Mara": 2, "Tom": 1}
        assert await here(tom) == {"Mara": 2}
    assert await here(tom) == {}


async def test_changes_are_told_within_a_second_and_a_beat_every_five(server: Server, tidings_clock: Clock) -> None:
    mara, tom = Member(server, "Mara"), Member(server, "Tom")
    async with opened(mara) as stream:
        await tidings_clock.advance(LOOK)
        assert await said(stream) == {"Mara": 1}
        async with opened(tom), opened(tom):
            await tidings_clock.advance(LOOK)
            assert await said(stream) == {"Mara": 1, "Tom": 2}
            await tidings_clock.advance(EVERY)
            assert await said(stream) == {"Mara": 1, "Tom": 2}
        await tidings_clock.advance(LOOK)
        assert await said(stream) == {"Mara": 1}
        assert not stream.waiting
    assert await server.hub.topics("presence") == [], "none of it is stored"


async def test_only_the_server_tells(server: Server) -> None:
    mara = Member(server, "Mara")
    beat = {"process": "x", "here": {"Tom": 1}}
    for query in ("?type=presence", "?type=presence&transient=true"):
        problem(await mara.post(f"/topics/presence/events{query}", beat), 403)
    problem(await mara.post("/topics/presence/close"), 403)
    problem(await mara.post("/runs", {"input": "x", "topic": "presence"}), 403)
    problem(await server.client.get("/people"), 401)
    assert await here(mara) == {}


async def test_who_has_chosen_no_name_is_not_counted() -> None:
    async with serving() as server, asking(server.app, "/events?topic=presence"):
        assert (await server.client.get("/people")).json() == {"people": []}


@pytest.fixture
def store(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/tidings.db"


class Elsewhere:
    """A tab that is connected to a server in a process of its own."""

    def __init__(self, process: ServerProcess, name: str) -> None:
        self.client = httpx.AsyncClient(base_url=process.url, timeout=60, trust_env=False)
        self.headers = {"authorization": f"Bearer {token(name)}"}

    async def __aenter__(self) -> Elsewhere:
        self._stream = self.client.stream("GET", "/events?topic=presence", headers=self.headers)
        assert (await self._stream.__aenter__()).status_code == 200
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.aclose()


@pytest.mark.parametrize("end", ["kill", "terminate"])
async def test_a_process_that_goes_takes_its_people_with_it(store: str, tidings_clock: Clock, end: str) -> None:
    """Killed, it is forgotten after a while; asked to go, it says so."""
    process = await asyncio.to_thread(ServerProcess, store, env={"TIDINGS_SECRET": SECRET})
    try:
        async with serving(secret=SECRET, store=store) as server:
            mara = Member(server, "Mara")
            async with Elsewhere(process, "Mara"), Elsewhere(process, "Tom"), opened(mara) as stream:
                while (await said(stream)).keys() != {"Mara", "Tom"}:
                    pass
                assert await here(mara) == {"Mara": 2, "Tom": 1}
                await asyncio.to_thread(getattr(process, end))
                if end == "kill":
                    assert await here(mara) == {"Mara": 2, "Tom": 1}
                    await tidings_clock.advance(GONE)
                else:
                    while await said(stream):
                        pass
                assert await here(mara) == {"Mara": 1}
    finally:
        await asyncio.to_thread(process.kill)
