"""The store port: every engine has all that it asks for, with the same parameters."""

from __future__ import annotations

import inspect

import pytest

from tidings.log.port import Store
from tidings.stores.memory import MemoryStore
from tidings.stores.sqlite.store import SqliteStore

METHODS = [name for name in dir(Store) if not name.startswith("_")]


@pytest.mark.parametrize("engine", [MemoryStore, SqliteStore])
@pytest.mark.parametrize("name", METHODS)
def test_an_engine_has_each_method_of_the_port(engine: type[Store], name: str) -> None:
    asked, given = (inspect.signature(getattr(kind, name)).parameters.values() for kind in (Store, engine))
    assert [(each.name, each.kind, each.default) for each in given] == [
        (each.name, each.kind, each.default) for each in asked
    ]


def test_the_port_stays_small() -> None:
    assert len(METHODS) <= 16
