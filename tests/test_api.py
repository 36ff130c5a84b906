"""Tests of the hub as applications have it: its public names, and its life over several event loops."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from tests.runs.scripted import says
from tidings import Hub
from tidings.errors import Unavailable
from tidings.server.app import create_app
from tidings.server.settings import Settings

PUBLIC = """
open close lifespan state drain
publish publish_many subscribe read describe configure close_topic delete topics redact
runs
"""
"""The names that applications use, which docs/reference/python.md explains."""

INSIDE = "log delivery leases"
"""The names for Tidings' own packages, which may change in any release."""


def test_the_names_of_a_hub() -> None:
    names = {name for name in dir(Hub("memory:")) if not name.startswith("_")}
    assert names == {*PUBLIC.split(), *INSIDE.split()}


@pytest.mark.parametrize("store", ["memory", "sqlite"])
def test_a_hub_opens_again_in_another_loop(store: str, tmp_path: Path) -> None:
    hub = Hub("memory:" if store == "memory" else f"sqlite:///{tmp_path}/tidings.db")

    async def live(n: int) -> list[str]:
        async with hub:
            assert hub.state == "open"
            await hub.publish("a", str(n))
            run = await hub.runs.start(says("Hello"), "?")
            assert (await run.wait()).type == "run.finished"
            hub.drain()
            assert hub.state == "draining"
            return [event.data for event in (await hub.read("a")).events]

    assert [asyncio.run(live(n)) for n in range(3)] == [["0"], ["0", "1"], ["0", "1", "2"]]
    assert hub.state == "closed"


async def test_a_hub_opens_again_in_the_same_loop(hub: Hub) -> None:
    await hub.publish("a", "1", close=True)
    for _ in range(3):
        await hub.close()
        await hub.close()
        with pytest.raises(Unavailable):
            await hub.read("a")
        await hub.open()
        with pytest.raises(RuntimeError):
            await hub.open()
        assert [event.data async for event in hub.subscribe("a", "earliest")] == ["1"]


@pytest.mark.parametrize("store", ["memory", "sqlite"])
def test_an_app_runs_under_one_test_client_after_another(store: str, tmp_path: Path) -> None:
    app = create_app(Settings(store="memory:" if store == "memory" else f"sqlite:///{tmp_path}/tidings.db"))
    for n in range(3):
        with TestClient(app, base_url="http://localhost") as client:
            assert client.post("/topics/a/events", content=str(n)).status_code == 201
            assert len(client.get("/topics/a/events").json()["events"]) == n + 1
            assert client.get("/rooms").status_code in (200, 401)
            assert client.get("/health").status_code == 200


def test_an_app_of_ones_own_runs_under_one_test_client_after_another() -> None:
    hub = Hub("memory:")
    app = FastAPI(lifespan=hub.lifespan)

    @app.post("/say")
    async def say(text: str) -> str:
        return str((await hub.publish("a", text)).n)

    for n in (1, 2):
        with TestClient(app) as client:
            assert client.post("/say?text=x").json() == str(n)
