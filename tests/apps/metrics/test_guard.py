"""The guard of `metrics.server`: the first read makes it begin, and nobody but the server publishes there."""

from __future__ import annotations

import pytest

from tests.apps.members import SECRET
from tests.asgi import asking
from tests.http.conftest import Server, serving
from tidings.access.tokens import sign

pytestmark = pytest.mark.asyncio(loop_scope="module")


def bearer(name: str, *topics: str, person: bool = False) -> dict[str, str]:
    token = sign(SECRET, name, publish=topics, subscribe=topics, seconds=60, limits="person" if person else None)
    return {"authorization": f"Bearer {token}"}


async def test_a_stream_of_the_topic_makes_it_begin() -> None:
    async with serving() as server, asking(server.app, "/events?topic=metrics.server&after=earliest") as stream:
        await stream.take(1)
        assert b'"streams":1' in stream.body


async def test_a_setting_keeps_the_topic_away() -> None:
    async with serving(metrics=False) as server:
        assert (await server.client.get("/topics/metrics.server")).status_code == 404
        assert (await server.client.get("/topics")).json() == {"topics": []}


async def test_only_the_server_publishes_to_it_and_other_topics_beside_it_are_free(server: Server) -> None:
    ask = server.client.post
    answer = await ask("/topics/metrics.server/events", content="1", headers=bearer("ops", "*"))
    assert answer.status_code == 403
    assert "the server itself" in answer.json()["detail"]
    answer = await ask("/topics/metrics.cpu/events?expected=new", content="1", headers=bearer("ops", "metrics.*"))
    assert answer.status_code == 201


async def test_tokens_decide_who_reads_and_who_configures(server: Server) -> None:
    ask, url = server.client, "/topics/metrics.server"
    assert (await ask.get(url, headers=bearer("a", "rooms.*"))).status_code == 403
    assert (await ask.get(url, headers=bearer("a", "metrics.server"))).status_code in (200, 404)
    limits = {"max_age": 3600}
    assert (await ask.put(url, json=limits, headers=bearer("a", "metrics.server", person=True))).status_code == 403
    assert (await ask.put(url, json=limits, headers=bearer("a", "metrics.server"))).status_code == 200
