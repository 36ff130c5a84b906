"""Several processes on one SQLite file: they wake each other, and may be killed at any moment."""

# ruff: noqa: ASYNC110, ASYNC240
# A test may look at files, and again and again.

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from tests.stores.kit import Start, everything, items, line, put, until
from tests.stores.sqlite.conftest import Open
from tidings.events import Offset
from tidings.log.journal import Journal
from tidings.log.port import Cast
from tidings.stores.sqlite import peers as wake
from tidings.stores.sqlite import store as sqlite
from tidings.stores.sqlite.store import SqliteStore

pytestmark = pytest.mark.skipif(not wake.HERE, reason="no Unix datagrams on this platform")


# ---------------------------------------------------------------- waking


async def test_processes_wake_each_other(opened: Open, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "POLL", 3600.0)
    log = Journal(await opened())
    worker = await start("echo")
    assert await line(worker) == "ready"
    changes = log.store.changes()
    assert await anext(changes) is None
    epoch = ""
    for n in range(1, 30):
        await log.append("ping", items("x"))
        async with asyncio.timeout(10):
            async for news in changes:
                if isinstance(news, dict) and (tail := news.get("pong")):
                    epoch = epoch or tail.epoch
                    assert tail == Offset(epoch, n)
                    break
    await log.store.cast("room", b"typing")
    async with asyncio.timeout(10):
        assert await anext(news async for news in changes if isinstance(news, Cast)) == Cast("echo", b"typing")


async def test_a_commit_that_no_datagram_told_of_is_found(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "POLL", 0.01)
    one, two = await opened(), await opened()
    monkeypatch.setattr(one._peers, "tell", lambda commit, tails: None)  # as if it had died after its commit
    changes = two.changes()
    assert await anext(changes) is None
    await one.update("a", (), put())
    async with asyncio.timeout(10):
        assert await anext(changes) is None
    await one.update("a", (), put())
    async with asyncio.timeout(10):
        assert await anext(changes) is None


async def test_nobody_is_told_to_look_who_has_missed_nothing(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "POLL", 0.01)
    one, two = await opened(), await opened()
    changes = two.changes()
    assert await anext(changes) is None
    for n in range(1, 6):
        await one.update("a", (), put())
        await until_quiet(two)
        assert await anext(changes) == {"a": Offset("epoch1", n)}


async def until_quiet(store: SqliteStore) -> None:
    """Until the store has looked at the file twice."""
    looks = 0
    heard = store._heard.missed

    def missed(number: int) -> bool:
        nonlocal looks
        looks += 1
        return heard(number)

    store._heard.missed = missed  # type: ignore[method-assign]
    async with asyncio.timeout(10):
        while looks < 2:
            await asyncio.sleep(0.005)
    store._heard.missed = heard  # type: ignore[method-assign]


async def test_without_datagrams_the_file_is_looked_at(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wake, "HERE", False)
    one, two = await opened(), await opened()
    changes = two.changes()
    assert await anext(changes) is None
    await one.update("a", (), put())
    async with asyncio.timeout(10):
        assert await anext(changes) is None
    await one.cast("a", b"for nobody")


async def test_changes_beyond_a_full_queue_are_reported_later(
    opened: Open, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "POLL", 3600.0)
    first = await opened()
    folder = path.with_name("tidings.db-wake")
    frozen = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    frozen.bind(str(folder / "frozen"))
    frozen.settimeout(10)
    store = await opened()
    await first.close()
    for n in range(60):  # the queue of a Unix socket holds as few as 10
        await store.update(f"t{n % 7}", (), put())
    commits: set[int] = set()
    tails: dict[str, Offset | None] = {}
    while len(commits) < 60:
        news = wake._decode(await asyncio.to_thread(frozen.recv, 100_000))
        commits.update(news.commits)
        tails.update(news.tails or {})
    assert commits == set(range(1, 61))
    assert tails == {f"t{n}": Offset("epoch1", 9 if n < 4 else 8) for n in range(7)}
    frozen.close()


async def test_news_that_is_too_large_says_look_at_all(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "POLL", 3600.0)
    monkeypatch.setattr(wake, "MOST_BYTES", 1000)
    one, two = await opened(), await opened()
    changes = two.changes()
    assert await anext(changes) is None
    await asyncio.gather(*(one.update(f"topic{n}", (), put()) for n in range(200)))
    async with asyncio.timeout(10):
        assert [await anext(changes)] in ([None], [{"topic0": Offset("epoch1", 1)}])
    await one.cast("a", b"x" * 1001)
    await one.cast("a", b"y")
    async with asyncio.timeout(10):
        async for news in changes:
            if isinstance(news, Cast):
                assert news == Cast("a", b"y")
                break


async def test_noise_in_the_socket_hurts_nobody(opened: Open, path: Path) -> None:
    store = await opened()
    other = await opened()
    changes = store.changes()
    assert await anext(changes) is None
    noise = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    for name in os.listdir(path.with_name("tidings.db-wake")):
        noise.sendto(b"\xc1 nonsense", str(path.with_name("tidings.db-wake") / name))
    noise.close()
    await other.update("a", (), put())
    await until(changes, "a", Offset("epoch1", 1))


async def test_sockets_of_the_dead_are_removed(opened: Open, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "POLL", 0.01)
    folder = path.with_name("tidings.db-wake")
    folder.mkdir()
    dead = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    dead.bind(str(folder / "dead"))
    dead.close()
    store = await opened()
    async with asyncio.timeout(10):
        while (folder / "dead").exists():
            await asyncio.sleep(0.01)
    assert len(list(folder.iterdir())) == 1
    await store.close()
    assert not folder.exists()


