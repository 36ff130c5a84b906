"""Redaction over several processes: the event is gone from windows, pages, streams and the file."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx

from tests.serving import PATIENCE, ServerProcess


async def test_a_redacted_event_is_gone_from_other_processes_and_from_the_file(tmp_path: Path) -> None:
    """Two servers on one file: one removes the event that the other has in its window and has written to a stream."""
    path = tmp_path / "tidings.db"
    secret = "the words that must not stay"
    with ServerProcess(f"sqlite:///{path}") as one, ServerProcess(f"sqlite:///{path}") as two:
        async with httpx.AsyncClient(timeout=PATIENCE) as client:
            for text in ("before", secret, "after"):
                answer = await client.post(f"{one.url}/topics/a/events", content=text)
                assert answer.status_code == 201
            async with client.stream("GET", f"{two.url}/events?topic=a&from=earliest") as stream:
                lines = stream.aiter_lines()
                offset = (await line_after(lines, f"data: {secret}")).removeprefix("id: ")
                gone = await client.delete(f"{one.url}/topics/a/events/{offset}")
                assert gone.status_code == 204
                data = await line_after(lines, "event: tidings.redacted")
                assert json.loads(data.removeprefix("data: "))["offset"] == offset
                assert await anext(lines) == ""  # no id follows
            for server in (one, two):
                page = await client.get(f"{server.url}/topics/a/events")
                assert secret not in page.text
                assert [event.get("redacted") for event in page.json()["events"]] == [None, True, None]
        async with asyncio.timeout(PATIENCE):
            while is_in_a_file(secret, tmp_path):  # noqa: ASYNC110
                await asyncio.sleep(0.05)


async def line_after(lines: AsyncIterator[str], wanted: str) -> str:
    """Read up to a line, and return the one after it."""
    async with asyncio.timeout(PATIENCE):
        async for line in lines:
            if line == wanted:
                return await anext(lines)
    raise AssertionError(f"the stream ended before {wanted}")


def is_in_a_file(text: str, folder: Path) -> bool:
    """Tell whether the database or its log of changes holds a text."""
    return any(text.encode() in file.read_bytes() for file in folder.iterdir() if file.is_file())
