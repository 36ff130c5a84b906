"""Two processes over one store: the assistant is asked on one, watched and stopped on the other, and one is killed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import msgspec
import pytest

from tests.apps.members import SECRET, Member, facts, room, token, until_told
from tests.asgi import asking
from tests.http.conftest import serving
from tests.model_server import Answer, Write, delta, stand_in
from tests.serving import ServerProcess
from tidings.runs.runs import BEAT, LEASE
from tidings.testing import Clock


def slow(over: asyncio.Event) -> Answer:
    """A model that says two words and then thinks until it is over."""

    async def answer(write: Write) -> None:
        await write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")
        for word in ("So", " far"):
            await write(b"data: " + msgspec.json.encode(delta(content=word)) + b"\n\n")
        await over.wait()

    return answer


async def none_lapsed(limit: int = 100, within: float = 0.0) -> list[str]:
    """The lapsed leases as a process sees them that takes nobody for dead."""
    return []


async def test_an_answer_survives_the_process_that_makes_it(
    tmp_path: Path, tidings_clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = f"sqlite:///{tmp_path}/tidings.db"
    over = asyncio.Event()
    async with stand_in(slow(over)) as model:
        env = {"TIDINGS_SECRET": SECRET, "TIDINGS_MODEL_URL": model.url, "TIDINGS_MODEL": "slow"}
        process = await asyncio.to_thread(ServerProcess, store, env=env)
        try:
            async with serving(secret=SECRET, store=store) as server:
                mara, tom = Member(server, "Mara"), Member(server, "Tom")
                # On a busy machine the other process may get no turn for LEASE seconds, which is no proof of its death.
                monkeypatch.setattr(server.hub.leases, "lapsed", none_lapsed)
                topic = await room(mara, "lobby", tom, private=True)
                async with asyncio.timeout(60):
                    await ask(process, topic, "Mara", "@assistant one")
                    await ask(process, topic, "Tom", "@assistant two")
                first, second = [created["run"] for created in await facts(server, topic, "run.created")]
                for run in (first, second):
                    async with asking(server.app, f"/runs/{run}/events", headers=tom.headers) as stream:
                        while "far" not in (await stream.until("block.delta"))[-1].data:
                            pass

                assert (await tom.post(f"/runs/{first}/stop")).status_code == 202
                await until_told(mara, "answer")
                await asyncio.to_thread(process.kill)
                assert (await tom.get("/rooms/lobby")).json()["room"]["runs"] == [second]
                monkeypatch.undo()
                await tidings_clock.advance(LEASE + BEAT)
                await until_told(tom, "answer")

                answers = await facts(server, topic, "answer.posted")
                assert [(one["run"], one["outcome"], one["text"]) for one in answers] == [
                    (first, "cancelled", "So far"),
                    (second, "interrupted", "So far"),
                ]
                assert (await tom.get("/rooms/lobby")).json()["room"]["runs"] == []
                titles = [title for _, title, _ in await tom.told()]
                assert titles[0] == "model could not finish its answer in #Lobby"
                await server.hub.runs._reaper.reap()
                assert len(await facts(server, topic, "answer.posted")) == 2
        finally:
            over.set()
            await asyncio.to_thread(process.kill)


async def ask(process: ServerProcess, topic: str, name: str, text: str) -> None:
    headers = {"authorization": f"Bearer {token(name)}"}
    async with httpx.AsyncClient(base_url=process.url, timeout=60, trust_env=False) as client:
        path = f"/topics/{topic}/events?type=message.posted"
        answer = await client.post(path, json={"text": text}, headers=headers)
        assert answer.status_code == 201, answer.text
