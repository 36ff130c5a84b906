"""The eras of a PostgreSQL store."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from tests.postgres import Cluster
from tests.stores.kit import put
from tests.stores.postgres.conftest import Open
from tidings.events import Offset
from tidings.log.head import Change, Head, Known
from tidings.stores.postgres.eras import Eras, Stale


def test_a_head_of_an_earlier_era_is_as_if_each_later_one_had_restored_it() -> None:
    eras = Eras()
    eras._ids = ["one", "two", "three"]
    head = Head("epoch1", tail=5)
    now = eras.now(head, 1)
    assert now == eras.now(head, 1)
    assert [n for _, n in now.lives] == [5, 5]
    assert now.lives[0] == ("epoch1", 5)
    assert len({now.epoch, *(epoch for epoch, _ in now.lives)}) == 3
    assert now.locate(Offset("epoch1", 5)) == 5
    assert now.locate(Offset("epoch1", 6)) is None
    assert eras.now(head, 3) is head
    with pytest.raises(Stale):
        eras.now(head, 4)


async def test_an_era_begins_once_for_all_processes(opened: Open, postgres: Cluster, url: str) -> None:
    """The table of eras names another source, as it does after a promotion."""
    stores = [await opened() for _ in range(4)]
    await stores[0].update("a", (), put(3))
    await postgres.ask("UPDATE tidings.eras SET source = 'before'", url.rpartition("/")[2])
    for store in stores:
        store._connections.renew()
    heads = await asyncio.gather(*(store.load("a") for store in stores))
    assert {store._eras.present for store in stores} == {2}
    assert len({head.epoch for head in heads if head}) == 1
    assert heads[0] is not None
    assert heads[0].lives == (("epoch1", 3),)


async def test_a_process_that_missed_the_beginning_of_an_era_writes_nothing_into_the_old_one(
    opened: Open, postgres: Cluster, url: str
) -> None:
    store, other = await opened(), await opened()
    for each in (store, other):
        await each.update("a", (), put(3))
    await postgres.ask("UPDATE tidings.eras SET source = 'before'", url.rpartition("/")[2])
    other._connections.renew()
    await other.load("a")
    assert (other._eras.present, store._eras.present) == (2, 1)
    feed = store.changes()
    assert await anext(feed) is None

    def closed(known: Known) -> Change:
        assert known.head
        return Change(msgspec.structs.replace(known.head, closed=True))

    known = await store.update("a", (), closed)
    assert known.head is not None
    assert known.head.lives == (("epoch1", 6),)
    assert known.head == await other.load("a")
    assert await anext(feed) is None  # look at all


async def test_a_reader_that_meets_a_later_era_learns_of_it(opened: Open, postgres: Cluster, url: str) -> None:
    store, other = await opened(), await opened()
    await store.update("a", (), put(3))
    await postgres.ask("UPDATE tidings.eras SET source = 'before'", url.rpartition("/")[2])
    other._connections.renew()
    known = await other.update("a", (), put())
    assert store._eras.present == 1
    assert await store.load("a") == known.head
    assert store._eras.present == 2


async def test_an_engine_of_an_earlier_era_is_refused(opened: Open, postgres: Cluster, url: str) -> None:
    store = await opened()
    store._eras._ids.append("of a new primary, which this engine is not")
    async with store._connections.use() as connection:
        with pytest.raises(Stale):
            await store._eras.learn(connection)
