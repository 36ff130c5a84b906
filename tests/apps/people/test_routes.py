"""Tests of the list of people who are here."""

from __future__ import annotations

from typing import Any

import pytest

from tests.apps.members import SECRET, Member
from tests.asgi import asking
from tests.http.conftest import Server
from tests.http.problems import problem
from tidings.access.tokens import sign
from tidings.testing.stream import EventStream

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def until(member: Member, stream: EventStream, people: list[dict[str, Any]]) -> dict[str, Any]:
    """Read the list again after each event of `presence`, until it has these people."""
    while True:
        listed: dict[str, Any] = (await member.get("/people")).json()
        if listed["people"] == people:
            return listed
        await stream.until("presence")


async def test_people_with_an_open_stream_are_listed_by_name(server: Server, mara: Member, tom: Member) -> None:
    listed = (await mara.get("/people")).json()
    assert (listed["people"], [process["version"] for process in listed["processes"]]) == ([], [0])
    both = [{"name": "Mara Lindqvist", "here": 2}, {"name": "Tom", "here": 1}]
    async with asking(server.app, "/events?topic=presence", headers=tom.headers) as one:
        async with (
            asking(server.app, "/events?topic=users.Mara_20Lindqvist", headers=mara.headers) as two,
            asking(server.app, "/events?topic=presence", headers=mara.headers) as three,
        ):
            assert [stream.status for stream in (one, two, three)] == [200, 200, 200]
            [process] = (await until(mara, one, both))["processes"]
            assert process["here"] == {"Mara Lindqvist": 2, "Tom": 1}
        await until(mara, one, [{"name": "Tom", "here": 1}])


async def test_a_token_without_the_topic_presence_gets_no_list(server: Server) -> None:
    problem(await server.client.get("/people"), 401)
    narrow = sign(SECRET, "Tom", publish=[], subscribe=["rooms.*"], seconds=60)
    answer = await server.client.get("/people", headers={"authorization": f"Bearer {narrow}"})
    problem(answer, 403)
