"""Tests of retention: whatever was trimmed, a room is whole after a restart, and everything keeps its owner."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.apps.members import SECRET, token
from tests.serving import ServerProcess
from tests.streams import Answer, request
from tidings import Hub
from tidings.apps.snapshots import SNAPSHOTS
from tidings.events import Retention

FEW = {"TIDINGS_SECRET": SECRET, "TIDINGS_RETENTION_MAX_EVENTS": "20"}


def headers(name: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token(name)}", "content-type": "application/json"}


async def ask(server: ServerProcess, name: str, method: str, path: str, body: Any = None) -> Answer:
    return await request(server.url + path, method, "" if body is None else json.dumps(body), headers(name))


async def say(server: ServerProcess, name: str, topic: str, type: str, /, **data: Any) -> int:
    return (await ask(server, name, "POST", f"/topics/{topic}/events?type={type}", data)).status


async def restart(server: ServerProcess) -> None:
    await asyncio.to_thread(server.kill)
    await asyncio.to_thread(server.start)


async def test_the_default_retention_is_not_for_topics_of_apps(tmp_path: Path) -> None:
    with ServerProcess(f"sqlite:///{tmp_path}/tidings.db", env=FEW) as server:
        assert await say(server, "Ann", "rooms.den", "room.created", name="Den", private=True) == 201
        assert await say(server, "Ann", "rooms.den", "member.joined", member="Bob") == 201
        for n in range(60):
            assert await say(server, "Bob", "rooms.den", "message.posted", text=str(n)) == 201
        await restart(server)
        opened = await ask(server, "Bob", "GET", "/rooms/den")
        assert (opened.status, len(opened.json()["events"])) == (200, 62)
        assert (await ask(server, "Eve", "GET", "/rooms/den")).status == 403
        assert await say(server, "Eve", "rooms.den", "room.created", name="Mine") == 409


async def test_trimming_changes_no_owner(tmp_path: Path) -> None:
    path, talk = f"sqlite:///{tmp_path}/tidings.db", "conversations.c1"
    with ServerProcess(path, env=FEW) as server:
        run = (await ask(server, "Ann", "POST", "/runs", {"input": "hello", "topic": talk})).json()["run"]
        assert (await ask(server, "Ann", "PUT", f"/topics/{talk}", {"max_events": 1})).status == 200
        for n in range(5):
            assert await say(server, "Ann", talk, "note", by="Eve", n=n) == 201
        await restart(server)
        async with Hub(path) as hub:
            await hub.log.trim(talk)
            head = await hub.log.describe(talk)
            assert head is not None
            assert head.start > 0
        for method, where in (("GET", ""), ("GET", "/events"), ("DELETE", "")):
            assert (await ask(server, "Eve", method, f"/topics/{talk}{where}")).status == 403
        assert await say(server, "Eve", talk, "note") == 403
        assert (await ask(server, "Eve", "POST", "/runs", {"input": "x", "topic": talk})).status == 403
        assert (await ask(server, "Ann", "GET", f"/topics/{talk}/events")).status == 200
        async with Hub(path) as hub:
            await hub.configure(f"runs.{run}", retention=Retention(max_events=1))
            await hub.log.trim(f"runs.{run}")
        await restart(server)
        assert (await ask(server, "Ann", "GET", f"/topics/runs.{run}")).status == 200
        assert (await ask(server, "Eve", "GET", f"/topics/runs.{run}")).status == 403


@pytest.mark.parametrize("messages", [30, 700])
async def test_a_room_whose_history_was_trimmed_is_whole(tmp_path: Path, messages: int) -> None:
    """An operator trims it: its name, members, roles and bans stay, and so do the messages that were not trimmed."""
    path = f"sqlite:///{tmp_path}/tidings.db"
    with ServerProcess(path, env={"TIDINGS_SECRET": SECRET}) as server:
        await say(server, "Ann", "rooms.old", "room.created", name="Old", private=True)
        for name, role in (("Bob", "member"), ("Cleo", "reader"), ("Dan", "member")):
            await say(server, "Ann", "rooms.old", "member.joined", member=name, role=role)
        await say(server, "Ann", "rooms.old", "member.banned", member="Dan")
        await say(server, "Ann", "rooms.old", "room.renamed", name="Older")
        before = (await ask(server, "Ann", "GET", "/rooms/old")).json()["room"]
        async with Hub(path) as hub:
            async for event in hub.subscribe(f"{SNAPSHOTS}.rooms.old", "earliest"):
                if event.type == "snapshot" and event.json()["offset"].endswith("-6"):
                    break
            for n in range(messages):
                await hub.publish("rooms.old", {"by": "Bob", "text": str(n)}, "message.posted")
            await hub.configure("rooms.old", retention=Retention(max_events=20))
            await hub.log.trim("rooms.old")
        await restart(server)
        opened = (await ask(server, "Bob", "GET", "/rooms/old")).json()
        assert {**opened["room"], "role": "owner"} == before
        assert [event["data"]["text"] for event in opened["events"]][-1] == str(messages - 1)
        assert await say(server, "Cleo", "rooms.old", "message.posted", text="I may not") == 403
        assert await say(server, "Dan", "rooms.old", "message.posted", text="I may not") == 403
        assert await say(server, "Bob", "rooms.old", "message.posted", text="I may") == 201
        assert (await ask(server, "Eve", "GET", "/rooms/old")).status == 403


async def test_a_run_whose_answer_was_trimmed_is_not_under_way(tmp_path: Path) -> None:
    path, run = f"sqlite:///{tmp_path}/tidings.db", "01JDXAMPLE0000000000000000"
    with ServerProcess(path, env={"TIDINGS_SECRET": SECRET}) as server:
        await say(server, "Ann", "rooms.old", "room.created", name="Old")
        async with Hub(path) as hub:
            await hub.publish("rooms.old", {"by": "Ann", "run": run}, "run.created")
            await say(server, "Ann", "rooms.old", "member.joined", member="Bob")
            assert [*(await ask(server, "Ann", "GET", "/rooms/old")).json()["room"]["runs"]] != []
            await hub.publish("rooms.old", {"run": run, "text": "A fish."}, "answer.posted")
            async for event in hub.subscribe(f"{SNAPSHOTS}.rooms.old", "earliest"):
                if event.type == "snapshot" and event.json()["offset"].endswith("-4"):
                    break
            for n in range(30):
                await hub.publish("rooms.old", {"by": "Bob", "text": str(n)}, "message.posted")
            await hub.configure("rooms.old", retention=Retention(max_events=20))
            await hub.log.trim("rooms.old")
        await restart(server)
        assert [*(await ask(server, "Ann", "GET", "/rooms/old")).json()["room"]["runs"]] == []
