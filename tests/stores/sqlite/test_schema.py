"""The tables: made once, migrated once, and refused if they are not ours."""

from __future__ import annotations

import asyncio
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.stores.kit import Clock, data_of, everything, put
from tests.stores.sqlite.conftest import Open, ask
from tidings.errors import InvalidRequest
from tidings.events import ORIGIN, Retention
from tidings.log.head import UNOWNED, owned_by
from tidings.log.journal import Journal
from tidings.stores.sqlite import schema
from tidings.stores.sqlite.connection import connect
from tidings.stores.sqlite.schema import FORMAT, MIGRATIONS

FIXTURES = {version: Path(__file__).parent / f"format{version}.sqlite" for version in (1, 2)}
"""A file by each earlier version, made by its own code at Unix time 1,700,000,000."""


def test_every_earlier_format_has_a_fixture() -> None:
    assert set(FIXTURES) == set(MIGRATIONS) == set(range(1, FORMAT))


async def test_a_file_of_format_1_is_migrated(opened: Open, path: Path, clock: Clock) -> None:
    shutil.copy(FIXTURES[1], path)
    clock.now = 1_700_000_020.0
    store = await opened()
    log = Journal(store, clock=clock)
    assert ask(path, "PRAGMA user_version") == FORMAT
    assert await log.topics() == ["aged", "closed", "expires", "plain"]
    assert data_of(await everything(log, "plain")) == ["one", "two", "three"]
    assert (await log.read("closed", ORIGIN)).closed
    head = await log.describe("aged")
    assert head
    assert (head.retention, head.tail) == (Retention(max_age=60.0, max_events=100), 5)
    assert (await log.append("plain", [("message", "one")], key="k1")).duplicate
    assert await store.lapsed() == ["runs.X"]  # its holder was of the earlier version
    clock.now += 3600
    assert await log.describe("expires") is None
    await log.sweep()
    assert await log.topics() == ["aged", "closed", "plain"]
    assert data_of(await everything(log, "aged", (await log.read("aged", None)).earliest)) == []
    await log.append("plain", [("message", "four")])
    assert data_of(await everything(log, "plain")) == ["one", "two", "three", "four"]


async def test_topics_of_format_2_are_found_by_their_owners_and_by_those_who_look_at_each(
    opened: Open, path: Path, clock: Clock
) -> None:
    shutil.copy(FIXTURES[2], path)
    clock.now = 1_700_000_020.0
    store = await opened()
    everything = ["conversations.c", "conversations.d", "expires", "plain", "rooms.den", "runs.X"]
    assert [name for name, _ in await store.topics(labels=[UNOWNED])] == everything
    owned = [name for name, _ in await store.topics(labels=[owned_by("Mara")])]
    assert owned == ["conversations.c", "conversations.d", "rooms.den", "runs.X"]
    assert await store.labels() == [UNOWNED, owned_by("Mara")]


def table_shapes(path: Path) -> list[tuple[str, ...]]:
    connection = sqlite3.connect(path)
    try:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        shapes: list[tuple[str, ...]] = []
        for name in sorted(names):
            for column in connection.execute(f"PRAGMA table_info({name})"):
                shapes.append((name, *map(str, column[1:])))
            shapes += [(name, *map(str, index[1:3])) for index in connection.execute(f"PRAGMA index_list({name})")]
        return shapes
    finally:
        connection.close()


@pytest.mark.parametrize("version", FIXTURES)
def test_a_migrated_file_has_the_tables_of_a_new_one(path: Path, version: int) -> None:
    shutil.copy(FIXTURES[version], path)
    connect(str(path), "full").close()
    new = path.with_name("new.db")
    connect(str(new), "full").close()
    assert table_shapes(path) == table_shapes(new)


