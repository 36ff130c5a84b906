"""Health and metrics."""

from __future__ import annotations

import asyncio

import pytest

from tests.asgi import asking
from tests.http.conftest import Server, serving
from tidings.errors import Unavailable
from tidings.http import health

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def numbers(server: Server) -> dict[str, float]:
    answer = await server.client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    lines = [line.rpartition(" ") for line in answer.text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


async def test_the_health_is_ok_until_the_drain() -> None:
    async with serving() as server:
        answer = await server.client.get("/health")
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
        server.hub.drain()
        answer = await server.client.get("/health")
        assert (answer.status_code, answer.json()) == (503, {"status": "draining"})


async def test_the_metrics_count_events_and_streams() -> None:
    async with serving() as server:
        before = await numbers(server)
        assert before["tidings_streams_open"] == 0
        async with asking(server.app, "/events?topic=a") as one, asking(server.app, "/events?topic=a") as two:
            await one.reach(lambda: one.body)
            await two.reach(lambda: two.body)
            for _ in range(3):
                await server.hub.log.append("a", [("message", "x")] * 10)
                await one.take(10)
                await two.take(10)
            now = await numbers(server)
            assert now["tidings_events_published_total"] == 30
            assert now["tidings_events_delivered_total"] == 60
            assert 0 <= now["tidings_writes_total"] <= 6
            assert now["tidings_streams_open"] == 2
            assert now["tidings_streams_catching_up"] == 0
            assert now["tidings_topics_warm"] == 3, "the server follows ended sessions and the judge of alerts"
            assert now["tidings_draining"] == 0
            assert now["process_resident_memory_bytes"] > 1e6
            two.freeze()
            await server.hub.log.append("a", [("message", "x")])
            await two.reach(lambda: two.waiting)
            assert (await numbers(server))["tidings_streams_catching_up"] == 1
        assert (await numbers(server))["tidings_streams_open"] == 0


async def test_two_hubs_in_one_process_do_not_collide() -> None:
    async with serving() as one, serving() as two:
        await one.hub.publish("a", "x")
        assert (await numbers(one))["tidings_events_published_total"] == 1
        assert (await numbers(two))["tidings_events_published_total"] == 0


class Probed:
    """The probes of a store, and the outcome that the next of them has."""

    def __init__(self, server: Server, patch: pytest.MonkeyPatch) -> None:
        self.count = 0
        self.outcome: BaseException | float | None = None
        self.hangs = False
        patch.setattr(server.hub.delivery, "probe", self)

    async def __call__(self) -> float | None:
        self.count += 1
        if self.hangs:
            await asyncio.Event().wait()
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome


@pytest.mark.parametrize("path", ["/health", "/health/ready"])
async def test_a_store_that_cannot_be_written_makes_a_process_unready(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving() as server:
        probed = Probed(server, monkeypatch)
        probed.outcome = Unavailable("The database cannot be used: its disk is full.")
        for _ in range(2):
            answer = await server.client.get(path)
            assert (answer.status_code, answer.json()) == (
                503,
                {"status": "unavailable", "detail": "The database cannot be used: its disk is full."},
            )
        assert (await server.client.get("/health/live")).json() == {"status": "ok"}
        probed.outcome = 60.1234
        answer = await server.client.get(path)
        assert answer.status_code == 200
        assert answer.json()["last_commit"] == 60.123


async def test_a_store_that_hangs_makes_a_process_unready_within_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "PATIENCE", 0.01)
    async with serving() as server:
        probed = Probed(server, monkeypatch)
        probed.hangs = True
        answer = await server.client.get("/health/ready")
        assert (answer.status_code, answer.json()["detail"]) == (503, "The store does not answer.")


async def test_the_age_of_the_last_commit_is_told() -> None:
    async with serving() as server:
        assert "last_commit" not in (await server.client.get("/health/ready")).json()
        await server.hub.publish("a", "x")
        assert 0 <= (await server.client.get("/health/ready")).json()["last_commit"] < 60
