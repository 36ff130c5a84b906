"""The files of a database, removed, replaced, cut short and overwritten while a store has them open."""

# ruff: noqa: ASYNC110
# A checkpoint is tried again and again.

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.stores.kit import Clock, put
from tests.stores.sqlite.conftest import Open, ask
from tidings.errors import Unavailable
from tidings.log.head import Change
from tidings.stores.sqlite import store as sqlite
from tidings.stores.sqlite import tidier
from tidings.stores.sqlite.connection import connect
from tidings.stores.sqlite.file import DAMAGED, REMOVED, DatabaseFile
from tidings.stores.sqlite.tidier import Tidier
from tidings.stores.sqlite.writer import Update, Writer


def remove(path: Path) -> None:
    path.unlink()


def remove_log(path: Path) -> None:
    path.with_name(f"{path.name}-wal").unlink()


def remove_index(path: Path) -> None:
    path.with_name(f"{path.name}-shm").unlink()


def remove_folder(path: Path) -> None:
    shutil.rmtree(path.parent)


def move(path: Path) -> None:
    path.rename(path.with_name("moved.db"))


def replace(path: Path) -> None:
    other = path.with_name("other.db")
    connect(str(other), "full").close()
    other.replace(path)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def overwrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(os.urandom(path.stat().st_size))


def overwrite_log(path: Path) -> None:
    with path.with_name(f"{path.name}-wal").open("r+b") as file:
        file.write(os.urandom(200_000))


def copy_over(path: Path) -> None:
    """A backup that somebody copies onto the live database."""
    backup = path.with_name("backup.db")
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(backup)) as target:
        source.backup(target)
        target.execute("PRAGMA journal_mode=DELETE")
    shutil.copyfile(backup, path)


HARMS: list[tuple[Callable[[Path], None], str]] = [
    (remove, REMOVED), (remove_log, REMOVED), (remove_index, REMOVED), (remove_folder, REMOVED), (move, REMOVED),
    (replace, REMOVED), (empty, DAMAGED), (cut, DAMAGED), (overwrite, DAMAGED), (copy_over, DAMAGED),
    (overwrite_log, DAMAGED),
]  # fmt: skip


@pytest.fixture
async def filled(opened: Open, path: Path) -> sqlite.SqliteStore:
    """A store whose file holds 50 pages and more."""
    store = await opened()
    await asyncio.gather(*(store.update(f"t{n}", (), put(size=5000)) for n in range(50)))
    while await asyncio.to_thread(ask, path, "PRAGMA wal_checkpoint(TRUNCATE)"):
        await asyncio.sleep(0.01)  # the store is reading, or tidies
    assert await asyncio.to_thread(store._file.look) == ""
    return store


