"""Attacks on redaction: values of deleted events stay in no stored series, though nobody asks for it again."""

from __future__ import annotations

import asyncio
from pathlib import Path
from time import time

import pytest

from tests.attack.conftest import SECRET
from tests.serving import PATIENCE, ServerProcess
from tests.stores.sqlite.test_redaction import is_in_a_file
from tests.streams import request
from tidings import Hub
from tidings.access.tokens import sign

WORDS = {"kept": "cuttlefish", "redacted": "lanternfish", "deleted": "anglerfish"}
"""The value of the first event of each topic."""


@pytest.fixture
def store(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/tidings.db"


async def published(store: str) -> dict[str, str]:
    """Publish events whose minutes have passed, and return the offsets of the first ones."""
    offsets: dict[str, str] = {}
    async with Hub(store) as hub:
        for topic, word in WORDS.items():
            for minutes, value in ((150, word), (80, "other"), (5, "other")):
                now = time() - minutes * 60
                hub.log._clock = hub.log._queues._clock = lambda now=now: now  # type: ignore[misc]
                offset = await hub.publish(topic, {"name": value})
                offsets.setdefault(topic, str(offset))
    return offsets


async def ask(server: ServerProcess, path: str, method: str = "GET") -> bytes:
    token = sign(SECRET, "ann", publish=["*"], subscribe=["*"], redact=["*"], seconds=600)
    answer = await request(server.url + path, method, b"", {"authorization": f"Bearer {token}"})
    assert answer.status in (200, 204), answer.body
    return answer.body


async def charted(server: ServerProcess) -> None:
    """Ask for the series of all topics, which the server stores."""
    for topic, word in WORDS.items():
        assert word.encode() in await ask(server, f"/series?topic={topic}&by=name&from=-10000")


async def series(store: str) -> int:
    async with Hub(store) as hub:
        return len(await hub.topics("snapshots.series."))


async def gone(folder: Path, *words: str) -> None:
    """Wait until no file holds any of the words. Nobody asks for a series meanwhile."""
    async with asyncio.timeout(PATIENCE):
        while any(is_in_a_file(word, folder) for word in words):  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def test_a_series_loses_what_was_deleted_while_servers_run(tmp_path: Path, store: str) -> None:
    offsets, env = await published(store), {"TIDINGS_SECRET": SECRET}
    with ServerProcess(store, env=env) as one, ServerProcess(store, env=env) as two:
        await charted(one)
        await charted(two)
        assert await series(store) == 6
        await ask(two, f"/topics/redacted/events/{offsets['redacted']}", "DELETE")
        await ask(two, "/topics/deleted", "DELETE")
        await gone(tmp_path, WORDS["redacted"], WORDS["deleted"])
        assert await series(store) == 2
        for server in (one, two):
            assert b"other" in await ask(server, "/series?topic=redacted&by=name&from=-10000")
            assert WORDS["kept"].encode() in await ask(server, "/series?topic=kept&by=name&from=-10000")
        await gone(tmp_path, WORDS["redacted"], WORDS["deleted"])


async def test_a_series_loses_what_was_deleted_while_no_server_ran(tmp_path: Path, store: str) -> None:
    offsets, env = await published(store), {"TIDINGS_SECRET": SECRET}
    server = ServerProcess(store, env=env)
    with server:
        await charted(server)
        server.kill()
        async with Hub(store) as hub:
            await hub.redact("redacted", offsets["redacted"])
            await hub.delete("deleted")
        assert await series(store) == 6
        await asyncio.to_thread(server.start)
        await gone(tmp_path, WORDS["redacted"], WORDS["deleted"])
        assert await series(store) == 2
