"""Transactions of the writer."""

# A test may look at files, and again and again.

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path

import pytest

from tests.browser.lid import Wall
from tests.stores.kit import Start, line, put
from tests.stores.sqlite.conftest import Open, ask
from tidings.errors import Unavailable
from tidings.events import Offset
from tidings.log.head import Change
from tidings.stores.sqlite import writer


async def test_a_transaction_ends_when_it_is_large(opened: Open, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "GROUP_BYTES", 1000)
    store = await opened()
    await asyncio.gather(*(store.update(f"t{n}", (), put(size=400)) for n in range(30)))
    assert 10 <= ask(path, "SELECT commits FROM state") <= 11  # type: ignore[operator]
    assert ask(path, "SELECT count(*) FROM records") == 30


async def test_an_empty_update_is_no_commit(opened: Open, path: Path) -> None:
    store = await opened()
    await store.update("a", (), put())
    await store.update("a", (), lambda known: None)
    assert ask(path, "SELECT commits FROM state") == 1


async def test_a_failure_forgets_the_heads_it_would_have_written(opened: Open) -> None:
    store = await opened()
    await store.update("a", (), put())
    pages = store._commits._writer.connection.execute("PRAGMA page_count").fetchone()[0]
    store._commits._writer.connection.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(Unavailable, match="its disk is full"):
        await store.update("a", (), put(size=100_000))
    known = await store.update("a", (), put())
    assert known.head
    assert known.head.tail == 2
    assert [record.base for record in (await store.read("a", 0, 10))[1]] == [0, 1]


async def test_the_head_of_a_log_written_by_another_process_is_seen(opened: Open) -> None:
    """The writer remembers heads only until somebody else has written."""
    one, two = await opened(), await opened()
    for n in range(1, 20, 2):
        assert (await one.update("a", (), put())).head.tail == n  # type: ignore[union-attr]
        assert (await two.update("a", (), put())).head.tail == n + 1  # type: ignore[union-attr]
    await two.update("a", (), lambda known: Change(None))
    assert (await one.update("a", (), put())).head.tail == 1  # type: ignore[union-attr]
    assert (await one.read("a", 0, 10))[1][0].base == 0
    assert Offset("epoch1", 1) == Offset("epoch1", (await two.load("a")).tail)  # type: ignore[union-attr]


@pytest.mark.skipif(sys.platform != "linux" or shutil.which("gcc") is None, reason="needs Linux and gcc")
async def test_a_clock_that_jumps_takes_no_lease_away(start: Start, tmp_path: Path) -> None:
    """Two processes whose time of day is moved by hours, to and fro: the holder lives, and nobody finds it dead."""
    wall = await asyncio.to_thread(Wall, tmp_path)
    holder = await start("hold", "runs.X", **wall.env)
    assert await line(holder) == "held"
    reaper = await start("reap", **wall.env)
    times = []
    for hours in (1, 1, -3, 24, -20, 1, -8760, 8760):
        wall.move(hours * 3600)
        for _ in range(4):
            time, *lapsed = (await line(reaper)).split()
            assert lapsed == []
        times.append(int(time))
    assert max(times) - min(times) > 8000 * 3600  # their clock has really moved
    holder.kill()
    async with asyncio.timeout(60):
        while (await line(reaper)).split()[1:] != ["runs.X"]:
            pass
