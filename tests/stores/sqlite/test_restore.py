"""Restoring a backup: what readers are told, what stays valid, and what a kill leaves behind."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.stores.kit import Clock, data_of, items
from tests.stores.sqlite.conftest import Open, ask, fill
from tests.stores.sqlite.test_schema import FIXTURES
from tidings.errors import Conflict, InvalidRequest, TidingsError, Unavailable
from tidings.events import Offset
from tidings.log.journal import Journal
from tidings.stores.sqlite.backup import back_up
from tidings.stores.sqlite.connection import connect
from tidings.stores.sqlite.restore import restore
from tidings.stores.sqlite.schema import FORMAT

WORDS = [str(n) for n in range(1, 11)]


async def test_a_reader_ahead_of_the_backup_is_told(opened: Open, path: Path, tmp_path: Path) -> None:
    """Publish 5, back up, publish to 10, restore, publish 10: a reader at 10 must not be given 11 to 15 in silence."""
    backup = str(tmp_path / "backup.db")
    log = Journal(await opened())
    fifth = (await log.append("a", items(*WORDS[:5]), key="first")).last
    await log.store.lease("runs.X", 60, renew=False)
    await asyncio.to_thread(back_up, str(path), backup)
    tenth = (await log.append("a", items(*WORDS[5:]))).last
    await log.close()
    kept = await asyncio.to_thread(restore, backup, str(path))

    log = Journal(await opened())
    again = await log.append("a", items(*"abcdefghij"), expected=fifth)  # a run's `expected` of before is still met
    assert (again.first.n, again.last.n) == (6, 15)
    ahead = await log.read("a", tenth)
    assert (ahead.lost, data_of(ahead)) == ("recreated", [*WORDS[:5], *"abcdefghij"])
    level = await log.read("a", fifth)
    assert (level.lost, data_of(level)) == (None, list("abcdefghij"))
    assert level.tail.epoch != fifth.epoch
    assert (await log.append("a", items("x"), key="first")).duplicate
    assert await log.store.lapsed() == ["runs.X"]  # its holder has gone
    assert kept
    assert ask(Path(kept), "SELECT count(*) FROM records") == 2


async def test_each_restored_life_is_remembered(opened: Open, path: Path, tmp_path: Path) -> None:
    offsets: list[Offset] = []
    for n in range(3):
        log = Journal(await opened())
        offsets.append((await log.append("a", items(str(n)))).last)
        await asyncio.to_thread(back_up, str(path), str(tmp_path / f"{n}.db"))
        lost = (await log.append("a", items("lost", "lost"))).last
        await log.close()
        await asyncio.to_thread(restore, str(tmp_path / f"{n}.db"), str(path))
    log = Journal(await opened())
    for n, offset in enumerate(offsets):
        page = await log.read("a", offset)
        assert (page.lost, data_of(page)) == (None, [str(m) for m in range(n + 1, 3)])
    assert (await log.read("a", lost)).lost == "recreated"
    head = await log.describe("a")
    assert head
    assert len(head.lives) == 3


async def test_a_backup_of_format_1_is_migrated(opened: Open, path: Path, clock: Clock) -> None:
    clock.now = 1_700_000_020.0
    assert await asyncio.to_thread(restore, str(FIXTURES[1]), str(path)) is None
    assert ask(path, "PRAGMA user_version") == FORMAT
    assert ask(path, "PRAGMA auto_vacuum") == 2
    log = Journal(await opened(), clock=clock)
    page = await log.read("plain", Offset("KtpR1B", 2))
    assert (page.lost, data_of(page)) == (None, ["three"])


async def test_a_store_that_is_in_use_is_not_replaced(opened: Open, path: Path, tmp_path: Path) -> None:
    log = Journal(await opened())
    await log.append("a", items("1"))
    await asyncio.to_thread(back_up, str(path), str(tmp_path / "backup.db"))
    code = "import sys; from tidings.stores.sqlite.restore import restore; restore(sys.argv[1], sys.argv[2])"
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", code, str(tmp_path / "backup.db"), str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr.endswith("Conflict: The store is in use. Stop every server on it first.\n")
    await log.append("a", items("2"))
    assert data_of(await log.read("a", None)) == ["1", "2"]


def make(path: Path) -> None:
    with closing(connect(str(path), "normal")) as connection:
        connection.executemany(
            "INSERT INTO records VALUES (1, ?, ?, x'00', zeroblob(5000))", ((n + 1, n) for n in range(50))
        )


def content(path: Path) -> object:
    return ask(path, "SELECT count(*) FROM records") if path.exists() else None


def test_a_damaged_store_is_replaced_and_kept(path: Path, tmp_path: Path) -> None:
    make(tmp_path / "backup.db")
    path.write_bytes(b"\xff" * 10_000)
    path.with_name("tidings.db-wal").write_bytes(b"\xee" * 1000)
    kept = restore(str(tmp_path / "backup.db"), str(path))
    assert kept
    assert Path(kept).read_bytes() == b"\xff" * 10_000
    assert Path(f"{kept}-wal").read_bytes() == b"\xee" * 1000
    assert content(path) == 50


def test_a_restored_store_is_read_by_whoever_could_read_the_earlier_one(path: Path, tmp_path: Path) -> None:
    make(tmp_path / "backup.db")
    restore(str(tmp_path / "backup.db"), str(path))
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    restore(str(tmp_path / "backup.db"), str(path))
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_store_that_has_only_its_first_bytes_is_replaced_and_kept(path: Path, tmp_path: Path) -> None:
    make(tmp_path / "backup.db")
    path.write_bytes(b"SQLite format 3\0" + b"\xff" * 10_000)
    kept = restore(str(tmp_path / "backup.db"), str(path))
    assert kept
    assert Path(kept).read_bytes() == b"SQLite format 3\0" + b"\xff" * 10_000
    assert content(path) == 50


def test_a_store_that_this_process_has_open_is_not_replaced(path: Path, tmp_path: Path) -> None:
    """The locks that keep other processes out do not keep out a connection of the same process."""
    make(tmp_path / "backup.db")
    with closing(connect(str(path), "full")) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM records").fetchone()
        with pytest.raises(Conflict, match="The store is in use"):
            restore(str(tmp_path / "backup.db"), str(path))
        connection.execute("COMMIT")
    assert content(path) == 0


def test_a_write_ahead_log_of_a_killed_server_is_in_the_kept_store(path: Path, tmp_path: Path) -> None:
    make(tmp_path / "backup.db")
    code = """