async def test_a_long_path_has_its_sockets_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "POLL", 3600.0)
    folder = tmp_path / ("long" * 20)
    folder.mkdir()
    stores = [SqliteStore(folder / "tidings.db") for _ in range(2)]
    for store in stores:
        await store.open()
    assert sorted(each.name for each in folder.iterdir()) == ["tidings.db", "tidings.db-shm", "tidings.db-wal"]
    changes = stores[1].changes()
    assert await anext(changes) is None
    await stores[0].update("a", (), put())
    await until(changes, "a", Offset("epoch1", 1))
    elsewhere = Path(stores[0]._peers._folder)
    assert elsewhere.stat().st_mode & 0o777 == 0o700
    for store in stores:
        await store.close()
    assert not elsewhere.exists()


async def test_a_folder_that_a_leaving_process_removes_is_made_again(
    opened: Open, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "POLL", 3600.0)

    def removed(file: str) -> str:
        folder = find(file)
        os.rmdir(folder)
        return folder

    find = wake._folder
    monkeypatch.setattr(wake, "_folder", removed)
    one = await opened()
    monkeypatch.setattr(wake, "_folder", find)
    two = await opened()
    changes = two.changes()
    assert await anext(changes) is None
    await one.update("a", (), put())
    await until(changes, "a", Offset("epoch1", 1))
    assert len(os.listdir(path.with_name("tidings.db-wake"))) == 2


async def test_a_folder_that_can_never_be_had_leaves_looking_at_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both the store's own path and the path of the folder for temporary files are too long for a socket."""
    folder = tmp_path / ("long" * 20)
    folder.mkdir()
    monkeypatch.setattr(wake.tempfile, "gettempdir", lambda: str(folder))
    stores = [SqliteStore(folder / "tidings.db") for _ in range(2)]
    for store in stores:
        await store.open()
    changes = stores[1].changes()
    assert await anext(changes) is None
    await stores[0].update("a", (), put())
    async with asyncio.timeout(10):
        assert await anext(changes) is None
    for store in stores:
        await store.close()


async def test_a_queue_that_stays_full_is_told_to_look_at_all(
    opened: Open, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "POLL", 3600.0)
    monkeypatch.setattr(wake, "FIRST_PAUSE", 0.0)
    monkeypatch.setattr(wake, "LAST_PAUSE", 0.0)
    store = await opened()
    mine = store._peers._socket
    assert mine
    frozen = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    frozen.settimeout(10)
    frozen.bind(str(path.with_name("tidings.db-wake") / "frozen"))
    with contextlib.suppress(BlockingIOError):  # the queue is full then
        while True:
            mine.sendto(wake._encode(wake.News([], {})), frozen.getsockname())
    peer = store._peers._meet("frozen")
    for commit in range(1, 1003):
        peer.tell(commit, {"a": Offset("epoch1", commit)})
    async with asyncio.timeout(10):
        while peer._late.tails is not None:
            await asyncio.sleep(0)
    peer.tell(1003, {"a": Offset("epoch1", 1003)})
    assert peer._late == wake.News([1002, 1003], None)
    while (news := wake._decode(await asyncio.to_thread(frozen.recv, 100_000))).tails is not None:
        await asyncio.sleep(0)
    assert news == wake.News([1002, 1003], None)
    peer.close()
    frozen.close()


# ---------------------------------------------------------------- dying


async def test_acknowledged_events_survive_kill_9(opened: Open, start: Start) -> None:
    """Two writers are killed in the middle, again and again; a third goes on and ends last."""
    acks: dict[int, str] = {}

    async def listen(worker: asyncio.subprocess.Process, most: int) -> None:
        for _ in range(most):
            _, n, data = (await line(worker)).split()
            assert int(n) not in acks
            acks[int(n)] = data
        worker.send_signal(signal.SIGKILL)
        assert worker.stdout
        for rest in (await worker.stdout.read()).decode().splitlines(keepends=True):
            if rest.endswith("\n"):
                _, n, data = rest.split()
                acks[int(n)] = data
        await worker.wait()

    async def life(name: str, lives: int, most: int) -> None:
        for number in range(lives):
            await listen(await start("append", f"{name}{number}"), most)

    await asyncio.gather(life("a", 2, 150), life("b", 2, 150), life("c", 1, 600))
    log = Journal(await opened())
    found = await everything(log, "topic", limit=1000)
    assert [event.offset.n for event in found if event.offset] == list(range(1, len(found) + 1))
    for n, data in acks.items():
        assert found[n - 1].data == data
    order: dict[str, list[int]] = defaultdict(list)
    for event in found:
        writer, _, n = event.data.rpartition(".")
        order[writer].append(int(n))
    assert len(order) == 5 * 4
    for numbers in order.values():
        assert numbers == list(range(len(numbers)))
    await log.append("topic", items("and it goes on"))


async def test_the_death_of_a_process_that_holds_the_lock_frees_it(opened: Open, path: Path) -> None:
    store = await opened()
    await store.update("a", (), put())
    code = f"""
import sqlite3, time
connection = sqlite3.connect({str(path)!r}, isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
connection.execute("DELETE FROM records")
print("locked", flush=True)
time.sleep(600)
"""
    holder = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    assert await line(holder) == "locked"
    waiting = asyncio.ensure_future(store.update("a", (), put()))
    holder.send_signal(signal.SIGKILL)
    assert holder.stdout
    await holder.stdout.read()
    await holder.wait()
    known = await asyncio.wait_for(waiting, 10)
    assert known.head
    assert known.head.tail == 2
    assert len((await store.read("a", 0, 10))[1]) == 2
