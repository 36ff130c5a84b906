"""Tests of presence: over tabs, over processes, over processes that die, and what it costs."""

from __future__ import annotations

import asyncio
import time
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
from tidings.access.tokens import sign
from tidings.apps.people.here import GONE, Beat, Here, Process
from tidings.apps.people.presence import EVERY, LOOK, PROCESSES
from tidings.testing import Clock


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving(secret=SECRET) as made:
        yield made


async def here(member: Member) -> dict[str, int]:
    """Return the people that `GET /people` lists."""
    answer = await member.get("/people")
    assert answer.status_code == 200, answer.text
    return {person["name"]: person["here"] for person in answer.json()["people"]}


def opened(member: Member, path: str = "/events?topic=presence") -> Any:
    return asking(member.server.app, path, headers=member.headers)


class Follower:
    """A client that follows presence as the page does: it folds the beats, and needs nothing else."""

    def __init__(self, stream: Client) -> None:
        self.stream = stream
        self.folded = Here()
        self.missed = 0

    async def next(self) -> dict[str, int]:
        """Return the people after the next beat."""
        beat = msgspec.json.decode((await self.stream.until("presence"))[-1].data, type=Beat)
        self.missed += not self.folded.hear(beat, time.monotonic())
        return self.folded.people(time.monotonic())


async def test_a_person_is_here_while_a_stream_is_open(server: Server, tidings_clock: Clock) -> None:
    mara, tom = Member(server, "Mara"), Member(server, "Tom")
    async with AsyncExitStack() as tabs:
        await tabs.enter_async_context(opened(mara))
        await tabs.enter_async_context(opened(mara))
        async with opened(tom, "/events?topic=users.Tom"):
            await tidings_clock.advance(LOOK)
            assert await here(mara) == {"Mara": 2, "Tom": 1}
        await tidings_clock.advance(LOOK)
        assert await here(tom) == {"Mara": 2}
    await tidings_clock.advance(LOOK)
    assert await here(tom) == {}


async def test_changes_are_told_within_a_second_and_a_beat_every_five(server: Server, tidings_clock: Clock) -> None:
    mara, tom = Member(server, "Mara"), Member(server, "Tom")
    async with opened(mara) as stream:
        follower = Follower(stream)
        await tidings_clock.advance(LOOK)
        assert await follower.next() == {"Mara": 1}
        async with opened(tom), opened(tom):
            await tidings_clock.advance(LOOK)
            assert await follower.next() == {"Mara": 1, "Tom": 2}
            await tidings_clock.advance(EVERY)
            assert await follower.next() == {"Mara": 1, "Tom": 2}
        await tidings_clock.advance(LOOK)
        assert await follower.next() == {"Mara": 1}
        assert follower.missed == 0
        assert [event.type for event in stream.events] == ["presence"] * 4
    assert await server.hub.topics("presence") == [], "none of it is stored"


async def test_a_list_goes_on_with_the_next_beat(server: Server, tidings_clock: Clock) -> None:
    mara, tom = Member(server, "Mara"), Member(server, "Tom")
    async with opened(tom):
        await tidings_clock.advance(LOOK)
        async with opened(mara) as stream:
            follower = Follower(stream)
            await follower.next()
            assert follower.missed == 1, "Tom was there before"
            for process in (await mara.get("/people")).json()["processes"]:
                follower.folded.replace(msgspec.convert(process, Process), time.monotonic())
            async with opened(mara):
                await tidings_clock.advance(LOOK)
                assert await follower.next() == {"Mara": 2, "Tom": 1}
        assert follower.missed == 1


async def test_presence_of_300_people_costs_what_changes(server: Server, tidings_clock: Clock) -> None:
    people = [Member(server, f"Person number {n}") for n in range(300)]
    passing = Member(server, "Coming and going")
    async with AsyncExitStack() as tabs:
        streams = [await tabs.enter_async_context(opened(person)) for person in people]

        def received() -> float:
            """Return the bytes that each reader has received."""
            return sum(len(stream.body) for stream in streams) / len(streams)

        await tidings_clock.advance(2 * LOOK)
        assert len(await here(people[0])) == 300
        before = received()
        await tidings_clock.advance(4 * EVERY)
        assert 3 * 40 < received() - before < 5 * 90, "when nothing happens"
        before = received()
        for _ in range(5):
            async with opened(passing) as stream:
                assert stream.status == 200
                await tidings_clock.advance(LOOK)
            await tidings_clock.advance(LOOK)
        await tidings_clock.advance(LOOK)
        assert 10 * 60 < received() - before < 12 * 130, "when a connection comes and goes"


async def test_only_the_server_tells(server: Server) -> None:
    mara = Member(server, "Mara")
    beat = {"process": "x", "here": {"Tom": 1}}
    for query in ("?type=presence", "?type=presence&transient=true"):
        problem(await mara.post(f"/topics/presence/events{query}", beat), 403)
    problem(await mara.post("/topics/presence/close"), 403)
    problem(await mara.post("/runs", {"input": "x", "topic": "presence"}), 403)
    problem(await server.client.get("/people"), 401)
    wider = sign(SECRET, "Eve", publish=[], subscribe=["presence.*"], seconds=60)
    headers = {"authorization": f"Bearer {wider}"}
    async with asking(server.app, f"/events?topic={PROCESSES}", headers=headers) as stream:
        assert stream.status == 403
    assert await here(mara) == {}


async def test_a_person_without_a_name_is_not_counted(tidings_clock: Clock) -> None:
    async with serving() as server, asking(server.app, "/events?topic=presence"):
        await tidings_clock.advance(LOOK)
        assert (await server.client.get("/people")).json()["people"] == []


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
    """A killed process is forgotten after a while; a process that is asked to go says so. A process that comes later
    asks for the people who are there."""
    process = await asyncio.to_thread(ServerProcess, store, env={"TIDINGS_SECRET": SECRET})
    try:
        async with (
            Elsewhere(process, "Mara"),
            Elsewhere(process, "Tom"),
            serving(secret=SECRET, store=store) as server,
        ):
            mara = Member(server, "Mara")
            async with opened(mara) as stream:
                await until(mara, stream, {"Mara": 2, "Tom": 1})
                await asyncio.to_thread(getattr(process, end))
                if end == "kill":
                    assert await here(mara) == {"Mara": 2, "Tom": 1}
                    await tidings_clock.advance(GONE)
                await until(mara, stream, {"Mara": 1})
    finally:
        await asyncio.to_thread(process.kill)


async def until(member: Member, stream: Client, people: dict[str, int]) -> None:
    """Read the list again after each beat of any process, until it has these people."""
    while await here(member) != people:
        await stream.until("presence")