import os, signal, sys
from tidings.stores.sqlite.connection import connect
connection = connect(sys.argv[1], "full")
connection.execute("INSERT INTO records VALUES (1, 1, 0, x'00', x'00')")
os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", code, str(path)], timeout=60, check=False)
    assert path.with_name("tidings.db-wal").stat().st_size
    kept = restore(str(tmp_path / "backup.db"), str(path))
    assert kept
    assert content(Path(kept)) == 1
    assert content(path) == 50


STEPS = ["copy", "begin_new_lives", "_merge_changes", "_keep", "put_in_place"]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_kill_at_any_step_leaves_the_earlier_store_or_the_new_one(
    path: Path, tmp_path: Path, step: str, when: str
) -> None:
    make(tmp_path / "backup.db")
    connect(str(path), "full").close()
    code = f"""
import os, signal, sys
from tidings.stores.sqlite import restore
step = restore.{step}
def killed(*args):
    done = {"None" if when == "before" else "step(*args)"}
    os.kill(os.getpid(), signal.SIGKILL)
restore.{step} = killed
restore.restore(sys.argv[1], sys.argv[2])
"""
    killed = [sys.executable, "-c", code, str(tmp_path / "backup.db"), str(path)]
    done = subprocess.run(killed, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (-signal.SIGKILL, "")
    connect(str(path), "full", check=True).close()
    assert content(path) == (50 if (step, when) == ("put_in_place", "after") else 0)
    restore(str(tmp_path / "backup.db"), str(path))
    assert content(path) == 50
    assert not [each for each in os.listdir(tmp_path) if "partial" in each]


def test_a_kill_within_the_new_lives_leaves_the_earlier_store(path: Path, tmp_path: Path) -> None:
    shutil.copy(FIXTURES[1], tmp_path / "backup.db")
    connect(str(path), "full").close()
    code = """
import os, signal, sys
from tidings.stores.sqlite import restore
restore.encode_head = lambda head: os.kill(os.getpid(), signal.SIGKILL)
restore.restore(sys.argv[1], sys.argv[2])
"""
    killed = [sys.executable, "-c", code, str(tmp_path / "backup.db"), str(path)]
    assert subprocess.run(killed, timeout=60, check=False).returncode == -signal.SIGKILL
    assert ask(path, "SELECT count(*) FROM topics") == 0
    restore(str(tmp_path / "backup.db"), str(path))
    assert ask(path, "SELECT count(*) FROM topics") == 4


def no_backup(backup: Path, path: Path) -> None: ...


def a_letter(backup: Path, path: Path) -> None:
    backup.write_bytes(b"a letter to a friend" * 100)


def other_application(backup: Path, path: Path) -> None:
    with closing(sqlite3.connect(backup)) as other:
        other.execute("CREATE TABLE topics (name)")


def newer(backup: Path, path: Path) -> None:
    make(backup)
    with closing(sqlite3.connect(backup)) as other:
        other.execute(f"PRAGMA user_version={FORMAT + 1}")


def damaged(backup: Path, path: Path) -> None:
    make(backup)
    with backup.open("r+b") as file:
        file.seek(8192)
        file.write(b"\xff" * 20_000)


def cut(backup: Path, path: Path) -> None:
    make(backup)
    os.truncate(backup, backup.stat().st_size // 2)


def same_file(backup: Path, path: Path) -> None:
    backup.symlink_to(path)


@pytest.mark.parametrize(
    ("spoil", "error", "message"),
    [
        (no_backup, InvalidRequest, r"^There is no file backup\.db\.$"),
        (a_letter, InvalidRequest, r"^backup\.db is not a SQLite database\.$"),
        (other_application, InvalidRequest, r"^backup\.db is a database of another application\.$"),
        (newer, InvalidRequest, r"^backup\.db was made by a newer version"),
        (damaged, Unavailable, r"^backup\.db is damaged"),
        (cut, Unavailable, r"^backup\.db is damaged"),
        (same_file, InvalidRequest, r"^The backup and the store are the same file\.$"),
    ],
)
def test_a_wrong_backup_is_told_and_changes_nothing(
    path: Path, tmp_path: Path, spoil: Callable[[Path, Path], None], error: type[TidingsError], message: str
) -> None:
    make(path)
    spoil(tmp_path / "backup.db", path)
    names = sorted(os.listdir(tmp_path))
    before = path.read_bytes()
    with pytest.raises(error, match=message):
        restore(str(tmp_path / "backup.db"), str(path))
    assert path.read_bytes() == before
    assert [each for each in os.listdir(tmp_path) if each not in names] == []


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    make(tmp_path / "backup.db")
    with pytest.raises(InvalidRequest, match=r"^There is no folder to put tidings\.db in\.$"):
        restore(str(tmp_path / "backup.db"), str(tmp_path / "no" / "tidings.db"))


def test_a_full_disk_is_told_and_leaves_the_earlier_store(tmp_path: Path, small_disk: Path) -> None:
    make(tmp_path / "backup.db")
    path = small_disk / "tidings.db"
    connect(str(path), "full").close()
    fill(small_disk)
    with pytest.raises(Unavailable, match=r"^The backup was not restored: its disk is full\.$"):
        restore(str(tmp_path / "backup.db"), str(path))
    assert sorted(os.listdir(small_disk)) == ["tidings.db", "waste"]
    (small_disk / "waste").unlink()
    assert content(path) == 0
