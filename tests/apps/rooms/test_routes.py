"""Tests of the list of rooms, and of a room that is opened."""

from __future__ import annotations

import pytest

from tests.apps.members import Member, room
from tests.http.conftest import Server
from tests.http.problems import problem

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def summary(member: Member, id: str) -> dict[str, object] | None:
    rooms = (await member.get("/rooms")).json()["rooms"]
    return next((listed for listed in rooms if listed["id"] == id), None)


async def test_a_list_counts_what_is_unread_for_each_person(id: str, mara: Member, tom: Member) -> None:
    topic = await room(mara, id, tom)
    await mara.said(topic, "message.posted", text="hi @Tom")
    last = await mara.said(topic, "message.posted", text="ho")
    listed = await summary(tom, id)
    assert listed is not None
    assert (listed["role"], listed["members"], listed["tail"]) == ("member", 2, last)
    assert (listed["unread"], listed["mentions"], listed["read"]) == (2, 1, None)
    mine = await summary(mara, id)
    assert mine is not None
    assert (mine["role"], mine["unread"]) == ("owner", 0)


async def test_a_private_room_is_listed_and_opened_for_its_members(id: str, mara: Member, tom: Member) -> None:
    await room(mara, id, private=True)
    assert await summary(mara, id) is not None
    assert await summary(tom, id) is None
    problem(await tom.get(f"/rooms/{id}"), 403)


async def test_an_opened_room_has_its_last_events_and_where_to_read_back(id: str, mara: Member) -> None:
    topic = await room(mara, id)
    short = (await mara.get(f"/rooms/{id}")).json()
    assert [event["type"] for event in short["events"]] == ["room.created"]
    assert short["previous"] is None
    lines = "\n".join(f'{{"type":"message.posted","data":{{"text":"{n}"}}}}' for n in range(120))
    headers = {**mara.headers, "content-type": "application/x-ndjson"}
    assert (await mara.server.client.post(f"/topics/{topic}/events", content=lines, headers=headers)).status_code == 201
    opened = (await mara.get(f"/rooms/{id}")).json()
    assert [event["data"]["text"] for event in opened["events"]] == [str(n) for n in range(20, 120)]
    assert opened["offset"] == opened["events"][-1]["offset"]
    before = (await mara.get(f"/topics/{topic}/events?before={opened['previous']}&limit=1")).json()["events"]
    assert [event["data"]["text"] for event in before] == ["19"]


async def test_a_room_that_does_not_exist_is_not_found(server: Server, mara: Member) -> None:
    problem(await mara.get("/rooms/nowhere"), 404)
    problem(await mara.get("/search?q=x&room=nowhere"), 404)
