"""The seal of a PostgreSQL store."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from tests.stores.kit import put
from tests.stores.postgres.conftest import Open
from tidings.log.port import Seal
from tidings.stores.postgres.seals import REFUSED


async def test_a_seal_waits_for_the_changes_under_way_and_the_engine_enforces_it(opened: Open, url: str) -> None:
    store = await opened()
    await store.update("a", (), put())
    other = await asyncpg.connect(url)
    try:
        await other.execute("BEGIN")
        await other.execute("UPDATE tidings.topics SET due = due")
        sealing = asyncio.create_task(store.seal(Seal.SEALED))
        while not await other.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert not sealing.done()
        await other.execute("COMMIT")
        assert await sealing is Seal.SEALED
        for statement in ("UPDATE tidings.topics SET due = due", "DELETE FROM tidings.topics"):
            with pytest.raises(asyncpg.PostgresError, match="sealed") as refused:
                await other.execute(statement)
            assert refused.value.sqlstate == REFUSED
    finally:
        await other.close()
    assert await store.seal(Seal.OPEN) is await store.seal() is Seal.OPEN
    await store.update("a", (), put())
