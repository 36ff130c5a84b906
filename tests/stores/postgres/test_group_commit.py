"""Group commit, and an engine that is away."""

from __future__ import annotations

import asyncio
import logging

import pytest

from tests.postgres import Cluster
from tests.stores.kit import put
from tests.stores.postgres.conftest import Open
from tidings.errors import OutcomeUnknown, Unavailable
from tidings.log.head import Known
from tidings.stores.postgres import group_commit
from tidings.stores.postgres.writer import Group, Writer


async def test_many_topics_share_a_statement(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    write = Writer.write

    async def counted(self: Writer, connection: object, group: Group) -> Group:
        sizes.append(len(group))
        return await write(self, connection, group)

    monkeypatch.setattr(Writer, "write", counted)
    store = await opened()
    await asyncio.gather(*(store.update(f"t{n}", (), put()) for n in range(64)))
    assert sizes == [64]
    await asyncio.gather(*(store.update(f"t{n % 64}", (), put()) for n in range(640)))
    assert sizes == [64, 64]


async def test_a_cancelled_caller_hurts_nobody(opened: Open) -> None:
    store = await opened()
    updates = [asyncio.ensure_future(store.update("a", (), put())) for _ in range(4)]
    await asyncio.sleep(0)
    updates[1].cancel()
    updates[3].cancel()
    tails = [answer.head.tail for answer in await asyncio.gather(*updates, return_exceptions=True)
             if isinstance(answer, Known) and answer.head]  # fmt: skip
    assert len(tails) == 2
    known = await store.update("a", (), lambda known: None)
    assert known.head is not None
    assert known.head.tail == 4


async def test_a_broken_writer_fails_its_group_alone(
    opened: Open, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(self: Writer, connection: object, group: Group) -> Group:
        raise ZeroDivisionError

    store = await opened()
    with monkeypatch.context() as patch:
        patch.setattr(Writer, "write", broken)
        with pytest.raises(Unavailable):
            await store.update("a", (), put())
    assert "ZeroDivisionError" in caplog.text
    await store.update("a", (), put())


@pytest.fixture
def server(postgres: Cluster) -> object:
    """A server of the test's own, to be stopped and killed."""
    with Cluster(postgres.programs) as cluster:
        yield cluster.make()


@pytest.fixture
def url(server: Cluster) -> str:
    """The store's URL, on the server to be killed."""
    return server.url(server.create())


async def test_an_engine_that_is_away_is_waited_for(
    opened: Open, server: Cluster, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "tidings")
    store, other = await opened(), await opened()
    await store.update("a", (), put())
    feed = other.changes()
    assert await anext(feed) is None
    await asyncio.to_thread(server.stop)
    waiting = [asyncio.ensure_future(store.update(topic, (), put())) for topic in "ab"]
    with pytest.raises(Unavailable, match=r"cannot be reached|starting or stopping"):
        await store.load("a")
    store._proved = 0.0
    with pytest.raises(Unavailable):
        await store.probe()
    await asyncio.to_thread(server.start)
    assert [known.head.tail for known in await asyncio.gather(*waiting) if known.head] == [2, 1]
    async with asyncio.timeout(20):
        while await anext(feed) is not None:  # look at all
            pass
    assert caplog.text.count("It is waited for") == 1
    assert caplog.text.count("can be reached again") == 1

    monkeypatch.setattr(group_commit, "PATIENCE", 0.3)
    await asyncio.to_thread(server.kill)
    late = [store.update("a", (), put()), store.update("c", (), put())]
    for answer in await asyncio.gather(*late, return_exceptions=True):
        assert isinstance(answer, Unavailable)
        assert not isinstance(answer, OutcomeUnknown)


async def test_closing_while_the_engine_hangs_does_not_hang(
    opened: Open, server: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tidings.stores.postgres.store.CLOSING", 0.2)
    store = await opened()
    await store.update("a", (), put())
    await asyncio.to_thread(server.kill)
    late = asyncio.ensure_future(store.update("a", (), put()))
    await asyncio.sleep(0)
    await asyncio.wait_for(store.close(), 10)
    with pytest.raises(OutcomeUnknown):
        await late
