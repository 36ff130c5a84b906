"""Workers as one server, and servers as one: the store and the people see the same from every process."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from tests.model_server import stand_in
from tests.server.test_worker import JSON, SECRET, forever, story
from tests.server.workers import Connections, Workers, serving
from tests.serving import PATIENCE, ServerProcess
from tests.streams import KeptConnection, Stream
from tidings.access.names import topics_of
from tidings.access.subject import PERSON
from tidings.access.tokens import sign

pytestmark = pytest.mark.slow

TOTAL, EACH = 12, 5


def bearer(name: str, **limits: int) -> dict[str, str]:
    """A person's token; its limits, where they are given, in place of those of people."""
    topics = [*topics_of(name), "a", "lobby"]
    token = sign(SECRET, name, publish=topics, subscribe=topics, seconds=3600, limits=limits or PERSON)
    return {"authorization": f"Bearer {token}"}


async def settled(look: Any) -> Any:
    """Look again and again until `look()` returns something that is true."""
    async with asyncio.timeout(PATIENCE):
        while True:
            if value := await look():
                return value
            await asyncio.sleep(0.05)


SETTINGS = {
    "TIDINGS_SECRET": SECRET,
    "TIDINGS_MAX_CONNECTIONS": str(TOTAL),
    "TIDINGS_MAX_CONNECTIONS_PER_SUBJECT": str(EACH),
    "TIDINGS_MODEL": "slow",
}


class Machines:
    """Two servers of one process each that share nothing but their store, as on two machines."""

    def __init__(self, servers: Sequence[ServerProcess]) -> None:
        self.connected: list[KeptConnection] = []
        self._servers = servers

    async def connections(self, *machines: int) -> Connections:
        found = {each: await KeptConnection.open(self._servers[each - 1].url) for each in machines}
        self.connected += found.values()
        return found


@pytest.fixture
async def server(shared_url: str) -> AsyncIterator[Workers]:
    async with (
        stand_in(forever) as model,
        serving(shared_url, TIDINGS_MODEL_URL=model.url, **SETTINGS) as made,
    ):
        yield made


@pytest.fixture
async def machines(postgres_url: str) -> AsyncIterator[Machines]:
    async with stand_in(forever) as model:
        env = {"TIDINGS_MODEL_URL": model.url, **SETTINGS}
        started = [asyncio.to_thread(ServerProcess, postgres_url, env=env) for _ in range(2)]
        servers = await asyncio.gather(*started)
        machines = Machines(servers)
        try:
            yield machines
        finally:
            for connection in machines.connected:
                connection.close()
            for server in servers:
                await asyncio.to_thread(server.kill)


async def figures(connection: KeptConnection, name: str) -> dict[int, float]:
    """A figure of each worker, as one of them tells it."""
    text = (await connection.request("/metrics")).body.decode()
    lines = [line for line in text.splitlines() if line.startswith(name + "{")]
    return {int(line.split('worker="')[1].split('"')[0]): float(line.split()[-1]) for line in lines}


async def test_workers_share_limits_metrics_keys_and_people(server: Workers) -> None:
    """Several promises share a server, since its start takes longest."""
    at = await server.connections(1, 2)
    await keys(at)
    await people_and_typing(server, at)
    await publishes(at)
    await runs_at_a_time(at)
    opened: list[Stream] = []
    await streams_of_a_person(server, opened)
    await streams_of_all(server, at, opened)


async def test_machines_share_limits_keys_and_people(machines: Machines) -> None:
    at = await machines.connections(1, 2)
    await keys(at)
    await people_and_typing(machines, at)
    await publishes(at)
    await runs_at_a_time(at)
    opened: list[Stream] = []
    await streams_of_a_person(machines, opened)
    for stream in opened:
        stream.close()


async def keys(at: Connections) -> None:
    """An idempotency key that one worker has seen is known to the other."""
    ann = bearer("Ann") | {"idempotency-key": "once"}
    said = [await at[worker].request("/topics/a/events", "POST", "x", ann) for worker in (1, 2)]
    assert [answer.status for answer in said] == [201, 200]
    assert said[0].json()["offset"] == said[1].json()["offset"]


async def people_and_typing(server: Workers | Machines, at: Connections) -> None:
    """The people of both workers are present at each, and a transient event reaches the other worker's readers."""
    follow = await server.connections(1, 2)
    streams = {
        worker: await follow[worker].follow("/events?topic=lobby", headers=bearer(name))
        for worker, name in ((1, "Ann"), (2, "Bob"))
    }

    async def both() -> bool:
        seen = [(await at[worker].request("/people", headers=bearer("Ann"))).json() for worker in (1, 2)]
        return all({"Ann", "Bob"} <= {person["name"] for person in people["people"]} for people in seen)

    await settled(both)
    reading = asyncio.create_task(anext(streams[2]))
    while not reading.done():  # at most once: a reader that is not level at that instant misses it
        await at[1].request("/topics/lobby/events?transient=true&type=typing", "POST", "Ann", bearer("Ann"))
        await asyncio.wait([reading], timeout=0.05)
    assert (reading.result().type, reading.result().data) == ("typing", "Ann")
    for stream in streams.values():
        stream.close()


