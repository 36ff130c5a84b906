"""Rooms on two processes over one file: what one is told, the other keeps to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.apps.members import SECRET, token
from tests.serving import ServerProcess
from tests.streams import Answer, request, streaming


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ServerProcess, ServerProcess]]:
    store = f"sqlite:///{tmp_path_factory.mktemp('rooms')}/tidings.db"
    env = {"TIDINGS_SECRET": SECRET}
    with ServerProcess(store, env=env) as one, ServerProcess(store, env=env) as two:
        yield one, two


def headers(name: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token(name)}", "content-type": "application/json"}


TYPING = "/topics/rooms.vault/events?type=typing&transient=true"


async def say(server: ServerProcess, who: str, topic: str, type: str, /, **data: Any) -> Answer:
    return await request(f"{server.url}/topics/{topic}/events?type={type}", "POST", json.dumps(data), headers(who))


async def get(server: ServerProcess, name: str, path: str) -> Answer:
    return await request(server.url + path, headers=headers(name))


async def test_facts_told_to_the_first_process_hold_in_the_second(servers: tuple[ServerProcess, ServerProcess]) -> None:
    one, two = servers
    assert (await say(one, "Ann", "rooms.den", "room.created", name="Den", private=True)).status == 201
    assert (await say(two, "Ann", "rooms.den", "member.joined", member="Bob")).status == 201
    assert (await say(one, "Bob", "rooms.den", "message.posted", text="Hello from the other side")).status == 201
    assert (await get(two, "Bob", "/rooms/den")).json()["events"][-1]["data"]["text"] == "Hello from the other side"
    for server in servers:
        assert (await get(server, "Eve", "/rooms/den")).status == 403
        assert (await get(server, "Eve", "/events?topic=rooms.den&from=earliest")).status == 403
        assert len((await get(server, "Bob", "/search?q=other")).json()["hits"]) == 1
        assert (await get(server, "Eve", "/search?q=other")).json()["hits"] == []
        assert (await get(server, "Bob", "/rooms")).json()["rooms"][0]["members"] == 2


async def test_a_removal_on_the_first_process_ends_streams_on_the_second(
    servers: tuple[ServerProcess, ServerProcess],
) -> None:
    one, two = servers
    await say(one, "Ann", "rooms.attic", "room.created", name="Attic", private=True)
    await say(one, "Ann", "rooms.attic", "member.joined", member="Bob")
    path = f"{two.url}/events?topic=rooms.attic"
    async with streaming(path, headers=headers("Bob")) as his, streaming(path, headers=headers("Ann")) as hers:
        await say(one, "Ann", "rooms.attic", "member.left", member="Bob")
        left = [event.type async for event in his]
        assert not his.clean
        assert left in ([], ["member.left"])
        said = (await say(one, "Ann", "rooms.attic", "message.posted", text="He is gone")).json()["offset"]
        assert [(event.type, event.id) for event in await hers.take(2)][1] == ("message.posted", said)
    assert (await get(two, "Bob", "/events?topic=rooms.attic")).status == 403
    assert (await say(two, "Bob", "rooms.attic", "message.posted", text="Let me in")).status == 403


async def test_a_removed_reader_gets_nothing_after_the_removal_is_acknowledged(
    servers: tuple[ServerProcess, ServerProcess],
) -> None:
    """The reader follows on the other process. The message is posted as soon as the removal is acknowledged, and
    somebody types there."""
    one, two = servers
    await say(one, "Ann", "rooms.vault", "room.created", name="Vault", private=True)
    for n in range(40):
        joined = (await say(one, "Ann", "rooms.vault", "member.joined", member="Bob")).json()["offset"]
        path = f"{two.url}/events?topic=rooms.vault&from={joined}"
        async with streaming(path, headers=headers("Bob")) as stream:
            assert stream.status == 200
            removal = "member.banned" if n % 2 else "member.left"
            assert (await say(one, "Ann", "rooms.vault", removal, member="Bob")).status == 201
            typed = await request(f"{servers[n % 2].url}{TYPING}", "POST", "{}", headers("Ann"))
            assert typed.status == 202
            posted, page = await asyncio.gather(
                say(one, "Ann", "rooms.vault", "message.posted", text="He is gone"),
                get(two, "Bob", "/topics/rooms.vault/events?before=tail"),
            )
            assert (posted.status, page.status) == (201, 403)
            assert [event.type async for event in stream] in ([], [removal])
        if n % 2:
            await say(one, "Ann", "rooms.vault", "member.unbanned", member="Bob")


async def test_a_room_created_on_two_processes_belongs_to_the_first_creator(
    servers: tuple[ServerProcess, ServerProcess],
) -> None:
    answers = await asyncio.gather(
        *[say(servers[n % 2], f"P{n}", "rooms.race", "room.created", name=f"P{n}") for n in range(8)]
    )
    assert sorted(answer.status for answer in answers) == [201] + [409] * 7
    rooms = [(await get(server, "P0", "/rooms/race")).json()["room"] for server in servers]
    assert rooms[0]["by"] == rooms[1]["by"]
    assert len(rooms[0]["members"]) == 1


async def test_the_last_owner_stays_though_two_processes_are_left_at_once(
    servers: tuple[ServerProcess, ServerProcess],
) -> None:
    await say(servers[0], "Ann", "rooms.last", "room.created", name="Last")
    await say(servers[0], "Ann", "rooms.last", "member.joined", member="Bob", role="owner")
    answers = await asyncio.gather(
        *[
            say(server, name, "rooms.last", "member.left", member=name)
            for server, name in zip(servers, ("Ann", "Bob"), strict=True)
        ]
    )
    assert sorted(answer.status for answer in answers) == [201, 409]
    assert len((await get(servers[0], "Ann", "/rooms/last")).json()["room"]["members"]) == 1


async def test_a_room_outlives_its_process(tmp_path: Path) -> None:
    with ServerProcess(f"sqlite:///{tmp_path}/tidings.db", env={"TIDINGS_SECRET": SECRET}) as server:
        await say(server, "Ann", "rooms.keep", "room.created", name="Keep")
        lines = "\n".join('{"type":"message.posted","data":{"text":"%d"}}' % n for n in range(1000))  # noqa: UP031
        path = f"{server.url}/topics/rooms.keep/events"
        batch = {**headers("Ann"), "content-type": "application/x-ndjson"}
        assert (await request(path, "POST", lines, batch)).status == 201
        before = (await get(server, "Ann", "/rooms/keep")).json()
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)
        assert (await get(server, "Ann", "/rooms/keep")).json() == before
        assert before["events"][-1]["data"]["text"] == "999"
