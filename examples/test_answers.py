"""Test an app that streams: a reader that was away misses nothing, and an answer whose process dies ends.

    pip install pytest pytest-asyncio fastapi
    pytest -c /dev/null -o asyncio_mode=auto examples/test_answers.py

`-c /dev/null` leaves out this checkout's configuration, which needs more packages. The fixtures come with Tidings.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from fastapi import FastAPI, Response

from tidings import Hub
from tidings.testing import Clock, EventStreams


async def model(messages: Any) -> AsyncIterator[str]:
    for word in ("It ", "depends, ", "mostly."):
        yield word
        await asyncio.sleep(5)


@pytest.fixture
def app(tidings_hub: Hub) -> FastAPI:
    app = FastAPI()

    @app.get("/answers/{id}")
    async def answer(id: str) -> Response:
        return tidings_hub.runs.response(id)

    return app


def words(data: list[str]) -> str:
    return "".join(json.loads(text).get("delta", "") for text in data)


async def test_a_returning_reader_misses_nothing(app: FastAPI, tidings_hub: Hub, event_stream: EventStreams) -> None:
    run = await tidings_hub.runs.start(model, "What is best?")
    stream = await event_stream(app, f"/answers/{run.id}")
    await stream.until("block.delta", within=1)
    await stream.reconnect()
    await stream.until("run.finished", within=20)
    assert words(stream.data) == "It depends, mostly."


async def test_an_answer_ends_though_its_process_dies(
    app: FastAPI, tidings_hub: Hub, event_stream: EventStreams, tidings_clock: Clock
) -> None:
    run = await tidings_hub.runs.start(model, "What is best?")
    stream = await event_stream(app, f"/answers/{run.id}")
    await tidings_clock.advance(6)
    await stream.kill_producer()
    await stream.until("run.finished", within=10)
    assert (words(stream.data), (await run.state()).outcome) == ("It depends, ", "interrupted")
