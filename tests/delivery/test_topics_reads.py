"""The reads of the store that delivery costs: one for each flush in each process, whatever its readers."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import NamedTuple

import asyncpg
import pytest

from tests.delivery.events import collect, settle, waits
from tests.serving import PATIENCE
from tidings import Hub
from tidings.delivery.live_topic import PAGE
from tidings.events import Offset
from tidings.log.port import News, Store
from tidings.stores import is_postgres, open_store
from tidings.stores.postgres.reader import READ

PROCESSES, READERS, EVENTS = 4, 2_500, 20
BEHIND, RETURNING = 2 * PAGE, 5_000


class Process(NamedTuple):
    """A hub, and how often its store was asked, by method; `changes` counts the news to look at everything."""

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
    changes = store.changes

    async def counted_changes() -> AsyncIterator[News]:
        async for news in changes():
            asked["changes"] += news is None
            yield news

    store.changes = counted_changes  # type: ignore[method-assign]
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
    counts = [counted(store) for store in stores]
    async with AsyncExitStack() as stack:
        hubs = [await stack.enter_async_context(Hub(store)) for store in stores]
        yield [Process(hub, asked) for hub, asked in zip(hubs, counts, strict=True)]


@pytest.fixture
async def late(processes: list[Process], monkeypatch: pytest.MonkeyPatch) -> Late:
    """The looks of the second process at the store, whose answers wait."""
    log = processes[1].hub.log
    late = Late(log.look, asyncio.Event(), asyncio.Event())
    monkeypatch.setattr(log, "look", late)
    return late


class Late(NamedTuple):
    """A journal's `look`. `answered` is set once the store has answered, and nobody is told before `go`."""

    look: Callable[..., Awaitable[object]]
    answered: asyncio.Event
    go: asyncio.Event

    async def __call__(self, *arguments: object) -> object:
        answer = await self.look(*arguments)
        self.answered.set()
        await self.go.wait()
        return answer


async def test_each_process_reads_a_hot_topic_once_a_flush(
    processes: list[Process], shared_url: str, statements: Counter[str]
) -> None:
    """Ten thousand readers in four processes, of events that one process publishes one by one.

    Beside the reads for the flushes, a process may be told to look at everything, when the news of a commit is late.
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
    assert own["read"] <= own["changes"], "a process has what it publishes"
    for _, asked in others:
        assert EVENTS - 1 <= asked["read"] <= EVENTS - 1 + asked["changes"]
        assert asked["load"] == 0
    if is_postgres(shared_url):
        assert statements[READ] == sum(asked["read"] for _, asked in others), "a read is one statement"


async def test_news_of_a_commit_that_is_being_read_cost_no_further_read(processes: list[Process], late: Late) -> None:
    """The news may come twice: with the commit, and with the next look at what has changed."""
    (publisher, _), (hub, asked), *_ = processes
    await publisher.publish("a", "0")
    reading = asyncio.ensure_future(collect(hub.subscribe("a", "earliest")))
    await waits(hub)
    asked.clear()
    tail = await publisher.publish("a", "1")
    await late.answered.wait()
    hub.log.store._feeds.changed({"a": tail})  # type: ignore[attr-defined]
    await settle()
    looking = hub.delivery.topics._live["a"].reloading
    assert looking is not None
    late.go.set()
    await looking
    assert asked["read"] <= 1 + asked["changes"]
    await publisher.publish("a", "2", close=True)
    assert await reading == ["0", "1", "2"]


async def test_a_commit_after_the_read_under_way_is_read_next(processes: list[Process], late: Late) -> None:
    (publisher, _), (hub, asked), *_ = processes
    await publisher.publish("a", "0")
    reading = asyncio.ensure_future(collect(hub.subscribe("a", "earliest")))
    await waits(hub)
    asked.clear()
    await publisher.publish("a", "1")
    await late.answered.wait()
    await publisher.publish("a", "2", close=True)
    late.go.set()
    assert await reading == ["0", "1", "2"]
    assert 2 <= asked["read"] <= 2 + asked["changes"]


async def test_a_look_at_a_topic_is_one_read(processes: list[Process]) -> None:
    (publisher, _), (hub, asked), *_ = processes
    await publisher.publish("a", "first")
    position = await hub.delivery.follow("a", "tail")
    live = position.live
    asked.clear()
    await hub.delivery.topics.reload(live)
    assert 1 <= asked["read"] <= 1 + asked["changes"]
    assert asked["load"] == 0
    hub.delivery.unfollow(position)


async def test_readers_that_come_back_together_cost_pages(
    processes: list[Process], shared_url: str, statements: Counter[str]
) -> None:
    """Five thousand readers at 800 offsets. Each page is read once, and so is the head, as the process follows the
    topic for the first time."""
    (publisher, _), (hub, asked), *_ = processes
    first = (await publisher.publish_many("a", [("message", str(n)) for n in range(BEHIND)], close=True)).first
    asked.clear()
    statements.clear()
    offsets = [Offset(first.epoch, n % BEHIND) for n in range(RETURNING)]
    back = await asyncio.gather(*[collect(hub.subscribe("a", offset)) for offset in offsets])
    for offset, texts in zip(offsets, back, strict=True):
        assert texts == [str(n) for n in range(offset.n, BEHIND)]
    assert asked["read"] <= BEHIND / PAGE + asked["changes"]
    assert asked["load"] == 1
    if is_postgres(shared_url):
        assert statements[READ] == asked["read"], "a read is one statement"
