"""Damage in SQLite's log of changes: it is noticed at the next start, and nothing is served without the lost events."""

from __future__ import annotations

import os
import subprocess
import sys
from asyncio import to_thread
from pathlib import Path

import pytest

from tests.stores.kit import Clock, data_of, everything
from tests.stores.sqlite.conftest import Open
from tidings.errors import Unavailable
from tidings.log.journal import Journal
from tidings.stores.sqlite import wal
from tidings.stores.sqlite.backup import back_up
from tidings.stores.sqlite.restore import restore
from tidings.stores.sqlite.wal import FRAME_HEADER, HEADER, is_damaged

WRITER = """
import asyncio, os, sys
from tidings.log.journal import Journal
from tidings.stores.sqlite.store import SqliteStore

async def main():
    log = Journal(SqliteStore(sys.argv[1]))
    await log.open()
    for n in range(30):
        await log.append("a", [("m", str(n) * 3000)])
    os._exit(0)

asyncio.run(main())
"""
"""A process that dies after 30 acknowledged events."""


@pytest.fixture(scope="module")
def crashed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files that the process has left, by their endings."""
    path = tmp_path_factory.mktemp("crashed") / "tidings.db"
    subprocess.run([sys.executable, "-c", WRITER, str(path)], check=True)
    return {ending: Path(f"{path}{ending}").read_bytes() for ending in ("", "-wal", "-shm")}


@pytest.fixture
def left(crashed: dict[str, bytes], path: Path) -> Path:
    leave(path, crashed)
    return path


def leave(path: Path, files: dict[str, bytes]) -> None:
    for ending, content in files.items():
        Path(f"{path}{ending}").write_bytes(content)


def log_of(path: Path | str | None) -> bytes:
    return Path(f"{path}-wal").read_bytes()


def cut(path: Path, size: int) -> None:
    os.truncate(f"{path}-wal", size)


def overwrite(path: Path, at: int, content: bytes = b"") -> None:
    """Overwrite what is in the log of changes at an offset, with another byte if no content is given."""
    with open(f"{path}-wal", "r+b") as log:
        log.seek(at)
        content = content or bytes([log.read(1)[0] ^ 1])
        log.seek(at)
        log.write(content)


async def test_a_whole_log_is_taken_in(left: Path, opened: Open, clock: Clock) -> None:
    assert not await to_thread(is_damaged, str(left))
    log = Journal(await opened(), clock=clock)
    assert len(await everything(log, "a")) == 30
    other = await opened()  # in the same process, whose locks stay
    assert await other.load("a") == await log.describe("a")


def damage(left: Path, part: str) -> None:
    size = len(log_of(left))
    frame = FRAME_HEADER + 4096
    if part in ("short", "one frame"):
        cut(left, HEADER + frame * (1 if part == "one frame" else (size - HEADER) // frame // 2))
    else:
        at = {"header": 2, "first": HEADER + 9, "middle": size // 2, "page": size // 3, "last": size - frame + 20}
        overwrite(left, at[part])


@pytest.mark.parametrize("part", ["header", "first", "middle", "page", "last", "short", "one frame"])
async def test_a_damaged_log_is_refused_at_every_start(left: Path, opened: Open, part: str) -> None:
    await to_thread(damage, left, part)
    for _ in range(2):
        with pytest.raises(Unavailable, match="is damaged"):
            await opened()
    with pytest.raises(Unavailable, match="is damaged"):
        await to_thread(back_up, str(left), str(left.with_name("backup.db")))
    assert await to_thread(is_damaged, str(left))


def test_a_damaged_store_is_kept_as_it_is_when_a_backup_takes_its_place(
    left: Path, tmp_path: Path, crashed: dict[str, bytes]
) -> None:
    backup = str(tmp_path / "backup.db")
    back_up(str(left), backup)
    leave(left, crashed)  # for a copy takes the changes in
    overwrite(left, len(log_of(left)) // 2)
    damaged = log_of(left)
    kept = restore(backup, str(left))
    assert log_of(kept) == damaged
    assert not is_damaged(str(left))


@pytest.mark.parametrize("part", ["no log", "empty", "zeros", "no index", "torn index", "other index", "more"])
def test_a_log_that_is_new_or_of_which_nobody_knows_is_not_refused(left: Path, part: str) -> None:
    """A power cut leaves such files. An event after the last commit that was synced was not acknowledged."""
    if part == "no log":
        os.unlink(f"{left}-wal")
    elif part == "empty":
        cut(left, 0)
    elif part == "zeros":
        overwrite(left, 0, bytes(HEADER))
    elif part == "more":
        overwrite(left, len(log_of(left)), bytes(5000))
    else:
        overwrite(left, len(log_of(left)) // 2)
        index = bytearray(Path(f"{left}-shm").read_bytes())
        if part == "no index":
            os.unlink(f"{left}-shm")
        else:
            index[{"torn index": 16, "other index": 0}[part]] ^= 1
            if part == "other index":
                index[0] ^= 1
                index = index[:40]
            Path(f"{left}-shm").write_bytes(index)
    assert not is_damaged(str(left))


async def test_a_log_is_not_looked_at_without_a_promise_of_durability(left: Path, opened: Open, clock: Clock) -> None:
    """With `durability=normal` a power cut may lose the last commits, which looks the same."""
    await to_thread(lambda: overwrite(left, len(log_of(left)) - 30))
    log = Journal(await opened(durability="normal"), clock=clock)
    assert len(data_of(await everything(log, "a"))) == 29


def test_a_log_that_another_process_begins_anew_meanwhile_is_not_damaged(
    left: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = [wal._index(f"{left}-shm"), wal._Index(0, b"another.")]
    overwrite(left, len(log_of(left)) // 2)
    monkeypatch.setattr(wal, "_index", lambda path: looks.pop(0))
    assert not is_damaged(str(left))


def test_files_that_cannot_be_opened_are_left_to_sqlite(left: Path) -> None:
    assert not is_damaged(str(left / "in a file that is no folder"))
