"""An engine that is away, for a while or for long."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator

import pytest

from tests.postgres import Cluster
from tests.stores.kit import put
from tests.stores.postgres.conftest import Open
from tidings.errors import OutcomeUnknown, Unavailable
from tidings.stores.postgres import group_commit


@pytest.fixture
def server(postgres: Cluster) -> Iterator[Cluster]:
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
