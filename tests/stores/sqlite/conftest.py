"""SQLite files for the tests of the store, and the stores that are open on them."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.stores.kit import Clock, Connect
from tidings.log.port import Store
from tidings.stores.sqlite.store import SqliteStore

Open = Callable[..., Awaitable[SqliteStore]]
Start = Callable[..., Awaitable[asyncio.subprocess.Process]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tidings.db"


@pytest.fixture
def url(path: Path) -> str:
    return f"sqlite:///{path}"


@pytest.fixture
async def opened(path: Path, clock: Clock) -> AsyncIterator[Open]:
    """`await opened()` opens one more store on the file, as another process would."""
    stores: list[SqliteStore] = []

    async def opened(**options: str) -> SqliteStore:
        store = SqliteStore(path, clock=clock, steady=clock, **options)
        await store.open()
        stores.append(store)
        return store

    yield opened
    for store in stores:
        await store.close()


@pytest.fixture
def connect(opened: Open) -> Connect:
    async def connect() -> Store:
        return await opened()

    return connect


def ask(path: Path, question: str) -> object:
    """The first value of a query, by a connection that Tidings knows nothing of."""
    connection = sqlite3.connect(path)
    try:
        return connection.execute(question).fetchone()[0]
    finally:
        connection.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MB of its own. Skips the test where this user may not mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "none", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("this user may not mount a file system")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Fill the disk of a folder to its last byte, with a file that may be removed."""
    waste = folder / "waste"
    with waste.open("ab", buffering=0) as file:
        for size in (1 << 20, 1 << 12):
            with suppress(OSError):
                while file.write(b"x" * size) == size:
                    pass
    return waste


@pytest.fixture
async def start(path: Path) -> AsyncIterator[Start]:
    workers: list[asyncio.subprocess.Process] = []

    async def start(what: str, name: str = "w", **env: str) -> asyncio.subprocess.Process:
        worker = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.stores.worker", what, str(path), name, stdout=asyncio.subprocess.PIPE,
            env={**os.environ, **env},
            cwd=Path(__file__).parents[3],
        )  # fmt: skip
        workers.append(worker)
        return worker

    yield start
    for worker in workers:
        if worker.returncode is None:
            worker.kill()
        assert worker.stdout
        await worker.stdout.read()
        await worker.wait()


async def line(worker: asyncio.subprocess.Process) -> str:
    assert worker.stdout
    read = await asyncio.wait_for(worker.stdout.readline(), 30)
    assert read.endswith(b"\n"), "the worker died"
    return read.decode().strip()
