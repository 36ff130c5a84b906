"""The store through PgBouncer in transaction mode: the promises of the port, and LISTEN on a connection of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.postgres import Cluster, PgBouncer, pooler
from tests.stores.kit import Clock, Connect, put, until
from tests.stores.suite_port import PortSuite
from tidings.events import Offset
from tidings.log.port import Store
from tidings.stores.postgres.store import PostgresStore


@pytest.fixture(scope="module")
def bouncer(postgres: Cluster) -> Iterator[PgBouncer]:
    program = pooler()
    if program is None:
        pytest.skip("no PgBouncer on this machine (Debian: apt-get install pgbouncer)")
    with PgBouncer(program, postgres) as bouncer:
        yield bouncer


@pytest.fixture
async def connect(bouncer: PgBouncer, url: str, clock: Clock) -> AsyncIterator[Connect]:
    """`await connect()` opens one more store on the database by way of the pooler."""
    stores: list[Store] = []

    async def connect() -> Store:
        store = PostgresStore(bouncer.url(url.rpartition("/")[2]), clock=clock, steady=clock)
        await store.open()
        stores.append(store)
        return store

    yield connect
    for store in stores:
        await store.close()


class TestPgBouncer(PortSuite):
    pass


async def test_many_callers_share_two_sessions(connect: Connect, postgres: Cluster, url: str) -> None:
    """Each transaction may be given another session, so that nothing may be kept in one."""
    stores = [await connect() for _ in range(4)]
    feed = stores[0].changes()
    assert await anext(feed) is None
    for _ in range(3):
        await asyncio.gather(
            *(store.update(f"t{n}", ("k",), put(keys=("k",))) for store in stores[1:] for n in range(20)),
            *(store.load(f"t{n}") for store in stores for n in range(20)),
            *(store.lease(f"t{n}", 9, renew=False) for store in stores for n in range(5)),
        )
    await until(feed, "t7", Offset("epoch1", 9))
    assert {head.tail for _, head in await stores[0].topics()} == {9}
    question = f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{url.rpartition('/')[2]}'"
    assert int((await postgres.ask(question, "postgres"))[0]) <= 2 + len(stores), "the pooler's, and those that listen"
