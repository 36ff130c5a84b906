"""A room whose store was restored from a backup: messages, edits and read markers of before stay valid."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from tests.apps.members import SECRET, token
from tests.serving import ServerProcess
from tests.streams import Answer, request
from tidings.stores.sqlite.backup import back_up
from tidings.stores.sqlite.restore import restore


async def ask(server: ServerProcess, name: str, method: str, path: str, body: Any = None) -> Answer:
    headers = {"authorization": f"Bearer {token(name)}", "content-type": "application/json"}
    return await request(server.url + path, method, "" if body is None else json.dumps(body), headers)


async def say(server: ServerProcess, name: str, topic: str, type: str, /, **data: Any) -> Answer:
    return await ask(server, name, "POST", f"/topics/{topic}/events?type={type}", data)


async def said(server: ServerProcess, name: str, type: str, /, **data: Any) -> str:
    """Publish a fact in the room, and return its offset."""
    answer = await say(server, name, "rooms.den", type, **data)
    assert answer.status == 201, answer.body
    offset: str = answer.json()["offset"]
    return offset


def facts(room: dict[str, Any]) -> list[dict[str, Any]]:
    """The data of a room's events, without the offset of a redacted one, whose epoch is new after the restore."""
    return [{name: data for name, data in event["data"].items() if name != "offset"} for event in room["events"]]


async def test_a_restored_room_is_whole_and_tells_who_was_ahead(tmp_path: Path) -> None:
    database, backup = str(tmp_path / "tidings.db"), str(tmp_path / "backup.db")
    with ServerProcess(f"sqlite:///{database}", env={"TIDINGS_SECRET": SECRET}) as server:
        await said(server, "Ann", "room.created", name="Den")
        await said(server, "Ann", "member.joined", member="Bob")
        first = await said(server, "Ann", "message.posted", text="one")
        await said(server, "Ann", "message.edited", message=first, text="One")
        second = await said(server, "Bob", "message.posted", text="two", reply=first)
        assert (await say(server, "Bob", "users.Bob", "room.read", room="den", offset=second)).status == 201
        before = (await ask(server, "Bob", "GET", "/rooms/den")).json()
        await asyncio.to_thread(back_up, database, backup)
        lost = await said(server, "Ann", "message.posted", text="lost")
        server.terminate()
        await asyncio.to_thread(restore, backup, database)
        server.start()

        after = (await ask(server, "Bob", "GET", "/rooms/den")).json()
        assert after["room"] == before["room"]
        assert facts(after) == facts(before)
        await said(server, "Ann", "message.posted", text="another, in the place of the lost one")
        page = await ask(server, "Ann", "GET", f"/topics/rooms.den/events?after={lost}")
        assert page.status == 410
        page = await ask(server, "Ann", "GET", f"/topics/rooms.den/events?after={second}")
        assert [event["data"]["text"] for event in page.json()["events"]] == ["another, in the place of the lost one"]

        # The ids of messages that the backup holds are good; that of a lost message is not the next one's.
        await said(server, "Bob", "message.edited", message=second, text="Two")
        await said(server, "Bob", "reaction.added", message=first, emoji="👍")
        refused = await say(server, "Ann", "rooms.den", "message.edited", message=lost, text="Not this one")
        assert refused.status == 404, refused.body
        rooms = (await ask(server, "Bob", "GET", "/rooms")).json()["rooms"]
        assert [(room["id"], room["unread"]) for room in rooms] == [("den", 1)]
        server.terminate()