async def publishes(at: Connections) -> None:
    """Events that a person publishes at one worker count at the other."""
    dan = bearer("Dan", publishes=20)
    body = "\n".join([json.dumps({"data": "x"})] * 20)
    nd = dan | {"content-type": "application/x-ndjson"}
    assert (await at[1].request("/topics/a/events", "POST", body, nd)).status == 201

    async def refused() -> bool:
        answer = await at[2].request("/topics/a/events", "POST", body, nd)
        return answer.status == 429

    assert await settled(refused)


async def runs_at_a_time(at: Connections) -> None:
    """A run that goes on at one worker takes a place at the other."""
    rex, asked = bearer("Rex", runs=1) | JSON, json.dumps({"input": "well?", "assistant": "model"})
    started = await at[1].request("/runs", "POST", asked, rex)
    assert started.status == 201, started

    async def refused() -> bool:
        answer = await at[2].request("/runs", "POST", asked, rex)
        if answer.status == 201:
            await at[2].request(f"/runs/{answer.json()['run']}/stop", "POST", headers=rex)
        return answer.status == 429

    assert await settled(refused)
    run = started.json()["run"]
    await at[2].request(f"/runs/{run}/stop", "POST", headers=rex)

    async def accepted() -> bool:
        return (await at[2].request("/runs", "POST", asked, rex)).status == 201

    assert await settled(accepted)


async def status(server: Workers | Machines, opened: list[Stream], worker: int, name: str) -> int:
    """Open a stream as a person, and return the status of the answer."""
    connection = (await server.connections(worker))[worker]
    stream = await connection.follow("/events?topic=a", headers=bearer(name))
    if stream.status == 200:
        opened.append(stream)
    else:
        connection.close()
    return stream.status


async def streams_of_a_person(server: Workers | Machines, opened: list[Stream]) -> None:
    """The streams of both workers count against the limit of a person."""
    assert [await status(server, opened, 1, "Eve") for _ in range(EACH)] == [200] * EACH
    assert await status(server, opened, 1, "Eve") == 429

    async def known() -> bool:
        return await status(server, opened, 2, "Eve") == 429

    await settled(known)


async def streams_of_all(server: Workers, at: Connections, opened: list[Stream]) -> None:
    """The streams of both workers count against the limit of the server, and its metrics show all of them."""
    while len(opened) < TOTAL:
        assert await status(server, opened, 1 + len(opened) % 2, f"Guest {len(opened)}") == 200

    async def counted() -> bool:
        seen = [await figures(at[worker], "tidings_streams_open") for worker in (1, 2)]
        return all(set(each) == {1, 2} and sum(each.values()) >= TOTAL for each in seen)

    await settled(counted)
    assert [await status(server, opened, worker, "Late") for worker in (1, 2)] == [429, 429]
    for stream in opened:
        stream.close()


async def test_a_stop_reaches_the_worker_that_runs_the_run(postgres_url: str) -> None:
    async with (
        stand_in(forever) as model,
        serving(postgres_url, TIDINGS_MODEL_URL=model.url, TIDINGS_MODEL="slow") as server,
    ):
        at = await server.connections(1, 2)
        for here, there in ((1, 2), (2, 1)):
            said = await at[here].request("/runs", "POST", json.dumps({"input": "well?"}), JSON)
            run = said.json()["run"]
            stopped = await at[there].request(f"/runs/{run}/stop", "POST")
            assert stopped.status < 300
            assert (await story(server, run))[-1]["outcome"] == "cancelled"


async def test_a_worker_that_was_paused_writes_nothing_when_it_wakes(shared_url: str) -> None:
    """Its run was ended by the other worker meanwhile, and everything else is as that one left it."""
    async with (
        stand_in(forever) as model,
        serving(shared_url, TIDINGS_MODEL_URL=model.url, TIDINGS_MODEL="slow") as server,
    ):
        at = await server.connections(1, 2)
        said = await at[1].request("/runs", "POST", json.dumps({"input": "well?"}), JSON)
        run = said.json()["run"]
        await pause(server, at, 1)
        stream = await at[2].follow(f"/runs/{run}/events")
        events = await stream.take(1000)
        assert [event.type for event in events][-2:] == ["run.finished", "tidings.end"]
        assert json.loads(events[-2].data)["outcome"] == "interrupted"
        server.signal(1, signal.SIGCONT)
        await server.said("worker 1: runs.*is stopped|is written by this process no longer")
        assert (await at[1].request("/health/live")).json()["worker"] == 1
        assert [json.loads(event.data) for event in events[:-1]] == await story(server, run)


async def pause(server: Workers, at: Connections, worker: int) -> None:
    """Halt a worker outside of a write: SQLite lets nobody write while a halted process does."""
    (other,) = at.keys() - {worker}
    while True:
        server.signal(worker, signal.SIGSTOP)
        writing = asyncio.create_task(at[other].request("/topics/other/events", "POST", "x"))
        if await asyncio.wait([writing], timeout=1.0) == ({writing}, set()):
            assert writing.result().status == 201
            return
        server.signal(worker, signal.SIGCONT)
        await writing
