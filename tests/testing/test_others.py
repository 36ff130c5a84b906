"""The kit reads the streams of others as well as ours, and breaks them the same ways."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.testing.apps import APPS
from tidings.testing import Clock, EventStreams, event


@pytest.fixture(params=APPS)
def name(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture
def app(name: str) -> Any:
    return APPS[name]()


async def test_events_are_read_to_the_end(app: Any, event_stream: EventStreams) -> None:
    stream = await event_stream(app, "/count")
    assert stream.status == 200
    assert stream.headers["content-type"].startswith("text/event-stream")
    assert (await stream.next()).data == "one"
    assert [event.id for event in await stream.take(2)] == ["2", "3"]
    assert await stream.end() == []
    assert stream.clean
    assert stream.events == [event("message", "one", "1"), event(data="two"), event(id="3")]
    await stream.reconnect()
    assert await stream.end() == []
    assert len(stream.events) == 3


async def test_a_client_that_comes_back_goes_on(app: Any, event_stream: EventStreams, tidings_clock: Clock) -> None:
    stream = await event_stream(app, "/wait")
    await stream.next()
    began = time.time()
    await stream.reconnect()
    assert time.time() - began >= 3, "the reconnection time of those who were told none"
    assert stream.last_event_id == "1"
    assert dict(stream.connection.scope["headers"])[b"last-event-id"] == b"1"
    await stream.drop()
    assert stream.clean is False


async def test_a_client_that_left_is_noticed(app: Any, event_stream: EventStreams) -> None:
    stream = await event_stream(app, "/wait")
    await stream.next()
    await stream.drop()
    assert stream.done
    assert stream.clean is False


async def test_a_delayed_event_comes_when_the_clock_has_advanced(
    app: Any, event_stream: EventStreams, tidings_clock: Clock
) -> None:
    stream = await event_stream(app, "/wait")
    await stream.next()
    await tidings_clock.advance(29)
    assert len(stream.events) == 1
    assert (await stream.next(within=2)).data == "two"


@pytest.mark.parametrize("name", ["fastapi.sse", "sse-starlette"])
async def test_keep_alives_come(name: str, event_stream: EventStreams, tidings_clock: Clock) -> None:
    stream = await event_stream(APPS[name](), "/wait")
    await stream.next()
    await tidings_clock.advance(14)
    assert stream.comments == []
    await tidings_clock.advance(2)
    (comment,) = stream.comments
    assert comment.startswith("ping")


async def test_a_frozen_reader_makes_the_app_wait(app: Any, event_stream: EventStreams, tidings_clock: Clock) -> None:
    stream = await event_stream(app, "/wait")
    await stream.next()
    stream.freeze()
    await tidings_clock.advance(31)
    assert stream.waiting
    assert len(stream.events) == 1
    stream.thaw()
    await stream.end()
    assert [event.data for event in stream.events] == ["one", "two"]


async def test_a_generator_dies_where_it_waits(name: str, app: Any, event_stream: EventStreams) -> None:
    stream = await event_stream(app, "/wait")
    await stream.next()
    await stream.kill_producer()
    assert await stream.end(within=60) == []
    assert stream.error is not None
    # FastAPI 0.165 ends such a response as if it were whole: so does uvicorn with it.
    assert stream.clean is (name == "fastapi.sse")


async def test_a_reader_that_never_looks_hangs_when_its_producer_dies(app: Any, event_stream: EventStreams) -> None:
    stream = await event_stream(app, "/queue")
    await stream.next()
    await stream.kill_producer()
    with pytest.raises(AssertionError, match=r"Within 600 s of the clock 1 more events did not come"):
        await stream.next(within=600)
