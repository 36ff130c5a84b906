"""A backup by the engine's own tools: `pg_dump` under a writer, `pg_restore`, and readers who are told."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.postgres import Cluster
from tests.stores.kit import everything, items
from tidings.events import Offset
from tidings.log.journal import Journal
from tidings.stores import open_store


async def opened(url: str) -> Journal:
    log = Journal(open_store(url))
    await log.open()
    return log


@pytest.mark.parametrize("other", [False, True], ids=["into the same database", "into another one"])
async def test_a_restored_dump_begins_new_lives(postgres: Cluster, other: bool) -> None:
    """Everybody who read only what is in the dump goes on; a reader that was ahead is told, also once overtaken."""
    names = [postgres.create(), postgres.create()]
    source, target = postgres.url(names[0]), postgres.url(names[1] if other else names[0])
    file = postgres.folder / f"{names[0]}.dump"
    log = await opened(source)
    for n in range(1, 6):
        kept = (await log.append("a", items(str(n)), key=f"k{n}", labels={"x": True})).last
    await log.append("runs.1", items("under way"))
    await log.store.lease("runs.1", 3600, renew=False)

    async def write() -> None:
        for n in range(6, 40):
            await log.append("b", items(str(n)))

    dump = "--format=custom", "--schema=tidings", f"--file={file}", f"--dbname={source}"
    await asyncio.gather(asyncio.to_thread(postgres.run, "pg_dump", *dump), write())
    for n in range(6, 11):
        ahead = (await log.append("a", items(str(n)))).last
    await log.close()

    if not other:
        await postgres.ask("DROP SCHEMA tidings CASCADE", names[0])
    await asyncio.to_thread(postgres.run, "pg_restore", f"--dbname={target}", file)
    log = await opened(target)
    try:
        page = await log.read("a", kept)
        assert (list(page.events), page.lost, page.up_to_date) == ([], None, True)
        assert page.tail.epoch != kept.epoch
        assert (await log.read("a", ahead)).lost == "recreated"
        assert (await log.append("a", items("1"), key="k1")).duplicate
        for n in range(6, 20):  # past where the lost events were
            await log.append("a", items(f"new {n}"))
        assert (await log.read("a", ahead)).lost == "recreated"
        assert [event.data for event in (await log.read("a", kept)).events][:2] == ["new 6", "new 7"]
        assert [event.offset.n for event in await everything(log, "b") if event.offset][:1] in ([1], [])
        assert await log.topics() == sorted({"a", "runs.1", *await log.topics("b")})
        assert [name for name, _ in await log.heads(labels=["x"])] == ["a"]
        assert (await log.append("a", items("on"), expected=Offset(page.tail.epoch, 19))).last.n == 20
    finally:
        await log.close()
        for name in names:
            await asyncio.to_thread(postgres.drop, name)


def test_the_commands_name_the_tools_of_the_engine(tmp_path: Path, postgres_url: str) -> None:
    from tests.cli.command import tidings

    for words in (("backup", str(tmp_path / "x.db")), ("restore", str(tmp_path / "x.db"))):
        done = tidings(*words, "--store", postgres_url)
        assert (done.returncode, done.stdout) == (2, "")
        assert "pg_dump" in done.stderr
        assert "pg_restore" in done.stderr
        assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
