"""Attacks on redaction: a text that an operator redacts in a room comes back in no process and after no restart."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.apps.members import SECRET, token
from tests.serving import ServerProcess
from tests.streams import Answer, request, streaming
from tidings import Hub

WORD = "lanternfish"
"""The word of all texts that are redacted."""

PEOPLE = ("Ann", "Bob", "Eve")
TOPIC = "rooms.den"
EVENTS = f"/topics/{TOPIC}/events"


@pytest.fixture
def store(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/tidings.db"


@pytest.fixture
def servers(store: str) -> Iterator[tuple[ServerProcess, ServerProcess]]:
    env = {"TIDINGS_SECRET": SECRET}
    with ServerProcess(store, env=env) as one, ServerProcess(store, env=env) as two:
        yield one, two


async def ask(server: ServerProcess, name: str, path: str, method: str = "GET", data: Any = None) -> Answer:
    headers = {"authorization": f"Bearer {token(name)}", "content-type": "application/json"}
    return await request(server.url + path, method, json.dumps(data) if data is not None else b"", headers)


async def say(server: ServerProcess, name: str, type: str, /, **data: Any) -> str:
    answer = await ask(server, name, f"{EVENTS}?type={type}", "POST", data)
    assert answer.status == 201, answer.body
    offset: str = answer.json()["offset"]
    return offset


async def den(server: ServerProcess) -> None:
    """A private room of all people."""
    await say(server, "Ann", "room.created", name="Den", private=True)
    for name in PEOPLE[1:]:
        await say(server, "Ann", "member.joined", member=name)


async def seen(servers: tuple[ServerProcess, ...], word: str = WORD) -> list[str]:
    """The people and the paths that show the word."""
    paths = (EVENTS, "/rooms/den", f"/search?q={word}", "/notifications", "/rooms")
    own = [(server, name, path) for server in servers for name in PEOPLE for path in paths]
    own += [(servers[0], name, f"/topics/users.{name}/events") for name in PEOPLE]
    return [f"{name} at {path}" for server, name, path in own if word.encode() in (await ask(server, name, path)).body]


async def redact_beside(store: str, *offsets: str) -> None:
    """Redact as a program that knows nothing of rooms, in a process of its own."""
    async with Hub(store) as hub:
        for offset in offsets:
            await hub.redact(TOPIC, offset)


async def until(server: ServerProcess, type: str, *messages: str) -> None:
    """Wait until the room has an event of this type about each of the messages."""
    headers, left = {"authorization": f"Bearer {token('Ann')}"}, set(messages)
    async with streaming(f"{server.url}/events?topic={TOPIC}&from=earliest", headers=headers) as stream:
        async for event in stream:
            if event.type == type:
                left.discard(json.loads(event.data)["message"])
            if not left:
                return


async def stop(servers: tuple[ServerProcess, ...], folder: Path) -> bytes:
    """Stop the servers, and return all that they leave behind."""
    for server in servers:
        await asyncio.to_thread(server.terminate)
    return await asyncio.to_thread(lambda: b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file()))


async def quoted_everywhere(one: ServerProcess, two: ServerProcess) -> list[str]:
    """Say the word in messages with and without edits, mention people, be quoted, and be found. Return what to redact,
    message and event."""
    plain = await say(one, "Ann", "message.posted", text=f"@Bob a {WORD}")
    await say(two, "Bob", "message.posted", text="I see", reply=plain)
    answered = await say(two, "Bob", "message.posted", text=f"Another {WORD}", reply=plain)
    edited = await say(two, "Bob", "message.posted", text="Not yet")
    reply = await say(one, "Eve", "message.posted", text="@Ann Not what?", reply=edited)
    edit = await say(two, "Bob", "message.edited", message=edited, text=f"@Eve a third {WORD}")
    await say(one, "Eve", "message.posted", text="A third?", reply=edited)
    await say(one, "Eve", "message.edited", message=reply, text="@Ann Not what, @Bob?")
    return [plain, answered, edited, edit]


async def test_a_message_that_another_process_redacts_is_gone(
    servers: tuple[ServerProcess, ServerProcess], store: str, tmp_path: Path
) -> None:
    one, two = servers
    await den(one)
    plain, answered, edited, edit = await quoted_everywhere(one, two)
    assert len(await seen(servers)) > 20
    await redact_beside(store, plain, answered, edit)
    await until(two, "message.deleted", plain, answered, edited)
    assert await seen(servers) == []
    events = (await ask(two, "Bob", EVENTS)).json()["events"]
    quotes = [event["data"]["quote"] for event in events if (event["data"] or {}).get("quote")]
    assert {quote["text"] for quote in quotes} == {""}
    texts = {event["data"]["text"] for event in events if event["type"] == "message.edited"}
    assert texts == {"I see", "A third?", "@Ann Not what, @Bob?"}
    assert (await ask(two, "Bob", f"{EVENTS}?type=message.posted", "POST", {"text": "x", "reply": plain})).status == 409
    assert WORD.encode() not in await stop(servers, tmp_path)


async def test_a_message_that_was_redacted_while_no_server_ran_is_gone_when_its_room_is_read(
    servers: tuple[ServerProcess, ServerProcess], store: str, tmp_path: Path
) -> None:
    one, two = servers
    await den(one)
    plain, answered, edited, edit = await quoted_everywhere(one, two)
    for server in servers:
        await asyncio.to_thread(server.kill)
    await redact_beside(store, plain, answered, edit)
    await asyncio.to_thread(one.start)
    await until(one, "message.deleted", plain, answered, edited)
    assert await seen((one,)) == []
    assert WORD.encode() not in await stop((one,), tmp_path)


@pytest.mark.parametrize("down", [False, True], ids=["a server runs", "no server runs"])
async def test_a_redacted_answer_does_not_come_back_from_its_run(
    servers: tuple[ServerProcess, ServerProcess], store: str, down: bool
) -> None:
    one, two = servers
    await den(one)
    asked = await say(one, "Bob", "message.posted", text="@assistant What is a topic?")
    headers = {"authorization": f"Bearer {token('Ann')}"}
    async with streaming(f"{two.url}/events?topic={TOPIC}&from=earliest", headers=headers) as stream:
        async for event in stream:
            if event.type == "answer.posted":
                break
    assert event.id is not None
    answer, run, text = event.id, json.loads(event.data)["run"], json.loads(event.data)["text"][:30]
    await say(two, "Eve", "message.posted", text="Is it?", reply=answer)
    assert (await ask(two, "Eve", f"/topics/runs.{run}/events")).status == 200
    if down:
        for server in servers:
            await asyncio.to_thread(server.kill)
    await redact_beside(store, answer)
    if down:
        await asyncio.to_thread(one.start)
    await until(one, "message.deleted", answer)
    assert (await ask(one, "Eve", f"/topics/runs.{run}/events")).status == 404
    opened = await ask(one, "Eve", "/rooms/den")
    assert opened.json()["room"]["runs"] == []
    assert text.encode() not in opened.body + (await ask(one, "Bob", "/notifications")).body
    await say(one, "Bob", "reaction.added", message=asked, emoji="👍")
    assert (
        await ask(one, "Bob", f"{EVENTS}?type=reaction.added", "POST", {"message": answer, "emoji": "👍"})
    ).status == 409
