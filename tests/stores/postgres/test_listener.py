"""Hearing of the changes of other processes."""

from __future__ import annotations

import asyncio

import pytest

from tests.delivery.events import collect, waits
from tests.postgres import Cluster
from tests.stores.kit import put, until
from tests.stores.postgres.conftest import Open
from tidings import Hub
from tidings.events import ORIGIN, Offset
from tidings.log.head import Change, Head
from tidings.stores.postgres import listener
from tidings.stores.postgres.news import Announcer
from tidings.stores.postgres.store import PostgresStore


@pytest.fixture
async def mute(opened: Open, monkeypatch: pytest.MonkeyPatch) -> PostgresStore:
    """A store whose process dies, as it were, before it tells of each of its commits."""
    store = await opened()
    monkeypatch.setattr(Announcer, "_start", lambda self: None)
    monkeypatch.setattr(listener, "POLL", 0.05)
    return store


async def test_changes_that_nobody_told_of_are_found(mute: PostgresStore, opened: Open) -> None:
    other = await opened()
    feed = other.changes()
    assert await anext(feed) is None
    await mute.update("a", (), put(2))
    await until(feed, "a", Offset("epoch1", 2))
    await mute.update("a", (), lambda known: Change(Head("epoch1", tail=2, closed=True)))
    await until(feed, "a", ORIGIN)
    await mute.update("a", (), put())
    await until(feed, "a", Offset("epoch1", 3))
    await mute.update("a", (), lambda known: Change(None))
    await until(feed, "a", None)
    assert await other.probe() == 0


async def test_a_commit_that_comes_late_is_found(
    mute: PostgresStore, opened: Open, postgres: Cluster, url: str
) -> None:
    """The transaction has the lower number, and becomes visible after others that were found before it."""
    other = await opened()
    feed, patient = other.changes(), other.changes()
    assert await anext(feed) is await anext(patient) is None
    await mute.update("late", (), put())
    await mute.update("b", (), put())
    await until(feed, "late", Offset("epoch1", 1))
    await until(patient, "late", Offset("epoch1", 1))
    name = url.rpartition("/")[2]
    slow = asyncio.create_task(
        postgres.ask(
            """BEGIN; UPDATE tidings.topics SET changed = pg_current_xact_id()::text::bigint,
                   altered = pg_current_xact_id()::text::bigint WHERE name = 'late';
               SELECT pg_sleep(0.5); COMMIT""",
            name,
        )
    )
    for n in range(2, 9):
        await mute.update("b", (), put())
        await until(feed, "b", Offset("epoch1", n))
    await slow
    await until(patient, "late", ORIGIN)


async def test_reported_changes_are_not_reported_again(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "POLL", 0.02)
    store, other = await opened(), await opened()
    feed = other.changes()
    assert await anext(feed) is None
    for n in range(1, 20):
        await store.update("a", (), put())
        await until(feed, "a", Offset("epoch1", n))
    await asyncio.sleep(0.2)
    await store.update("end", (), put())
    assert await anext(feed) == {"end": Offset("epoch1", 1)}


async def test_very_many_missed_changes_are_looked_at_all(
    mute: PostgresStore, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "MOST_TOPICS", 5)
    other = await opened()
    feed = other.changes()
    assert await anext(feed) is None
    await asyncio.gather(*(mute.update(f"t{n}", (), put()) for n in range(9)))
    async with asyncio.timeout(10):
        assert await anext(feed) is None


async def test_changes_while_the_process_does_not_listen_reach_its_readers(
    postgres: Cluster, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine ends the connection that listens, as an administrator or a firewall does, and the next one is late."""
    store, connect, go_on = PostgresStore(url), listener.connect, asyncio.Event()

    async def late(url: str) -> object:
        await go_on.wait()
        return await connect(url)

    async with Hub(url) as other, Hub(store) as hub:
        await other.publish("a", "first")
        reading = asyncio.ensure_future(collect(hub.subscribe("a", "earliest")))
        monkeypatch.setattr(listener, "connect", late)
        for n in range(3):
            await waits(hub)
            go_on.clear()
            connection = store._listener._connection
            assert connection
            await postgres.ask(f"SELECT pg_terminate_backend({connection.get_server_pid()})", "postgres")
            await store._listener._ended.wait()
            last = await other.publish("a", f"meanwhile {n}")
            assert hub.delivery.topics._live["a"].visible < last.n
            go_on.set()
            async with asyncio.timeout(20):
                while hub.delivery.topics._live["a"].visible < last.n:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
        await other.publish("a", "last", close=True)
        assert await reading == ["first", *(f"meanwhile {n}" for n in range(3)), "last"]
