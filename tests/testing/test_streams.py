"""The opener of event streams: one lifespan for each app, and every fault shown in the end."""

from __future__ import annotations

from typing import Any

import pytest

from tidings.testing.streams import EventStreams


class App:
    """An app that counts its lifespans and answers each request with one event."""

    def __init__(self, *, broken: bool = False) -> None:
        self.broken = broken
        self.log: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            scope["state"]["began"] = True
            for what in ("startup", "shutdown"):
                await receive()
                self.log.append(what)
                await send({"type": f"lifespan.{what}.complete"})
            return
        self.log.append(f"{scope['method']} {scope['path']} {scope.get('state', {}).get('began', False)}")
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"data: one\n\n", "more_body": self.broken})
        if self.broken:
            raise ValueError("broken")


async def test_an_app_is_started_before_its_first_request_and_ended_in_the_end() -> None:
    app, streams = App(), EventStreams()
    for _ in range(2):
        stream = await streams(app, "/events")
        assert [event.data for event in await stream.end()] == ["one"]
    await streams.close()
    assert app.log == ["startup", "GET /events True", "GET /events True", "shutdown"]


async def test_an_app_that_runs_already_is_not_started() -> None:
    app, streams = App(), EventStreams()
    await (await streams(app, "/", lifespan=False, method="POST", body="x")).end()
    await streams.close()
    assert app.log == ["POST / False"]


async def test_a_fault_that_no_call_has_shown_is_raised_after_all_is_closed() -> None:
    broken, sound, streams = App(broken=True), App(), EventStreams()
    await streams(broken, "/")
    await streams(sound, "/")
    with pytest.raises(ValueError, match="broken"):
        await streams.close()
    assert broken.log[-1] == sound.log[-1] == "shutdown"
