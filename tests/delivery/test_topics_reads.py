"""The reads of the store that delivery costs: one for each flush in each process, whatever its readers."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import NamedTuple

import asyncpg
import pytest

from tests.delivery.events import collect, waits
from tests.serving import PATIENCE
from tidings import Hub
from tidings.delivery.live_topic import PAGE
from tidings.events import Offset
from tidings.log.port import Store
from tidings.stores import is_postgres, open_store
from tidings.stores.postgres.reader import READ

PROCESSES, READERS, EVENTS = 4, 250, 40
BEHIND = 5 * PAGE


class Process(NamedTuple):
    """A hub, and how often its store was asked, by method."""

    hub: Hub
    asked: Counter[str]


def counted(store: Store) -> Counter[str]:
    """Count what is asked of a store from now on, by method."""
    asked: Counter[str] = Counter()

    def count(name: str, method: Callable[..., Awaitable[object]]) -> Callable[..., Awaitable[object]]:
        def ask(*arguments: object) -> Awaitable[object]:
            asked[name] += 1
            return method(*arguments)

        return ask

    for name in ("load", "read"):
        setattr(store, name, count(name, getattr(store, name)))
    return asked


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count what PostgreSQL is sent by the stores that are opened here, by statement."""
    sent: Counter[str] = Counter()
    connect = asyncpg.connect

    async def listened_to(*arguments: object, **options: object) -> object:
        connection = await connect(*arguments, **options)
        connection.add_query_logger(lambda query: sent.update({query.query: 1}))
        return connection

    monkeypatch.setattr(asyncpg, "connect", listened_to)
    return sent


@pytest.fixture
async def processes(shared_url: str, statements: Counter[str]) -> AsyncIterator[list[Process]]:
    """Hubs over one store, as several processes have them."""
    stores = [open_store(shared_url) for _ in range(PROCESSES)]
    async with AsyncExitStack() as stack:
        yield [Process(await stack.enter_async_context(Hub(store)), counted(store)) for store in stores]


async def test_each_process_reads_a_hot_topic_once_a_flush(
    processes: list[Process], shared_url: str, statements: Counter[str]
) -> None:
    """Readers by the hundred in each process, of events that one process publishes one by one.

    The bound is twice the flushes, since news of a commit may come while the topic is read, and again with the next
    look at the file. Reads for each reader would be 250 times the flushes.
    """
    (publisher, own), *others = processes
    await publisher.publish("a", "0")
    reading = [
        asyncio.ensure_future(collect(hub.subscribe("a", "earliest"))) for hub, _ in processes for _ in range(READERS)
    ]
    for hub, _ in processes:
        await waits(hub)
    for _, asked in processes:
        asked.clear()
    statements.clear()
    for n in range(1, EVENTS):
        await publisher.publish("a", str(n), close=n == EVENTS - 1)
        async with asyncio.timeout(PATIENCE):
            # A process that has flushed an event says so nowhere else.
            while any(hub.delivery.topics._live["a"].visible <= n for hub, _ in others):  # noqa: ASYNC110
                await asyncio.sleep(0.001)
    for texts in await asyncio.gather(*reading):
        assert texts == [str(n) for n in range(EVENTS)]
    assert own.total() == 0, "a process has what it publishes"
    for _, asked in others:
        assert EVENTS / 2 <= asked.total() <= 2 * EVENTS
        assert asked["load"] == 0
    if is_postgres(shared_url):
        assert statements[READ] == sum(asked["read"] for _, asked in others), "a read is one statement"


async def test_a_look_at_a_topic_is_one_read(processes: list[Process]) -> None:
    (publisher, _), (hub, asked), *_ = processes
    await publisher.publish("a", "first")
    position = await hub.delivery.follow("a", "tail")
    live = position.live
    asked.clear()
    await hub.delivery.topics.reload(live)
    assert asked == {"read": 1}
    hub.delivery.unfollow(position)


async def test_readers_that_come_back_together_cost_pages(
    processes: list[Process], shared_url: str, statements: Counter[str]
) -> None:
    """A thousand readers at as many offsets. The pages are read once each; so is the head, and the first time that
    the process follows the topic."""
    (publisher, _), (hub, asked), *_ = processes
    first = (await publisher.publish_many("a", [("message", str(n)) for n in range(BEHIND)], close=True)).first
    asked.clear()
    statements.clear()
    offsets = [Offset(first.epoch, n) for n in range(0, BEHIND, 2)]
    back = await asyncio.gather(*[collect(hub.subscribe("a", offset)) for offset in offsets])
    for offset, texts in zip(offsets, back, strict=True):
        assert texts == [str(n) for n in range(offset.n, BEHIND)]
    assert asked["read"] <= BEHIND / PAGE + 2
    assert asked["load"] <= 2
    if is_postgres(shared_url):
        assert statements[READ] == asked["read"], "a read is one statement"
