"""The disk space that is held back, on a disk that is small."""

from __future__ import annotations

from pathlib import Path

from tests.stores.sqlite.conftest import fill
from tidings.stores.sqlite.reserve import SIZE, Reserve


def test_the_reserve_is_held_for_every_process(small_disk: Path) -> None:
    one, two = Reserve(str(small_disk / "a.db")), Reserve(str(small_disk / "a.db"))
    assert one.held()
    assert (small_disk / "a.db-reserve").stat().st_size == SIZE
    assert two.held()


def test_the_reserve_that_one_process_gives_up_is_not_taken_by_another(small_disk: Path) -> None:
    one, two = Reserve(str(small_disk / "a.db")), Reserve(str(small_disk / "a.db"))
    assert one.held()
    waste = fill(small_disk)
    one.give_up()
    assert not two.held()
    assert not one.held()
    assert not (small_disk / "a.db-reserve").exists()
    waste.unlink()
    assert two.held()
    assert one.held()


def test_a_reserve_that_a_kill_left_half_written_is_taken_again(small_disk: Path) -> None:
    (small_disk / "a.db-reserve").write_bytes(b"\0" * 100)
    assert Reserve(str(small_disk / "a.db")).held()
    assert (small_disk / "a.db-reserve").stat().st_size == SIZE


def test_a_folder_that_is_gone_is_not_a_full_disk(tmp_path: Path) -> None:
    assert Reserve(str(tmp_path / "gone" / "a.db")).held()
