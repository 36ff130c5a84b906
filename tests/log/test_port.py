"""The store port: every engine has all that it asks for, with the same parameters."""

from __future__ import annotations

import inspect

import pytest

from tidings.log.port import MovableStore, Store
from tidings.stores.memory import MemoryStore
from tidings.stores.sqlite.store import SqliteStore

METHODS, MOVABLE = ([name for name in dir(kind) if not name.startswith("_")] for kind in (Store, MovableStore))


@pytest.mark.parametrize("engine", [MemoryStore, SqliteStore])
@pytest.mark.parametrize("name", MOVABLE)
def test_an_engine_has_each_method_of_the_port(engine: type[Store], name: str) -> None:
    asked, given = (inspect.signature(getattr(kind, name)).parameters.values() for kind in (MovableStore, engine))
    assert [(each.name, each.kind, each.default) for each in given] == [
        (each.name, each.kind, each.default) for each in asked
    ]


def test_the_port_stays_small() -> None:
    assert len(METHODS) <= 16
