"""The store through PgBouncer in transaction mode, and LISTEN on a connection of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest

from tests.postgres import Cluster, PgBouncer, pooler
from tests.stores.kit import Clock, Connect, put, until
from tidings.events import Offset
from tidings.log.head import Change
from tidings.log.port import Seal
from tidings.stores.postgres import connection, group_commit
from tidings.stores.postgres.store import PostgresStore


@pytest.fixture(scope="module")
def bouncer(postgres: Cluster) -> Iterator[PgBouncer]:
    program = pooler()
    if program is None:
        pytest.skip("no PgBouncer on this machine (Debian: apt-get install pgbouncer)")
    with PgBouncer(program, postgres) as bouncer:
        yield bouncer


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two sessions for everybody, on a busy machine, shall not count as an engine that is away."""
    for module, name in ((connection, "CONNECTING"), (connection, "ANSWERING"), (group_commit, "PATIENCE")):
        monkeypatch.setattr(module, name, 60.0)


@pytest.fixture
def made(bouncer: PgBouncer, url: str, clock: Clock) -> Callable[..., PostgresStore]:
    """Make a store that reads and writes by way of the pooler."""
    return lambda: PostgresStore(bouncer.url(url.rpartition("/")[2]), clock=clock, steady=clock)


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
    await stores[1].seal(Seal.SEALED)
    assert {await store.seal() for store in stores} == {Seal.SEALED}
    await stores[2].seal(Seal.OPEN)
    await stores[3].update("t7", (), lambda known: Change(None))
    await until(feed, "t7", None)
    assert {head.tail for _, head in await stores[0].topics()} == {9}
    question = f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{url.rpartition('/')[2]}'"
    assert int((await postgres.ask(question, "postgres"))[0]) <= 2 + len(stores), "the pooler's, and those that listen"
