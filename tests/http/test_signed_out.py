"""Signing out: a person's token is refused from then on, by every process and after a restart."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any, Literal

from tests.asgi import asking
from tests.http.conftest import Server, serving
from tests.http.problems import problem
from tidings.access.tokens import sign
from tidings.http.signed_out import TOPIC

SECRET = "a secret that is long enough for a test"


def token(limits: Literal["person"] | None = "person", seconds: float = 600) -> str:
    return sign(SECRET, "Ann", publish=["*"], subscribe=["*"], seconds=seconds, limits=limits)


def cookie(token: str) -> dict[str, str]:
    return {"cookie": f"tidings={token}"}


async def status(server: Server, token: str) -> int:
    return (await server.client.get("/topics", headers={"authorization": f"Bearer {token}"})).status_code


async def refused(server: Server, token: str) -> None:
    """Wait until the server has heard that the token's session has ended."""
    for _ in range(6000):
        if await status(server, token) == 401:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the other process still takes the token")


async def test_a_copy_of_the_cookie_is_worth_nothing_after_signing_out() -> None:
    async with serving(secret=SECRET) as server:
        ann, other = token(), token(seconds=601)
        assert await status(server, ann) == 200
        assert (await server.client.delete("/session", headers=cookie(ann))).status_code == 204
        problem(await server.client.get("/topics", headers=cookie(ann)), 401, "ended")
        assert await status(server, ann) == 401
        assert await status(server, other) == 200
        problem(await server.client.post("/session", json={"token": ann}), 401, "ended")


async def test_the_streams_of_a_session_end_with_the_session(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/tidings.db"
    ann, other = token(), token(seconds=601)
    async with serving(secret=SECRET, store=store) as one, serving(secret=SECRET, store=store) as two:
        async with (
            asking(one.app, "/events?topic=a", headers=cookie(ann)) as here,
            asking(two.app, "/events?topic=a", headers={"authorization": f"Bearer {ann}"}) as there,
            asking(two.app, "/events?topic=a", headers=cookie(other)) as stays,
        ):
            for stream in (here, there, stays):
                await stream.reach(lambda stream=stream: stream.body)
            await one.client.delete("/session", headers=cookie(ann))
            await here.reach(lambda: here.done)
            await there.reach(lambda: there.done)
            await one.hub.publish("a", "x")
            assert (await stays.take(1))[0].data == "x"
            assert not stays.done
        for server in (one, two):
            app: Any = server.app
            assert app.access.authenticator.watched == {}


async def test_a_program_keeps_a_token_that_a_browser_has_used() -> None:
    async with serving(secret=SECRET) as server:
        shared = token(limits=None)
        assert (await server.client.delete("/session", headers=cookie(shared))).status_code == 204
        assert await status(server, shared) == 200


async def test_a_token_that_is_not_valid_is_not_remembered() -> None:
    async with serving(secret=SECRET) as server:
        for wrong in ("x", token(seconds=-60), token() + "x"):
            assert (await server.client.delete("/session", headers=cookie(wrong))).status_code == 204
        assert await server.hub.log.describe("sessions.ended") is None


async def test_every_process_refuses_the_token_now_and_after_a_restart(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/tidings.db"
    first, second = token(), token(seconds=601)
    async with serving(secret=SECRET, store=store) as one:
        async with serving(secret=SECRET, store=store) as two:
            for signed_out in (first, second):
                assert await status(two, signed_out) == 200
                await one.client.delete("/session", headers=cookie(signed_out))
                await refused(two, signed_out)
        async with serving(secret=SECRET, store=store) as three:
            assert await status(three, first) == 401
            assert await status(three, second) == 401


async def test_a_list_of_many_pages_is_read_whole(tmp_path: Path) -> None:
    """Also where an operator has redacted an event of the list: its token is not known any more."""
    store = f"sqlite:///{tmp_path}/tidings.db"
    tokens = [token(seconds=600 + n) for n in range(3)]
    async with serving(secret=SECRET, store=store) as one:
        for signed_out in tokens[:2]:
            await one.client.delete("/session", headers=cookie(signed_out))
        others = [("session.ended", f'{{"token":"{n:064x}","expires":{time.time() + 600}}}') for n in range(2000)]
        await one.hub.publish_many(TOPIC, others)
        await one.client.delete("/session", headers=cookie(tokens[2]))
        page = await one.hub.read(TOPIC)
        assert not page.up_to_date
        await one.hub.redact(TOPIC, page.events[1].offset)
    async with serving(secret=SECRET, store=store) as two:
        assert [await status(two, signed_out) for signed_out in tokens] == [401, 200, 401]


async def test_nobody_reads_or_writes_the_list(tmp_path: Path) -> None:
    async with serving(secret=SECRET) as server:
        await server.client.delete("/session", headers=cookie(token()))
        everything = {"authorization": f"Bearer {token(limits=None)}"}
        problem(await server.client.get("/topics/sessions.ended/events", headers=everything), 403)
        problem(await server.client.post("/topics/sessions.used/events", content="x", headers=everything), 403)
        assert (await server.client.get("/topics", headers=everything)).json()["topics"] == []
