"""The people who are here, over HTTP."""

from __future__ import annotations

import pytest

from tests.apps.members import SECRET, Member
from tests.asgi import asking
from tests.http.conftest import Server
from tests.http.problems import problem
from tidings.access.tokens import sign

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_people_with_an_open_stream_are_listed_by_name(server: Server, mara: Member, tom: Member) -> None:
    assert (await mara.get("/people")).json() == {"people": []}
    async with (
        asking(server.app, "/events?topic=presence", headers=tom.headers) as one,
        asking(server.app, "/events?topic=users.Mara_20Lindqvist", headers=mara.headers) as two,
        asking(server.app, "/events?topic=presence", headers=mara.headers) as three,
    ):
        assert [stream.status for stream in (one, two, three)] == [200, 200, 200]
        listed = (await mara.get("/people")).json()
        assert listed == {"people": [{"name": "Mara Lindqvist", "here": 2}, {"name": "Tom", "here": 1}]}
    assert (await mara.get("/people")).json() == {"people": []}


async def test_people_are_listed_for_who_may_read_the_topic_presence(server: Server) -> None:
    problem(await server.client.get("/people"), 401)
    narrow = sign(SECRET, "Tom", publish=[], subscribe=["rooms.*"], seconds=60)
    answer = await server.client.get("/people", headers={"authorization": f"Bearer {narrow}"})
    problem(answer, 403)
