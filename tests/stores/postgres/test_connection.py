"""Connections to PostgreSQL, and the meaning of its errors."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from tests.postgres import Cluster
from tests.stores.kit import put
from tests.stores.postgres.conftest import Open
from tidings.errors import InvalidRequest, OutcomeUnknown, TidingsError, Unavailable
from tidings.stores.postgres import store as module
from tidings.stores.postgres.connection import AWAY, meaning, was_lost, was_refused
from tidings.stores.postgres.store import PostgresStore

SECRET = "hunter2-of-the-engine"


@pytest.mark.parametrize(
    ("error", "sentence", "refused", "lost"),
    [
        (asyncpg.DiskFullError("could not extend /secret"), "its disk is full", True, False),
        (asyncpg.ReadOnlySQLTransactionError("x"), "is read-only", True, False),
        (asyncpg.InsufficientPrivilegeError("x"), "lacks a privilege", True, False),
        (asyncpg.UndefinedTableError("x"), "lost the store's tables", True, False),
        (asyncpg.OutOfMemoryError("x"), "out of resources", True, False),
        (asyncpg.DataCorruptedError("x"), "is damaged", True, False),
        (asyncpg.QueryCanceledError("x"), "cannot be reached", True, True),
        (asyncpg.UniqueViolationError("x"), "refused a statement (SQLSTATE 23505)", True, False),
        (asyncpg.AdminShutdownError("x"), AWAY, False, True),
        (asyncpg.ConnectionDoesNotExistError("x"), AWAY, False, True),
        (asyncpg.InterfaceError("x"), AWAY, False, True),
        (ConnectionResetError("x"), AWAY, False, True),
        (TimeoutError(), AWAY, False, True),
        (OutcomeUnknown("as it was"), "as it was", False, False),
    ],
)
def test_errors_mean_what_they_say(error: Exception, sentence: str, refused: bool, lost: bool) -> None:
    told = meaning(error)
    assert isinstance(told, Unavailable)
    assert sentence in str(told)
    assert (was_refused(error), was_lost(error)) == (refused, lost)


@pytest.mark.parametrize(
    ("change", "kind", "sentence"),
    [
        ("127.0.0.1:1/", Unavailable, "cannot be reached"),
        ("127.0.0.1:{port}/missing", Unavailable, "does not exist"),
        ("no.such.host.invalid/", Unavailable, "cannot be reached"),
        ("127.0.0.1:{port}/?sslmode=verify-full", InvalidRequest, "ssl options"),
        ("127.0.0.1:{port}/?sslmode=other", InvalidRequest, "ssl options"),
        ("127.0.0.1:{port}/?sslmode=require", Unavailable, "cannot be reached"),
    ],
)
async def test_no_error_shows_the_password(
    postgres: Cluster,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    change: str,
    kind: type[TidingsError],
    sentence: str,
) -> None:
    monkeypatch.setattr(module, "WAITING", 0.0)
    store = PostgresStore(f"postgresql://tidings:{SECRET}@" + change.format(port=postgres.port))
    with pytest.raises(kind, match=sentence) as refused:
        await store.open()
    await store.close()
    seen = f"{refused.value!r} {refused.value.problem()} {refused.getrepr(style='long')} {caplog.text} {store!r}"
    assert SECRET not in seen
    assert refused.value.__suppress_context__


async def test_the_pool_is_bounded(opened: Open, postgres: Cluster, url: str) -> None:
    store = await opened("?pool=3")
    await asyncio.gather(*(store.load("a") for _ in range(50)), *(store.update(f"t{n}", (), put()) for n in range(50)))
    name = url.rpartition("/")[2]
    query = f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}' AND application_name = 'tidings'"
    assert int((await postgres.ask(query, "postgres"))[0]) <= 4  # and the one that listens


async def test_a_connection_that_the_engine_ended_is_replaced(
    opened: Open, postgres: Cluster, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    store = await opened()
    await store.update("a", (), put())
    name = url.rpartition("/")[2]
    for _ in range(3):
        await postgres.ask(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'", "postgres"
        )
        heads = await asyncio.gather(*(store.load("a") for _ in range(20)))
        assert {head.tail for head in heads if head} == {1}
    assert "cannot be reached" not in caplog.text
