"""Connections to PostgreSQL, and the meaning of its errors."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

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
        ("127.0.0.1:{port}/?sslmode=require", Unavailable, "takes no connection with TLS"),
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


@pytest.fixture
def guest(postgres: Cluster, postgres_database: str) -> Iterator[str]:
    """The name of a user without privileges."""
    postgres.sql("CREATE ROLE guest LOGIN")
    yield "guest"
    postgres.sql("DROP OWNED BY guest CASCADE", postgres_database)
    postgres.sql("DROP ROLE guest")


@pytest.fixture
def attempts(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """Count the connections that are tried to be made."""
    tried: list[None] = []
    connect = asyncpg.connect

    async def counted(*arguments: object, **options: object) -> object:
        tried.append(None)
        return await connect(*arguments, **options)

    monkeypatch.setattr(asyncpg, "connect", counted)
    return tried


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("tidings@127.0.0.1:{port}/missing", "that the store's URL names does not exist"),
        ("unknown@127.0.0.1:{port}/postgres", "does not know the URL's user"),
        ("guest@127.0.0.1:{port}/postgres", "lacks a privilege: it must own the database, or its schema `tidings`"),
        ("tidings@127.0.0.1:{port}/latin", "encoding is LATIN1, .*createdb --encoding=UTF8 --template=template0"),
        ("tidings@127.0.0.1:{port}/postgres?sslmode=require", "takes no connection with TLS"),
        (
            "tidings@127.0.0.1:{port}/postgres?sslmode=verify-full&sslrootcert=/none.pem",
            "file of the URL's sslrootcert",
        ),
        ("tidings@127.0.0.1:{port}/postgres?sslmode=require&sslcert=/none.pem", "file of the URL's sslcert"),
    ],
)
async def test_an_engine_that_refuses_is_named_at_once(
    postgres: Cluster,
    guest: str,
    caplog: pytest.LogCaptureFixture,
    attempts: list[None],
    change: str,
    sentence: str,
) -> None:
    """Waiting would not help, so `open` tries a single time, and no log line speaks of waiting."""
    if "latin" in change:
        await postgres.ask("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0", "postgres")
    store = PostgresStore("postgresql://" + change.format(port=postgres.port))
    with pytest.raises(TidingsError, match=sentence):
        await store.open()
    await store.close()
    await postgres.ask("DROP DATABASE IF EXISTS latin", "postgres")
    assert len(attempts) == 1
    assert caplog.text == ""


async def test_a_user_that_is_refused_later_is_waited_for(
    postgres: Cluster, url: str, guest: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A server goes on by itself once its user is let in again, as after a change of the password."""
    await postgres.ask(f"GRANT CREATE ON DATABASE {url.rpartition('/')[2]} TO {guest}", "postgres")
    store = PostgresStore(url.replace("tidings@", f"{guest}@"))
    await store.open()
    try:
        await postgres.ask(f"ALTER ROLE {guest} NOLOGIN", "postgres")
        store._connections.renew()
        waiting = store.update("a", (), put())
        with pytest.raises(Unavailable, match="does not know the URL's user"):
            await store.load("a")
        await postgres.ask(f"ALTER ROLE {guest} LOGIN", "postgres")
        assert (await waiting).head
    finally:
        await store.close()
    assert caplog.text.count("It is waited for.") == caplog.text.count("can be reached again") == 1


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
