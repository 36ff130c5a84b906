"""Requests without a socket: the messages of the app, the end of a response, and a client that leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tidings.testing.connection import ASGIApp, Connection, Lifespan, Message
from tidings.testing.producer import ended
from tidings.wire.sse import ServerSentEvent

START: Message = {"type": "http.response.start", "status": 200, "headers": [(b"Content-Type", b"text/event-stream")]}


class Seen:
    """A reader that keeps what came, and counts the news."""

    def __init__(self) -> None:
        self.events: list[ServerSentEvent] = []
        self.news = 0

    def received(self, events: list[ServerSentEvent]) -> None:
        self.events += events
        self.news += 1


def body(text: bytes, *, more: bool = True) -> Message:
    return {"type": "http.response.body", "body": text, "more_body": more}


def connect(app: ASGIApp, **options: Any) -> tuple[Connection, Seen]:
    seen = Seen()
    connection = Connection(seen, {"type": "http", "method": options.pop("method", "GET"), "path": "/"}, **options)
    connection.open(app)
    return connection, seen


async def until(happened: Callable[[], bool]) -> None:
    """Give the app turns of the loop until something has happened; pytest's time limit ends a wait in vain."""
    while not happened():  # noqa: ASYNC110 (there is no event to wait for: this test is the server)
        await asyncio.sleep(0)


def sends(*messages: Message) -> ASGIApp:
    async def app(scope: Any, receive: Any, send: Callable[[Message], Awaitable[None]]) -> None:
        for message in messages:
            await send(message)

    return app


async def test_a_response_has_its_status_its_headers_its_writes_and_its_events() -> None:
    connection, seen = connect(sends(START, body(b"data: one\n"), body(b"\ndata: two\n\n"), body(b"", more=False)))
    await connection.work.task
    assert (connection.status, connection.headers) == (200, {"content-type": "text/event-stream"})
    assert connection.writes == [b"data: one\n", b"\ndata: two\n\n"]
    assert connection.body == b"data: one\n\ndata: two\n\n"
    assert [event.data for event in seen.events] == ["one", "two"]
    assert (connection.clean, connection.done) == (True, True)
    await asyncio.sleep(0)
    assert (connection.error, connection.fault) == (None, None)


async def test_a_response_to_head_has_no_body() -> None:
    connection, seen = connect(sends(START, body(b"data: one\n\n", more=False)), method="HEAD")
    await connection.work.task
    assert (connection.writes, seen.events, connection.clean) == ([], [], True)


@pytest.mark.parametrize(
    "messages",
    [
        [body(b"early")],
        [START, START],
        [START, body(b"", more=False), body(b"late")],
        [{"type": "websocket.accept"}],
        [START, {"type": "http.response.trailers"}],
    ],
    ids=["a body before the start", "two starts", "a body after the end", "another protocol", "trailers"],
)
async def test_a_message_that_a_server_would_not_take_is_the_apps_fault(messages: list[Message]) -> None:
    connection, _ = connect(sends(*messages))
    with pytest.raises(RuntimeError, match="does not accept"):
        await connection.work.task
    await asyncio.sleep(0)
    assert isinstance(connection.fault, RuntimeError)
    assert connection.error is connection.fault


async def test_an_app_that_returns_too_early_has_cut_its_response() -> None:
    connection, _ = connect(sends(START, body(b"data: one\n\n")))
    await connection.work.task
    await asyncio.sleep(0)
    assert connection.clean is False


async def test_an_app_gets_the_request_once_and_then_hears_that_the_client_left() -> None:
    heard: list[Message] = []

    async def app(scope: Any, receive: Callable[[], Awaitable[Message]], send: Any) -> None:
        heard.extend([await receive()])
        await send(START)
        heard.extend([await receive()])
        await send(body(b"data: lost\n\n"))

    connection, seen = connect(app, body=b"question")
    await until(lambda: bool(connection.status))
    news = seen.news
    connection.leave()
    assert seen.news > news
    await connection.work.task
    assert heard == [
        {"type": "http.request", "body": b"question", "more_body": False},
        {"type": "http.disconnect"},
    ]
    assert (connection.writes, connection.clean) == ([], False)


@pytest.mark.parametrize("after", ["leave", "excused"])
async def test_a_failure_after_the_client_has_gone_is_no_fault(after: str) -> None:
    gone = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        await gone.wait()
        raise ValueError("mine")

    connection, _ = connect(app)
    await until(lambda: bool(connection.status))
    if after == "leave":
        connection.leave()
    else:
        connection.excused = True
    gone.set()
    await asyncio.wait({connection.work.task})
    await asyncio.sleep(0)
    assert isinstance(connection.error, ValueError)
    assert connection.fault is None


async def test_sends_wait_while_nothing_is_taken() -> None:
    connection, seen = connect(sends(START, body(b"data: one\n\n", more=False)))
    connection.freeze()
    await until(lambda: bool(connection.waiting))
    assert (connection.frozen, connection.waiting, connection.status) == (True, 1, 0)
    connection.thaw()
    await connection.work.task
    assert (connection.frozen, connection.waiting) == (False, 0)
    assert [event.data for event in seen.events] == ["one"]


async def test_a_client_that_comes_back_keeps_its_last_event_id() -> None:
    connection, seen = connect(sends(START, body(b"data: one\n\n")), last_event_id="7")
    await connection.work.task
    assert [event.id for event in seen.events] == ["7"]


class TestLifespan:
    async def test_an_app_starts_and_ends_and_keeps_its_state(self) -> None:
        asked = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            assert scope["type"] == "lifespan"
            scope["state"]["hub"] = "open"
            for what in ("startup", "shutdown"):
                asked.append((await receive())["type"])
                await send({"type": f"lifespan.{what}.complete"})

        lifespan = Lifespan(app)
        await lifespan.start()
        assert lifespan.state == {"hub": "open"}
        await lifespan.stop()
        await lifespan.stop()
        assert asked == ["lifespan.startup", "lifespan.shutdown"]

    @pytest.mark.parametrize("app", [sends({"type": "http.response.start"}), sends()], ids=["refuses", "returns"])
    async def test_an_app_that_knows_no_lifespan_has_none(self, app: ASGIApp) -> None:
        lifespan = Lifespan(app)
        await lifespan.start()
        await lifespan.stop()

    @pytest.mark.parametrize(("fails", "sentence"), [("startup", "did not start"), ("shutdown", "did not end")])
    async def test_a_failure_is_raised_with_the_apps_words(self, fails: str, sentence: str) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            while (what := (await receive())["type"]) != f"lifespan.{fails}":
                await send({"type": f"{what}.complete"})
            await send({"type": f"lifespan.{fails}.failed", "message": "no disk"})
            await asyncio.Event().wait()

        lifespan = Lifespan(app)

        async def whole_life() -> None:
            await lifespan.start()
            await lifespan.stop()

        with pytest.raises(RuntimeError, match=rf"{sentence}: no disk"):
            await whole_life()
        assert lifespan._task is not None
        await ended(lifespan._task)
