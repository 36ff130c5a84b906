"""Tests of the guard of rooms: the limits of a person, and what nobody may do."""

from __future__ import annotations

import asyncio

import pytest

from tests.apps.members import SECRET, Member, room
from tests.http.conftest import Server, serving
from tests.http.problems import problem
from tidings.access.names import topics_of
from tidings.access.tokens import sign

pytestmark = pytest.mark.asyncio(loop_scope="module")


def limited(server: Server, name: str, **limits: int) -> Member:
    """A person whose token has these limits."""
    member, topics = Member(server, name), topics_of(name)
    token = sign(SECRET, name, publish=topics, subscribe=topics, seconds=60, limits=limits)
    member.headers = {"authorization": f"Bearer {token}"}
    return member


async def test_rooms_and_members_are_limited_for_a_person(server: Server, id: str, tom: Member) -> None:
    mara = limited(server, "Mara", rooms=1, members=1)
    topic = await room(mara, id, tom)
    problem(await mara.say(f"rooms.{id}-2", "room.created", name="Two"), 429)
    problem(await mara.say(topic, "member.joined", member="Ada"), 429)
    assert (await mara.say(topic, "message.posted", text="hi")).status_code == 201


async def test_calls_of_assistants_are_limited_for_a_person(server: Server, id: str) -> None:
    mara = limited(server, "Olga", runs_an_hour=1)
    topic = await room(mara, id)
    await mara.said(topic, "message.posted", text="@assistant hello")
    calls = server.script.calls
    problem(await mara.say(topic, "message.posted", text="@assistant hello"), 429)
    assert server.script.calls == calls


async def test_answers_under_way_in_rooms_are_limited_for_a_person(server: Server, id: str) -> None:
    """Also if the questions come at once: each holds its place before it is stored."""
    mara = limited(server, "Ines", runs=2)
    topics = [await room(mara, f"{id}-{n}") for n in range(4)]
    server.script.go.clear()
    asked = [mara.say(topic, "message.posted", text="@assistant !wait") for topic in topics]
    statuses = sorted(answer.status_code for answer in await asyncio.gather(*asked))
    assert statuses == [201, 201, 429, 429]
    problem(await mara.post("/runs", {"input": "hi"}), 429, "2 runs under way")
    server.script.go.set()


async def test_topics_that_runs_are_announced_in_are_limited_for_a_person(server: Server, id: str) -> None:
    mara = limited(server, "Nina", topics=1)
    asked = [await mara.post("/runs", {"input": "hi", "topic": f"conversations.{id}-{n}"}) for n in (1, 1, 2)]
    assert [answer.status_code for answer in asked] == [201, 201, 429]
    assert await server.hub.topics(f"conversations.{id}-") == [f"conversations.{id}-1"]


async def test_a_room_is_neither_configured_nor_closed_nor_deleted(server: Server, id: str, mara: Member) -> None:
    topic = await room(mara, id)
    ask = server.client.request
    for method, path in (("PUT", ""), ("DELETE", ""), ("POST", "/close")):
        problem(await ask(method, f"/topics/{topic}{path}", json={}, headers=mara.headers), 403)
    assert (await mara.get(f"/rooms/{id}")).status_code == 200


async def test_only_typing_is_transient(server: Server, id: str, mara: Member, tom: Member) -> None:
    topic = await room(mara, id)
    problem(await mara.post(f"/topics/{topic}/events?type=message.posted&transient=true", {"text": "hi"}), 400)
    assert (await mara.post(f"/topics/{topic}/events?type=typing&transient=true", {})).status_code == 202
    problem(await tom.post(f"/topics/{topic}/events?type=typing&transient=true", {}), 403)


async def test_a_person_without_a_name_may_read_a_public_room_and_not_write() -> None:
    async with serving() as server:
        await server.hub.publish("rooms.lobby", {"by": "Mara", "name": "Lobby"}, "room.created")
        assert (await server.client.get("/rooms/lobby")).status_code == 200
        problem(await server.client.post("/topics/rooms.lobby/events?type=message.posted", json={"text": "x"}), 403)
