"""The store in a SQLite file: the suite of all stores, and its life in a process."""

# A test may look at files.

from __future__ import annotations

import asyncio
import os
import socket
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.stores.kit import Clock, put
from tests.stores.sqlite.conftest import Open
from tests.stores.suite import StoreSuite
from tests.stores.suite_life import LifeSuite
from tidings import Hub
from tidings.errors import Unavailable
from tidings.stores.sqlite import store as sqlite
from tidings.stores.sqlite.backup import back_up
from tidings.stores.sqlite.connection import connect
from tidings.stores.sqlite.peers import Peers
from tidings.stores.sqlite.reader import Reader
from tidings.stores.sqlite.store import SqliteStore


class TestSqliteStore(StoreSuite, LifeSuite):
    pass


async def test_many_probes_are_one_write(opened: Open, clock: Clock) -> None:
    store = await opened()
    store._written = 0.0
    assert await asyncio.gather(*(store.probe() for _ in range(50))) == [None] * 50
    await store.update("a", (), put())
    connection = store._commits._writer.connection
    await asyncio.to_thread(connection.execute, "PRAGMA query_only=1")
    clock.now += 7
    assert await store.probe() == 7
    store._written = 0.0
    with pytest.raises(Unavailable, match="it is read-only"):
        await store.probe()


async def test_a_store_that_cannot_be_opened_leaves_nothing_open(
    path: Path, monkeypatch: pytest.MonkeyPatch, opened: Open
) -> None:
    """The last step of opening may fail, when everything else is open already."""

    def fail(reader: Reader) -> int:
        raise sqlite3.OperationalError("disk I/O error")

    connections: list[sqlite3.Connection] = []
    sockets: list[socket.socket] = []

    def connected(*args: Any, **options: Any) -> sqlite3.Connection:
        connections.append(connect(*args, **options))
        return connections[-1]

    def bound(peers: Peers, database: str) -> bool:
        done = bind(peers, database)
        sockets.append(peers._socket)  # type: ignore[arg-type]
        monkeypatch.setattr(Reader, "commits", fail)
        return done

    bind = Peers.bind
    monkeypatch.setattr(sqlite, "connect", connected)
    monkeypatch.setattr(Peers, "bind", bound)
    store = SqliteStore(path)
    with pytest.raises(Unavailable):
        await store.open()
    await store.close()
    assert len(connections) == 3
    for connection in connections:
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            await asyncio.to_thread(connection.execute, "SELECT 1")
    assert [each.fileno() for each in sockets] == [-1]


async def test_nobody_else_may_read_the_files_of_a_store(path: Path, tmp_path: Path) -> None:
    before = os.umask(0o000)
    try:
        async with Hub(f"sqlite:///{path}") as hub:
            await hub.publish("a", "secret")
            names = ["", "-wal", "-shm"]
            assert [path.with_name(path.name + name).stat().st_mode & 0o777 for name in names] == [0o600] * 3
        await asyncio.to_thread(back_up, str(path), str(tmp_path / "backup.db"))
        assert (tmp_path / "backup.db").stat().st_mode & 0o777 == 0o600
    finally:
        os.umask(before)
