"""Which store a URL names."""

from __future__ import annotations

import sys

import pytest

from tidings.errors import InvalidRequest
from tidings.stores import database_of, open_store
from tidings.stores.memory import MemoryStore
from tidings.stores.postgres.store import PostgresStore
from tidings.stores.sqlite.store import SqliteStore


def test_memory() -> None:
    assert isinstance(open_store("memory:"), MemoryStore)


@pytest.mark.parametrize(
    ("url", "path", "durability"),
    [
        ("sqlite:///tidings.db", "tidings.db", "full"),
        ("sqlite:////var/lib/tidings.db", "/var/lib/tidings.db", "full"),
        ("sqlite:///a%20b.db?durability=normal", "a b.db", "normal"),
        ("sqlite:///a.db?durability=full", "a.db", "full"),
    ],
)
def test_sqlite(url: str, path: str, durability: str) -> None:
    store = open_store(url)
    assert isinstance(store, SqliteStore)
    assert (store._path, store._durability) == (path, durability)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres"])
def test_postgres(scheme: str) -> None:
    store = open_store(f"{scheme}://me:secret@host:6432/app?sslmode=verify-full&pool=4&listen=engine:5432")
    assert isinstance(store, PostgresStore)
    assert store._address == (
        "postgresql://me:secret@host:6432/app?sslmode=verify-full",
        "postgresql://me:secret@engine:5432/app?sslmode=verify-full",
        4,
        True,
    )
    with pytest.raises(InvalidRequest, match="pg_dump"):
        database_of(f"{scheme}://host/app")


def test_the_driver_of_postgres_is_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("tidings.stores.postgres.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    with pytest.raises(InvalidRequest, match=r"asyncpg is not installed\. Run: pip install 'tidings\[postgres\]'"):
        open_store("postgresql://host/app")


@pytest.mark.parametrize(
    "url", ["", "redis://host", "memory:x", "sqlite:", "sqlite://", "sqlite:///", "sqlite://host/a"]
)
def test_an_unknown_url_is_told_the_known_ones(url: str) -> None:
    with pytest.raises(InvalidRequest, match=r"memory:, sqlite:///file\.db"):
        open_store(url)


@pytest.mark.parametrize("options", ["durability=off", "durability=", "mode=ro", "durability=full&mode=ro"])
def test_an_unknown_option_is_refused(options: str) -> None:
    with pytest.raises(InvalidRequest, match="durability=full or durability=normal"):
        open_store(f"sqlite:///a.db?{options}")
