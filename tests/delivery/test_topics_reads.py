"""The reads of the store that delivery costs: one for each flush in each process, whatever its readers."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.delivery.events import collect, waits
from tests.serving import PATIENCE
from tidings import Hub
from tidings.delivery.live_topic import PAGE
from tidings.events import Offset
from tidings.log.head import Head
from tidings.log.records import Record
from tidings.stores.sqlite.store import SqliteStore

PROCESSES, READERS, EVENTS = 4, 250, 40
BEHIND = 5 * PAGE


class CountingStore(SqliteStore):
    """A SQLite store that counts what is asked of it, by method."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), durability="normal")
        self.asked: Counter[str] = Counter()

    async def load(self, topic: str) -> Head | None:
        self.asked["load"] += 1
        return await super().load(topic)

    async def read(self, topic: str, after: int, limit: int) -> tuple[Head | None, Sequence[Record]]:
        self.asked["read"] += 1
        return await super().read(topic, after, limit)


@pytest.fixture
async def processes(tmp_path: Path) -> AsyncIterator[list[tuple[Hub, CountingStore]]]:
    """Hubs over one file, as several processes have them, each with its counting store."""
    stores = [CountingStore(tmp_path / "tidings.db") for _ in range(PROCESSES)]
    async with AsyncExitStack() as stack:
        yield [(await stack.enter_async_context(Hub(store)), store) for store in stores]


async def test_each_process_reads_a_hot_topic_once_a_flush(processes: list[tuple[Hub, CountingStore]]) -> None:
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
    for _, store in processes:
        store.asked.clear()
    for n in range(1, EVENTS):
        await publisher.publish("a", str(n), close=n == EVENTS - 1)
        async with asyncio.timeout(PATIENCE):
            # A process that has flushed an event says so nowhere else.
            while any(hub.delivery.topics._live["a"].visible <= n for hub, _ in others):  # noqa: ASYNC110
                await asyncio.sleep(0.001)
    for texts in await asyncio.gather(*reading):
        assert texts == [str(n) for n in range(EVENTS)]
    assert own.asked.total() == 0, "a process has what it publishes"
    for _, store in others:
        assert EVENTS / 2 <= store.asked.total() <= 2 * EVENTS
        assert store.asked["load"] == 0


async def test_a_look_at_a_topic_is_one_read(processes: list[tuple[Hub, CountingStore]]) -> None:
    (publisher, _), (hub, store), *_ = processes
    await publisher.publish("a", "first")
    position = await hub.delivery.follow("a", "tail")
    live = position.live
    store.asked.clear()
    await hub.delivery.topics.reload(live)
    assert store.asked == {"read": 1}
    hub.delivery.unfollow(position)


async def test_readers_that_come_back_together_cost_pages(processes: list[tuple[Hub, CountingStore]]) -> None:
    """A thousand readers at as many offsets. The pages are read once each; so is the head, and the first time that
    the process follows the topic."""
    (publisher, _), (hub, store), *_ = processes
    first = (await publisher.publish_many("a", [("message", str(n)) for n in range(BEHIND)], close=True)).first
    store.asked.clear()
    offsets = [Offset(first.epoch, n) for n in range(0, BEHIND, 2)]
    back = await asyncio.gather(*[collect(hub.subscribe("a", offset)) for offset in offsets])
    for offset, texts in zip(offsets, back, strict=True):
        assert texts == [str(n) for n in range(offset.n, BEHIND)]
    assert store.asked["read"] <= BEHIND / PAGE + 2
    assert store.asked["load"] <= 2