def test_a_schema_is_migrated_once_by_processes_that_open_at_once(path: Path) -> None:
    code = "import sys; from tidings.stores.sqlite import connection; input(); connection.connect(sys.argv[1], 'full')"
    for _ in range(3):
        shutil.copy(FIXTURES[1], path)
        workers = [
            subprocess.Popen([sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
            for _ in range(4)
        ]
        for worker in workers:
            assert worker.stdin
            worker.stdin.write(b"\n")
            worker.stdin.flush()
        assert [worker.communicate()[1] for worker in workers] == [b""] * 4
        assert ask(path, "PRAGMA user_version") == FORMAT
        assert ask(path, "SELECT count(*) FROM leases") == 1


@pytest.mark.parametrize("statement", range(len(MIGRATIONS[1].split(";\n"))))
def test_a_process_killed_within_a_migration_leaves_the_file_as_it_was(path: Path, statement: int) -> None:
    shutil.copy(FIXTURES[1], path)
    code = f"""
import os, signal, sys
from tidings.stores.sqlite import connection, schema
steps = schema.MIGRATIONS[1].split(";\\n")
schema.MIGRATIONS[1] = ";\\n".join([*steps[:{statement + 1}], "SELECT die()", *steps[{statement + 1}:]])
migrate = schema.migrate
def prepared(connection, version):
    connection.create_function("die", 0, lambda: os.kill(os.getpid(), signal.SIGKILL))
    migrate(connection, version)
schema.migrate = prepared
connection.connect(sys.argv[1], "full")
"""
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (-signal.SIGKILL, b"")
    assert ask(path, "PRAGMA user_version") == 1
    assert ask(path, "SELECT count(*) FROM pragma_table_info('topics')") == 3
    connect(str(path), "full").close()
    assert ask(path, "PRAGMA user_version") == FORMAT


def test_a_migration_that_fails_leaves_the_file_as_it_was(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(FIXTURES[1], path)
    monkeypatch.setitem(schema.MIGRATIONS, 1, schema.MIGRATIONS[1] + ";\nSELECT no_such_function()")
    with pytest.raises(Exception, match="cannot be used"):
        connect(str(path), "full")
    assert ask(path, "PRAGMA user_version") == 1
    assert ask(path, "SELECT count(*) FROM pragma_table_info('topics')") == 3


def other_application(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE topics (name)")


def newer_version(connection: sqlite3.Connection) -> None:
    connection.execute(f"PRAGMA application_id={schema.APPLICATION}")
    connection.execute(f"PRAGMA user_version={FORMAT + 1}")


def no_version(connection: sqlite3.Connection) -> None:
    connection.execute(f"PRAGMA application_id={schema.APPLICATION}")
    connection.execute("CREATE TABLE topics (name)")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (other_application, r"^tidings\.db is a database of another application\.$"),
        (newer_version, r"made by a newer version of Tidings: its format is 4, this version reads up to 3\. Install"),
        (no_version, r"^tidings\.db has a format, 0, that no version of Tidings has written\.$"),
    ],
)
def test_a_file_that_is_not_ours_is_refused_and_not_touched(
    path: Path, make: Callable[[sqlite3.Connection], None], message: str
) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    make(other)
    other.close()
    before = path.read_bytes()
    with pytest.raises(InvalidRequest, match=message):
        connect(str(path), "full")
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == ["tidings.db"]


async def test_several_processes_may_make_one_file_at_once(opened: Open) -> None:
    stores = await asyncio.gather(*(opened() for _ in range(8)))
    await asyncio.gather(*(store.update("a", (), put()) for store in stores))
    assert (await stores[0].load("a")).tail == 8  # type: ignore[union-attr]


def test_a_file_that_is_being_made_is_not_taken_for_another_application_s(tmp_path: Path) -> None:
    """The identity is several numbers, which another process writes together: they must be read together."""

    def make(path: str, together: threading.Barrier) -> None:
        together.wait()
        connect(path, "normal").close()

    with ThreadPoolExecutor(8) as pool:
        for n in range(40):
            together = threading.Barrier(8)
            for made in [pool.submit(make, str(tmp_path / f"{n}.db"), together) for _ in range(8)]:
                made.result()
