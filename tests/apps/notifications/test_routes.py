"""A person's notifications over HTTP."""

from __future__ import annotations

import httpx
import pytest

from tests.apps.members import SECRET, Member
from tests.http.conftest import Server, serving
from tests.http.problems import problem
from tidings.access.tokens import sign

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_person_gets_the_newest_first_and_where_to_follow_on(mara: Member) -> None:
    shop = Member(mara.server, "shop", publish=("users.*",))
    for n in range(3):
        last = await shop.said("users.Mara_20Lindqvist", "notification.created", title=f"Order {n}")
    await mara.said("users.Mara_20Lindqvist", "topic.muted", topic="rooms.lobby")
    offset = await mara.said("users.Mara_20Lindqvist", "notification.read", offsets=[last])
    found = await mara.notifications()
    assert [one["title"] for one in found["notifications"]] == ["Order 2", "Order 1", "Order 0"]
    assert [one["read"] for one in found["notifications"]] == [True, False, False]
    assert found["unread"] == 2
    assert found["muted"] == ["rooms.lobby"]
    assert found["dnd"] is None
    assert (found["topic"], found["offset"]) == ("users.Mara_20Lindqvist", offset)


async def get(server: Server, name: str, subscribe: list[str]) -> httpx.Response:
    token = sign(SECRET, name, publish=[], subscribe=subscribe, seconds=60)
    return await server.client.get("/notifications", headers={"authorization": f"Bearer {token}"})


async def test_a_token_that_does_not_cover_the_persons_topic_reads_nothing(server: Server) -> None:
    problem(await server.client.get("/notifications"), 401)
    problem(await get(server, "Tom", ["rooms.*", "users.Tom.*"]), 403)
    assert (await get(server, "Tom", ["users.Tom"])).status_code == 200


async def test_a_visitor_without_a_name_is_asked_to_choose_one() -> None:
    async with serving() as server:
        problem(await server.client.get("/notifications"), 403, "Choose a name")
