"""Copying a SQLite file. Whole backups and restores are in test_backup.py and test_restore.py."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import pytest

from tests.stores.sqlite.conftest import ask
from tidings.errors import Unavailable
from tidings.stores.sqlite.connection import connect
from tidings.stores.sqlite.copying import beside, copy, open_source, put_in_place


def test_a_source_on_its_own_is_read_in_a_folder_that_nobody_can_write(path: Path, tmp_path: Path) -> None:
    connect(str(path), "normal").close()
    before = sorted(os.listdir(path.parent))
    target = tmp_path / "elsewhere" / "a"
    target.parent.mkdir()
    with (
        closing(open_source(str(path))) as source,
        closing(copy(source, str(target), lambda part: None, path.name)) as copied,
    ):
        assert copied.execute("SELECT commits FROM state").fetchone() == (0,)
    target.unlink()
    target.parent.rmdir()
    assert sorted(os.listdir(path.parent)) == before


def test_a_name_with_marks_of_a_url_is_a_name(tmp_path: Path) -> None:
    path = tmp_path / "a?b%20c#d.db"
    connect(str(path), "normal").close()
    open_source(str(path)).close()


def test_a_failure_leaves_no_file_beside(tmp_path: Path) -> None:
    def fail() -> None:
        with beside(str(tmp_path / "a"), "It failed") as part:
            Path(part).write_bytes(b"half")
            raise OSError(28, os.strerror(28))

    with pytest.raises(Unavailable, match=r"^It failed: no space left on device\.$"):
        fail()
    assert os.listdir(tmp_path) == []


def test_a_finished_file_takes_its_place(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    with beside(str(tmp_path / "a"), "It failed") as part:
        Path(part).write_bytes(b"new")
        put_in_place(part, str(tmp_path / "a"))
    assert (tmp_path / "a").read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["a"]


def test_the_remains_of_a_killed_copy_are_overwritten(tmp_path: Path, path: Path) -> None:
    connect(str(path), "normal").close()
    (tmp_path / "a.partial").write_bytes(b"half a file")
    (tmp_path / "a.partial-journal").write_bytes(b"and its journal")
    with closing(open_source(str(path))) as source, beside(str(tmp_path / "a"), "It failed") as part:
        copy(source, part, lambda part: None, path.name).close()
        put_in_place(part, str(tmp_path / "a"))
    assert ask(tmp_path / "a", "SELECT logs FROM state") == 0
