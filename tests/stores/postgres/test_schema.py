"""The tables of a PostgreSQL store."""

from __future__ import annotations

import asyncio

import pytest

from tests.postgres import Cluster
from tests.stores.kit import put
from tests.stores.postgres.conftest import Open
from tidings.errors import InvalidRequest
from tidings.stores.postgres import schema
from tidings.stores.postgres.store import PostgresStore


async def test_many_processes_make_the_tables_once(opened: Open) -> None:
    stores = await asyncio.gather(*(opened() for _ in range(8)))
    await asyncio.gather(*(store.update("a", (), put()) for store in stores))
    head = await stores[0].load("a")
    assert head is not None
    assert head.tail == 8
    assert {store._eras.present for store in stores} == {1}


async def test_an_earlier_format_is_migrated_once(
    opened: Open, postgres: Cluster, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await (await opened()).update("a", (), put())
    monkeypatch.setattr(schema, "FORMAT", 3)
    monkeypatch.setattr(
        schema, "MIGRATIONS", {1: "CREATE TABLE tidings.x (n int)", 2: "ALTER TABLE tidings.x ADD COLUMN m int"}
    )
    stores = await asyncio.gather(*(opened() for _ in range(4)))
    assert (await stores[3].load("a")) is not None
    name = url.rpartition("/")[2]
    assert await postgres.ask("SELECT format FROM tidings.store", name) == ["3"]
    assert await postgres.ask("SELECT count(m) FROM tidings.x", name) == ["0"]


@pytest.mark.parametrize(
    ("statements", "sentence"),
    [
        ("CREATE SCHEMA tidings; CREATE TABLE tidings.bells (n int)", "belongs to another application"),
        ("CREATE SCHEMA tidings; CREATE TABLE tidings.store (format int); INSERT INTO tidings.store VALUES (9)",
         "made by a newer version of Tidings: its format is 9"),
        ("CREATE SCHEMA tidings; CREATE TABLE tidings.store (format int); INSERT INTO tidings.store VALUES (0)",
         "no version of Tidings has written"),
    ],
)  # fmt: skip
async def test_tables_of_others_are_refused_and_not_touched(
    postgres: Cluster, url: str, statements: str, sentence: str
) -> None:
    name = url.rpartition("/")[2]
    await postgres.ask(statements, name)
    before = await postgres.ask("SELECT relname FROM pg_class ORDER BY 1", name)
    store = PostgresStore(url)
    with pytest.raises(InvalidRequest, match=sentence):
        await store.open()
    await store.close()
    assert await postgres.ask("SELECT relname FROM pg_class ORDER BY 1", name) == before


async def test_an_engine_that_is_too_old_is_refused(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "OLDEST", 99)
    with pytest.raises(InvalidRequest, match=r"is in PostgreSQL \d+. Tidings needs PostgreSQL 99 or newer"):
        await opened()


async def test_an_empty_schema_is_ours(opened: Open, postgres: Cluster, url: str) -> None:
    await postgres.ask("CREATE SCHEMA tidings", url.rpartition("/")[2])
    assert await (await opened()).load("a") is None


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("synchronous_commit", "The database has synchronous_commit=off: a crash of the engine can lose"),
        (None, "The database has fsync=off: a crash of its machine"),
    ],
)
async def test_weak_settings_are_warned_of_by_name(
    opened: Open, postgres: Cluster, url: str, caplog: pytest.LogCaptureFixture, setting: str | None, told: str
) -> None:
    name = url.rpartition("/")[2]
    if setting:
        await postgres.ask(f"ALTER DATABASE {name} SET {setting} = off", "postgres")
    try:
        await opened()
    finally:  # other tests use the same database
        await postgres.ask(f"ALTER DATABASE {name} RESET ALL", "postgres")
    assert told in caplog.text
    assert ("synchronous_commit" in caplog.text) == bool(setting)
    assert "full_page_writes" not in caplog.text
