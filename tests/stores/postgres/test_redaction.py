"""The bytes of a redacted event in the files of the engine: docs/stores.md says when they are gone."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator

import pytest

from tests.postgres import Cluster
from tests.stores.kit import items
from tidings.log.journal import Journal
from tidings.stores import open_store


@pytest.fixture
def engine(postgres: Cluster) -> Iterator[Cluster]:
    with Cluster(postgres.programs, autovacuum="off") as cluster:
        yield cluster.make()


def holding(engine: Cluster, folder: str, word: str) -> bool:
    """Tell whether a file below a folder of the engine's data holds a word."""
    files = (path for path in (engine.data / folder).rglob("*") if path.is_file())
    return any(word.encode() in path.read_bytes() for path in files)


async def test_a_full_vacuum_takes_a_redacted_event_from_the_tables(engine: Cluster) -> None:
    word = secrets.token_hex(16)
    name = engine.create()
    log = Journal(open_store(engine.url(name)))
    await log.open()
    try:
        offset = (await log.append("a", items(word))).last
        await asyncio.to_thread(engine.sql, "CHECKPOINT", name)
        assert await asyncio.to_thread(holding, engine, "base", word)
        await log.redact("a", offset)
        assert all(word not in event.data for event in (await log.read("a", None)).events)
        await asyncio.to_thread(engine.sql, "CHECKPOINT", name)
        assert await asyncio.to_thread(holding, engine, "base", word), "an update leaves the row before it"
        await asyncio.to_thread(engine.sql, "VACUUM FULL tidings.records", name)
        await asyncio.to_thread(engine.sql, "CHECKPOINT", name)
        assert not await asyncio.to_thread(holding, engine, "base", word)
        assert await asyncio.to_thread(holding, engine, "pg_wal", word), "the log of changes still has it"
    finally:
        await log.close()
