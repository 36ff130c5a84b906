"""Health and metrics."""

from __future__ import annotations

import pytest

from tests.asgi import asking
from tests.http.conftest import Server, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def numbers(server: Server) -> dict[str, float]:
    answer = await server.client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    lines = [line.rpartition(" ") for line in answer.text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


async def test_it_is_well_until_it_drains() -> None:
    async with serving() as server:
        answer = await server.client.get("/health")
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
        server.hub.drain()
        answer = await server.client.get("/health")
        assert (answer.status_code, answer.json()) == (503, {"status": "draining"})


async def test_what_is_counted() -> None:
    async with serving() as server:
        before = await numbers(server)
        assert before["tidings_streams_open"] == 0
        async with asking(server.app, "/events?topic=a") as one, asking(server.app, "/events?topic=a") as two:
            await one.reach(lambda: one.body)
            await two.reach(lambda: two.body)
            for _ in range(3):
                await server.hub.append("a", [("message", "x")] * 10)
                await one.take(10)
                await two.take(10)
            now = await numbers(server)
            assert now["tidings_events_published_total"] == 30
            assert now["tidings_events_delivered_total"] == 60
            assert 0 <= now["tidings_writes_total"] <= 6
            assert now["tidings_streams_open"] == 2
            assert now["tidings_streams_catching_up"] == 0
            assert now["tidings_topics_warm"] == 1
            assert now["tidings_draining"] == 0
            assert now["process_resident_memory_bytes"] > 1e6
            two.freeze()
            await server.hub.append("a", [("message", "x")])
            await two.reach(lambda: two.waiting)
            assert (await numbers(server))["tidings_streams_catching_up"] == 1
        assert (await numbers(server))["tidings_streams_open"] == 0


async def test_two_hubs_in_one_process_do_not_collide() -> None:
    async with serving() as one, serving() as two:
        await one.hub.publish("a", "x")
        assert (await numbers(one))["tidings_events_published_total"] == 1
        assert (await numbers(two))["tidings_events_published_total"] == 0
