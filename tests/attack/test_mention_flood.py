"""A flood of messages whose mentions take long to read: others are not delayed, and no worker is taken for hung."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest

from tests.apps.members import SECRET, token
from tests.server import hasty
from tests.server.workers import Workers
from tests.streams import Answer, request

BATCHES, MESSAGES = 24, 4
"""More batches than a pool of threads takes at once, of 75 ms a message: longer than a worker may give no sign."""

TEXT = "`@x`\n\n" + "1. a\n" * 3150


async def say(server: Workers, name: str, room: str, type: str, /, *facts: dict[str, str]) -> Answer:
    lines = "".join(json.dumps({"type": type, "data": fact}) + "\n" for fact in facts)
    headers = {"authorization": f"Bearer {token(name)}", "content-type": "application/x-ndjson"}
    return await request(f"{server.url}/topics/rooms.{room}/events", "POST", lines, headers)


async def test_an_innocent_message_is_taken_while_a_flood_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in list(os.environ):
        if name.startswith("COVERAGE_"):  # a server whose coverage is measured takes ten times the time
            monkeypatch.delenv(name)
    with Workers(tmp_path, 1, hasty=True, TIDINGS_SECRET=SECRET) as server:
        workers = server.workers()
        assert (await say(server, "mallory", "evil", "room.created", {"name": "Evil"})).status == 201
        assert (await say(server, "bob", "team", "room.created", {"name": "Team"})).status == 201
        facts = [{"text": f"{n} {TEXT}"} for n in range(MESSAGES)]
        flood = [asyncio.create_task(say(server, "mallory", "evil", "message.posted", *facts)) for _ in range(BATCHES)]
        await asyncio.wait(flood, return_when=asyncio.FIRST_COMPLETED)
        innocent = await say(server, "bob", "team", "message.posted", {"text": "`Hi` @bob"})
        answered = sum(task.done() for task in flood)
        assert innocent.status == 201, innocent.body
        assert answered < BATCHES, "the innocent message was answered after the whole flood"
        assert {answer.status for answer in await asyncio.gather(*flood)} == {201}
        assert server.workers() == workers
    assert f"no sign of life for {hasty.HUNG} s" not in "".join(server.output)
