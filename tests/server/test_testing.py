"""The fixture `tidings_app`: the server's app in the test's own process, whatever the environment says."""

from __future__ import annotations

import subprocess
import sys

import pytest
from fastapi import FastAPI

from tidings import Hub
from tidings.testing import EventStreams


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDINGS_SECRET", "a secret of some server in the environment")
    monkeypatch.setenv("TIDINGS_PORT", "no number")


async def test_the_app_serves_the_hub_of_the_test_without_a_key(
    environment: None, tidings_app: FastAPI, tidings_hub: Hub, event_stream: EventStreams
) -> None:
    assert tidings_app.state.hub is tidings_hub
    await tidings_hub.publish("a", "one")
    stream = await event_stream(tidings_app, "/events?topic=a&from=earliest")
    assert (await stream.next()).data == "one"
    await tidings_hub.publish("a", "two")
    assert (await stream.next()).data == "two"


async def test_the_app_does_not_open_or_close_the_hub(tidings_app: FastAPI, tidings_hub: Hub) -> None:
    async with tidings_app.router.lifespan_context(tidings_app):
        await tidings_hub.publish("a", "one")
    await tidings_hub.publish("a", "two")


def test_the_plugin_needs_no_server_until_a_test_asks_for_the_app() -> None:
    code = "import sys, tidings.server.testing; print(*sorted({'fastapi', 'uvicorn', 'starlette'} & set(sys.modules)))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == ""
