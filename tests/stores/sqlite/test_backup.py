"""Backing up a store, also under a process that writes to it."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.stores.sqlite.conftest import ask, fill
from tidings.errors import InvalidRequest, TidingsError, Unavailable
from tidings.stores.sqlite import copying
from tidings.stores.sqlite.backup import back_up
from tidings.stores.sqlite.connection import connect
from tidings.stores.sqlite.schema import APPLICATION, FORMAT


def fill_store(path: Path, rows: int = 50, size: int = 5000) -> None:
    with closing(connect(str(path), "normal")) as connection:
        connection.executemany(
            "INSERT INTO records VALUES (1, ?, ?, x'00', zeroblob(?))", ((n + 1, n, size) for n in range(rows))
        )


def test_a_backup_is_one_file_with_all_that_is_committed(path: Path, tmp_path: Path) -> None:
    fill_store(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as open_elsewhere:
        open_elsewhere.execute("INSERT INTO records VALUES (2, 1, 0, x'00', 'only in the log of changes')")
        size = back_up(str(path), str(tmp_path / "backup.db"))
    assert size == (tmp_path / "backup.db").stat().st_size
    assert ask(tmp_path / "backup.db", "SELECT count(*) FROM records") == 51
    assert ask(tmp_path / "backup.db", "PRAGMA journal_mode") == "delete"
    assert not [each for each in os.listdir(tmp_path) if each.startswith("backup.db") and each != "backup.db"]


def test_a_backup_under_a_busy_writer_ends_and_is_of_one_instant(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "PAGES", 5)
    fill_store(path)
    over = threading.Event()
    shares: list[float] = []
    seen: list[int] = []
    commits = 0

    def write() -> None:
        nonlocal commits
        with closing(connect(str(path), "normal")) as connection:
            while not over.is_set():
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("UPDATE state SET commits = commits + 1, logs = logs + 1")
                connection.execute("UPDATE records SET base = base + 1")
                connection.execute("COMMIT")
                commits += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while not commits:
            pass
        before = commits

        def progress(part: float) -> None:
            now = commits
            shares.append(part)
            seen.append(now)
            while commits == now:  # at least one commit between two steps
                pass

        back_up(str(path), str(tmp_path / "backup.db"), progress)
    finally:
        over.set()
        writer.join()
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert len(shares) > 10
    with closing(sqlite3.connect(tmp_path / "backup.db")) as backup:
        done, logs = backup.execute("SELECT commits, logs FROM state").fetchone()
        # All that was acknowledged before it began, and nothing from after its first step.
        assert before <= done <= seen[0] + 1
        assert logs == done
        assert backup.execute("SELECT DISTINCT base - last + 1 FROM records").fetchall() == [(done,)]


def no_store(path: Path, target: Path) -> None: ...


def not_a_database(path: Path, target: Path) -> None:
    path.write_bytes(b"a letter to a friend" * 100)


def empty_file(path: Path, target: Path) -> None:
    path.write_bytes(b"")


def other_application(path: Path, target: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE topics (name)")


def newer(path: Path, target: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute(f"PRAGMA application_id={APPLICATION}")
        other.execute(f"PRAGMA user_version={FORMAT + 1}")


def target_exists(path: Path, target: Path) -> None:
    fill_store(path)
    target.write_bytes(b"precious")


def folder_is_missing(path: Path, target: Path) -> None:
    fill_store(path)
    target.parent.rmdir()


def damaged(path: Path, target: Path) -> None:
    fill_store(path)
    with path.open("r+b") as file:
        file.seek(8192)
        file.write(b"\xff" * 20_000)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (no_store, InvalidRequest, r"^There is no file tidings\.db\.$"),
        (not_a_database, InvalidRequest, r"^tidings\.db is not a SQLite database\.$"),
        (empty_file, InvalidRequest, r"^tidings\.db is not a store of Tidings\.$"),
        (other_application, InvalidRequest, r"^tidings\.db is a database of another application\.$"),
        (newer, InvalidRequest, "made by a newer version"),
        (target_exists, InvalidRequest, r"^backup\.db exists already\. A backup never replaces a file\.$"),
        (folder_is_missing, InvalidRequest, r"^There is no folder to put backup\.db in\.$"),
        (damaged, Unavailable, "damaged"),
    ],
)
def test_a_wrong_input_is_told_and_leaves_nothing(
    path: Path, tmp_path: Path, make: Callable[[Path, Path], None], error: type[TidingsError], message: str
) -> None:
    target = tmp_path / "backups" / "backup.db"
    target.parent.mkdir()
    make(path, target)
    before = sorted(each for each in tmp_path.rglob("*") if "-" not in each.name)
    content = target.read_bytes() if target.exists() else None
    with pytest.raises(error, match=message):
        back_up(str(path), str(target))
    assert sorted(each for each in tmp_path.rglob("*") if "-" not in each.name) == before
    assert (target.read_bytes() if target.exists() else None) == content


def test_a_full_disk_is_told_and_leaves_nothing(path: Path, small_disk: Path) -> None:
    fill_store(path)
    fill(small_disk)
    with pytest.raises(Unavailable, match=r"^The backup was not made: its disk is full\.$"):
        back_up(str(path), str(small_disk / "backup.db"))
    assert os.listdir(small_disk) == ["waste"]


def test_a_killed_backup_leaves_no_backup_and_the_next_one_works(path: Path, tmp_path: Path) -> None:
    fill_store(path)
    code = """
import os, signal, sys
from tidings.stores.sqlite import copying
from tidings.stores.sqlite.backup import back_up
copying.PAGES = 5
back_up(sys.argv[1], sys.argv[2], lambda part: part > 0.5 and os.kill(os.getpid(), signal.SIGKILL))
"""
    target = tmp_path / "backup.db"
    done = subprocess.run([sys.executable, "-c", code, str(path), str(target)], timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    assert not target.exists()
    back_up(str(path), str(target))
    assert ask(target, "SELECT count(*) FROM records") == 50
    assert not target.with_name("backup.db.partial").exists()
