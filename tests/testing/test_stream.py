"""Streams of Tidings' own app, broken in every way the kit knows."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastapi import FastAPI, Request
from starlette.types import Receive, Scope, Send

from tidings import EventStreamResponse, Hub
from tidings.testing import Clock, EventStreams, ProducerKilled, event
from tidings.testing import stream as module


async def says(messages: Any) -> AsyncIterator[str]:
    """A model that says a word each 2 seconds."""
    for word in ("one ", "two ", "three"):
        yield word
        await asyncio.sleep(2)


class TestReading:
    async def test_each_event_is_given_once(self, tidings_hub: Hub, tidings_app: FastAPI, event_stream: Any) -> None:
        stream = await event_stream(tidings_app, "/events?topic=a&from=earliest")
        await tidings_hub.publish_many("a", [("message", str(n)) for n in range(7)])
        assert (await stream.next()).data == "0"
        assert [e.data for e in await stream.take(2)] == ["1", "2"]
        assert [e.data for e in await stream.until(data="4")] == ["3", "4"]
        await tidings_hub.close_topic("a")
        assert [e.type async for e in stream] == ["message", "message", "tidings.end"]
        assert stream.clean
        assert await stream.end() == []

    async def test_a_request_has_what_a_request_has(self, event_stream: EventStreams) -> None:
        app = FastAPI()

        @app.put("/{name}")
        async def put(name: str, said: dict[str, int], q: str) -> dict[str, Any]:
            return {"name": name, "said": said, "q": q}

        stream = await event_stream(app, "/ann?q=x%20y", method="PUT", json={"a": 1})
        await stream.end()
        assert (stream.status, stream.json()) == (200, {"name": "ann", "said": {"a": 1}, "q": "x y"})

    async def test_a_missing_event_is_reported_with_the_events_that_came(
        self, tidings_hub: Hub, tidings_app: FastAPI, event_stream: EventStreams
    ) -> None:
        stream = await event_stream(tidings_app, "/events?topic=a")
        await tidings_hub.publish("a", "one", type="word")
        with pytest.raises(AssertionError) as told:
            await stream.until("run.finished", within=60)
        said = str(told.value)
        assert "Within 60 s of the clock event(type='run.finished') did not come." in said
        assert "0  word  'one'" in said

    async def test_a_wait_without_a_limit_ends_after_a_minute_of_real_time(
        self, tidings_app: FastAPI, event_stream: EventStreams, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stream = await event_stream(tidings_app, "/events?topic=a")
        monkeypatch.setattr(module, "PATIENCE", 0.05)
        with pytest.raises(AssertionError, match=r"In 0\.05 s 1 more events did not come\."):
            await stream.next()

    async def test_an_end_before_is_told(self, tidings_hub: Hub, tidings_app: FastAPI, event_stream: Any) -> None:
        await tidings_hub.publish("a", "one", close=True)
        stream = await event_stream(tidings_app, "/events?topic=a&from=earliest")
        with pytest.raises(
            AssertionError, match=r"The response, 200, ended before 3 more events\. The stream has received 2"
        ):
            await stream.take(3)

    async def test_an_error_of_the_app_is_raised_once(self, event_stream: EventStreams) -> None:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            raise ValueError("mine")

        stream = await event_stream(app, "/")
        with pytest.raises(ValueError, match="mine"):
            await stream.next()
        assert (await stream.end(), stream.clean) == ([], False)

    async def test_an_unseen_error_of_the_app_fails_the_test(self) -> None:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            raise ValueError("mine")

        streams = EventStreams()
        await streams(app, "/")
        with pytest.raises(ValueError, match="mine"):
            await streams.close()

    async def test_an_app_that_does_not_start_is_told_of(self, event_stream: EventStreams) -> None:
        @asynccontextmanager
        async def lifespan(app: FastAPI) -> AsyncIterator[None]:
            raise ValueError("no database")
            yield

        with pytest.raises(RuntimeError, match="no database"):
            await event_stream(FastAPI(lifespan=lifespan), "/")

    async def test_an_app_is_started_once_and_ended(self) -> None:
        seen = []

        @asynccontextmanager
        async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, str]]:
            seen.append("start")
            yield {"database": "open"}
            seen.append("end")

        streams, app = EventStreams(), FastAPI(lifespan=lifespan)

        @app.get("/{name}")
        async def get(name: str, request: Request) -> list[str]:
            return [name, request.state.database]

        for _ in range(2):
            stream = await streams(app, "/a%20b")
            await stream.end()
            assert stream.json() == ["a b", "open"]
        assert seen == ["start"]
        await streams.close()
        assert seen == ["start", "end"]

    async def test_a_message_out_of_order_is_refused_as_by_a_server(self, event_stream: EventStreams) -> None:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await send({"type": "http.response.body", "body": b"x"})

        with pytest.raises(RuntimeError, match=r"does not accept http\.response\.body"):
            await event_stream(app, "/", lifespan=False)


class TestConnections:
    async def test_a_returning_reader_misses_nothing_and_sees_nothing_twice(
        self, tidings_hub: Hub, tidings_app: FastAPI, event_stream: EventStreams
    ) -> None:
        stream = await event_stream(tidings_app, "/events?topic=a")
        for n in range(5):
            await tidings_hub.publish("a", f"read {n}")
            await stream.next()
            await stream.drop()
            await tidings_hub.publish("a", f"away {n}")
            began, told = time.monotonic(), stream.reconnection_time
            await stream.reconnect()
            assert time.monotonic() - began >= told >= 1
            await stream.next()
        assert stream.data == [f"{word} {n}" for n in range(5) for word in ("read", "away")]
        assert tidings_hub.delivery.counts().streams == 1

    async def test_events_sent_to_a_dropped_reader_are_lost(
        self, event_stream: EventStreams, tidings_clock: Clock
    ) -> None:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            for n in range(3):
                await send({"type": "http.response.body", "body": b"data: %d\n\n" % n, "more_body": n < 2})
                await asyncio.sleep(5)

        stream = await event_stream(app, lifespan=False)
        await stream.drop()
        assert not stream.done, "nobody told it but `receive`, which it does not ask"
        await stream.end(within=20)
        assert (stream.data, stream.clean, stream.error) == (["0"], False, None)

    async def test_events_sent_to_a_frozen_reader_wait(
        self, tidings_hub: Hub, tidings_app: FastAPI, event_stream: EventStreams, tidings_clock: Clock
    ) -> None:
        stream = await event_stream(tidings_app, "/events?topic=a")
        stream.freeze()
        await tidings_hub.publish("a", "one")
        await stream.reach(lambda: stream.waiting)
        await tidings_hub.publish("a", "two")
        assert stream.events == []
        stream.thaw()
        await stream.take(2)
        stream.freeze()
        await tidings_hub.publish("a", "three")
        await tidings_clock.advance(130)
        assert stream.done, "a reader that takes nothing for two minutes is sent away"
        await stream.reconnect()
        assert (await stream.next()).data == "three"

    async def test_the_last_event_id_lasts_over_connections_without_any(
        self, tidings_hub: Hub, tidings_app: FastAPI, event_stream: EventStreams
    ) -> None:
        stream = await event_stream(tidings_app, "/events?topic=a")
        last = await tidings_hub.publish("a", "one")
        await stream.next()
        await stream.reconnect()
        await stream.reconnect()
        assert stream.last_event_id == str(last)
        await tidings_hub.publish("a", "typing", transient=True)
        assert (await stream.next()).id == str(last)


class TestKilling:
    async def test_a_run_ends_interrupted_once_its_lease_has_lapsed(
        self, tidings_hub: Hub, tidings_app: FastAPI, event_stream: EventStreams, tidings_clock: Clock
    ) -> None:
        killed = await tidings_hub.runs.start(says, "?")
        other = await tidings_hub.runs.start(says, "?")
        stream = await event_stream(tidings_app, f"/runs/{killed.id}/events")
        await stream.until("block.delta")
        await tidings_clock.advance(2.5)
        assert json.loads((await stream.until("block.delta"))[-1].data)["delta"] == "two "
        await stream.kill_producer()
        assert (await killed.state()).state == "running"
        before = len(stream.events)
        await tidings_clock.advance(3)
        assert len(stream.events) == before, "neither the next word, nor that it is dead"
        finished = (await stream.until("run.finished", within=6))[-1]
        assert json.loads(finished.data)["outcome"] == "interrupted"
        await stream.end()
        assert stream.clean
        assert "three" not in stream.body.decode()
        assert (await other.state()).state == "finished"

    async def test_a_foreign_app_is_read(self, event_stream: EventStreams) -> None:
        """The hub is made by the app, and opened by its lifespan."""
        hub = Hub("memory:")
        app = FastAPI(lifespan=hub.lifespan)

        @app.post("/ask")
        async def ask() -> str:
            return (await hub.runs.start(says, "?")).id

        @app.get("/answers/{id}")
        async def answer(id: str) -> EventStreamResponse:
            return EventStreamResponse(hub, f"runs.{id}", after="earliest")

        asked = await event_stream(app, "/ask", method="POST")
        await asked.end()
        stream = await event_stream(app, f"/answers/{asked.json()}")
        await stream.until("block.delta")
        await stream.kill_producer()
        (*_, last) = await stream.until("run.finished", within=10)
        assert last == event(data={**json.loads(last.data), "outcome": "interrupted"})

    async def test_an_app_may_answer_for_its_producer_s_death(self, event_stream: EventStreams) -> None:
        from starlette.responses import StreamingResponse

        async def body() -> AsyncIterator[str]:
            try:
                yield "data: one\n\n"
                await asyncio.sleep(60)
            except ProducerKilled:
                yield "event: error\ndata: sorry\n\n"

        stream = await event_stream(StreamingResponse(body(), media_type="text/event-stream"), lifespan=False)
        await stream.next()
        await stream.kill_producer()
        await stream.end()
        stream.expect(event(data="one"), event("error", "sorry"))
        assert stream.clean
        assert stream.error is None