@pytest.mark.parametrize(("harm", "reason"), HARMS)
async def test_a_store_notices_by_itself(
    filled: sqlite.SqliteStore,
    path: Path,
    harm: Callable[[Path], None],
    reason: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await asyncio.to_thread(harm, path)
    assert await asyncio.wait_for(filled.lost(), 10) == reason
    for call in (filled.update("a", (), put()), filled.load("t1"), filled.probe(), filled.read("t1", 0, 10)):
        with pytest.raises(Unavailable, match=reason):
            await call
    assert [(record.levelname, record.message) for record in caplog.records if record.levelname == "CRITICAL"] == [
        ("CRITICAL", f"{reason} This process can no longer serve it.")
    ]


@pytest.mark.parametrize(("harm", "reason"), [each for each in HARMS if each[0] not in (cut, overwrite_log)])
@pytest.mark.parametrize("call", ["update", "probe"])
async def test_no_write_is_acknowledged_after_it(
    filled: sqlite.SqliteStore,
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
    harm: Callable[[Path], None],
    reason: str,
    call: str,
) -> None:
    for watching in filled._watching:
        watching.cancel()
    filled._written = 0.0
    await asyncio.to_thread(harm, path)
    with pytest.raises(Unavailable):
        await (filled.update("a", (), put()) if call == "update" else filled.probe())
    assert await asyncio.wait_for(filled.lost(), 10) in (reason, DAMAGED)


async def test_no_write_is_acknowledged_after_its_log_was_overwritten(filled: sqlite.SqliteStore, path: Path) -> None:
    """The log holds a commit: SQLite begins an empty log anew, with a start of its own, and loses nothing."""
    await filled.update("a", (), put())
    await asyncio.to_thread(overwrite_log, path)
    with pytest.raises(Unavailable):
        await filled.update("a", (), put())
    assert await asyncio.wait_for(filled.lost(), 10) == DAMAGED


async def test_damage_within_the_file_is_noticed_when_it_is_read(filled: sqlite.SqliteStore, path: Path) -> None:
    def damage() -> None:
        with path.open("r+b") as file:
            file.seek(4096)
            file.write(b"\xff" * (path.stat().st_size - 4096))

    await asyncio.to_thread(damage)
    await asyncio.to_thread(filled._commits._writer.connection.execute, "PRAGMA shrink_memory")
    # A read finds the damage, or the store's own look does, which may come first.
    with pytest.raises(Unavailable, match=r"it is damaged|was damaged while it was open"):
        await asyncio.gather(*(filled.read(f"t{n}", 0, 10) for n in range(50)))
    assert await asyncio.wait_for(filled.lost(), 10) == DAMAGED


def test_a_file_that_grows_and_shrinks_is_in_order(path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looked at all the time, from two threads, while every page of it comes and goes."""
    for pause in ("PAUSE", "REST", "SCRUB"):
        monkeypatch.setattr(tidier, pause, 0.0)
    monkeypatch.setattr(tidier, "SPARE", 0)
    with closing(connect(str(path), "normal")) as connection:
        connection.execute("SELECT * FROM state").fetchone()
        file = DatabaseFile(str(path))
        writer = Writer(connection, file, clock=clock, steady=clock)
        tidy = Tidier(writer, clock)
        over = threading.Event()
        seen: set[str] = set()

        def look() -> None:
            own = DatabaseFile(str(path))
            while not over.is_set():
                seen.add(own.look())

        looking = [threading.Thread(target=look) for _ in range(2)]
        for thread in looking:
            thread.start()
        sizes = set()
        for n in range(8):
            for m in range(6):
                writer.write([Update(f"t{n}.{m}", (), put(size=400_000))])
            for m in range(6):
                writer.write([Update(f"t{n}.{m}", (), lambda known: Change(None))])
            for _ in range(60):
                tidy.step()
                sizes.add(path.stat().st_size)
        over.set()
        for thread in looking:
            thread.join()
    assert seen == {""}
    assert max(sizes) > 2_000_000 > 200_000 > min(sizes)


LIMITED = """
import asyncio, resource, signal, sys, time
from tidings.errors import Unavailable
from tidings.log.journal import Journal
from tidings.stores.sqlite.store import SqliteStore

async def main():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    log = Journal(SqliteStore(sys.argv[1]))
    await log.open()
    acks = 0
    resource.setrlimit(resource.RLIMIT_FSIZE, (6_000_000, resource.RLIM_INFINITY))
    for _ in range(200):
        try:
            await log.append("a", [("message", "x" * 50_000)])
            acks += 1
        except Unavailable:
            break
    await asyncio.sleep(1)  # twice the time between two looks at the file
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    await log.append("a", [("message", "y")])
    print(acks < 200, (await log.describe("a")).tail == acks + 1)
    await log.close()

asyncio.run(main())
"""


def test_a_file_that_may_not_grow_is_not_damaged(path: Path) -> None:
    """SQLite has written a header with more pages than the file may have, and goes on once it may."""
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(path)], capture_output=True, text=True, timeout=100, check=False
    )
    assert done.stdout == "True True\n", done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) <= 4
