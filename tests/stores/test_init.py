"""Which store a URL names."""

from __future__ import annotations

import pytest

from tidings.errors import InvalidRequest
from tidings.stores import open_store
from tidings.stores.memory import MemoryStore
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
