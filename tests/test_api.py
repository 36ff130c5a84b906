"""Tests of the hub as applications have it: its public names, and its life over several event loops."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from tests.runs.scripted import says
from tests.serving import PATIENCE
from tidings import Hub
from tidings.errors import Unavailable

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


SUITE = """
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from tidings import Hub
from tidings.server.app import create_app
from tidings.server.settings import Settings

app = create_app(Settings(store="STORE"))

@pytest.mark.parametrize("n", range(3))
def test_the_server(n):
    with TestClient(app, base_url="http://localhost") as client:
        assert client.post("/topics/a/events", content=str(n)).status_code == 201
        assert len(client.get("/topics/a/events").json()["events"]) == n + 1
        assert client.get("/rooms").status_code in (200, 401)
        assert client.get("/health").status_code == 200

hub = Hub("STORE")
own = FastAPI(lifespan=hub.lifespan)

@own.post("/say")
async def say(text: str) -> str:
    return str((await hub.publish("b", text)).n)

@pytest.mark.parametrize("n", [1, 2])
def test_an_app_of_my_own(n):
    with TestClient(own) as client:
        assert client.post("/say?text=x").json() == str(n)
"""
"""The tests of an application whose modules make the app and the hub once, as people write them."""


@pytest.mark.parametrize("store", ["memory:", "sqlite:///tidings.db"])
def test_an_app_runs_under_one_test_client_after_another(store: str, tmp_path: Path) -> None:
    """The suite has a process of its own, as an application's tests do."""
    suite = tmp_path / "test_app.py"
    suite.write_text(SUITE.replace("STORE", store))
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null", str(suite)]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 passed" in done.stdout
