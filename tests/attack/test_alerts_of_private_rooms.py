"""Attacks on private rooms through alerts: neither strangers nor those who were removed read a value of a message."""

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

WORD = "lanternfish"
"""The word of all messages, by which the rule tells instances apart."""

RULE = {"topic": "rooms.den", "by": "text", "kind": "rate", "window": 60, "above": 0.001, "title": "Talk"}
STRANGERS = ("Ann", "Cee")
"""The author of the rule, who was removed from the room, and a person who never was a member."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    env = {"TIDINGS_SECRET": SECRET, "TIDINGS_ADMINS": "Ann,Bob"}
    with ServerProcess(f"sqlite:///{tmp_path}/tidings.db", env=env) as made:
        yield made


async def ask(server: ServerProcess, name: str, path: str, method: str = "GET", data: Any = None) -> Answer:
    headers = {"authorization": f"Bearer {token(name)}", "content-type": "application/json"}
    return await request(server.url + path, method, json.dumps(data) if data is not None else b"", headers)


async def say(server: ServerProcess, name: str, type: str, /, **data: Any) -> None:
    answer = await ask(server, name, f"/topics/rooms.den/events?type={type}", "POST", data)
    assert answer.status == 201, answer.body


async def told(server: ServerProcess, name: str) -> str:
    return json.dumps((await ask(server, name, "/notifications")).json())


async def until_told(server: ServerProcess, name: str, word: str) -> None:
    async with asyncio.timeout(60):
        while word not in await told(server, name):  # noqa: ASYNC110 - the inbox is what is looked at
            await asyncio.sleep(0.1)


async def test_an_alert_tells_nothing_to_those_who_may_not_read_what_it_watches(server: ServerProcess) -> None:
    await say(server, "Bob", "room.created", name="Den", private=True)
    await say(server, "Bob", "member.joined", member="Ann")
    made = await ask(server, "Ann", "/alerts/rules", "POST", {**RULE, "people": ["Ann", "Bob", "Cee"]})
    id = made.json()["id"]
    assert (await ask(server, "Ann", f"/alerts/rules/{id}")).status == 200
    assert (await ask(server, "Cee", "/alerts/rules", "POST", RULE)).status == 403

    stream = f"{server.url}/events?topic=alerts.{id}&after=earliest"
    headers = {"authorization": f"Bearer {token('Ann')}"}
    async with streaming(stream, headers=headers) as events:
        assert (await anext(events)).type == "rule.saved"
        await say(server, "Bob", "member.left", member="Ann")
        await say(server, "Bob", "message.posted", text=f"{WORD} one")
        assert [event.data async for event in events if WORD in event.data] == []

    await until_told(server, "Bob", WORD)
    found = (await ask(server, "Bob", f"/alerts/rules/{id}")).json()
    assert [one["instance"] for one in found["instances"]] == [f"{WORD} one"]
    for name in STRANGERS:
        assert WORD not in await told(server, name)
        assert (await ask(server, name, "/alerts")).json()["rules"] == []
        for method, path, data in (
            ("GET", f"/alerts/rules/{id}", None),
            ("GET", f"/alerts/rules/{id}/preview", None),
            ("GET", f"/topics/alerts.{id}/events", None),
            ("GET", f"/topics/alerts.{id}", None),
            ("GET", f"/events?topic=alerts.{id}", None),
            ("GET", f"/series?topic=alerts.{id}&by=instance&agg=count", None),
        ):
            answer = await ask(server, name, path, method, data)
            assert (answer.status, WORD.encode() in answer.body) == (404, False), path
        assert id.encode() not in (await ask(server, name, "/topics?prefix=alerts.")).body
    for method, path, data in (
        ("PUT", f"/alerts/rules/{id}", {"topic": "rooms.open", "above": 1}),
        ("DELETE", f"/alerts/rules/{id}", None),
        ("POST", f"/alerts/rules/{id}/acknowledge", {}),
    ):
        assert (await ask(server, "Ann", path, method, data)).status == 404
    assert (await ask(server, "Bob", f"/alerts/rules/{id}", "DELETE")).status == 204
