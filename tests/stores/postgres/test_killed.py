"""Processes that are killed: writers, and the engine itself. Nothing that was acknowledged is lost or doubled."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.postgres import Cluster
from tests.stores.kit import Start, everything, line
from tidings.errors import OutcomeUnknown, Unavailable
from tidings.events import Offset
from tidings.log.journal import Journal
from tidings.log.rules import NEW
from tidings.stores import open_store

pytestmark = pytest.mark.slow


@pytest.fixture
async def log(url: str) -> AsyncIterator[Journal]:
    """A log by the clocks that a server uses."""
    log = Journal(open_store(url))
    await log.open()
    yield log
    await log.close()


async def test_a_killed_writer_loses_nothing_that_was_acknowledged(log: Journal, start: Start) -> None:
    acks: dict[int, str] = {}
    for name in "abc":
        worker = await start("append", name)
        assert worker.stdout
        for _ in range(200):
            _, n, data = (await line(worker)).split()
            acks[int(n)] = data
        worker.kill()
        for rest in (await worker.stdout.read()).decode().splitlines(keepends=True):
            if rest.endswith("\n"):
                _, n, data = rest.split()
                acks[int(n)] = data
        await worker.wait()
    found = await everything(log, "topic", limit=500)
    assert [event.offset.n for event in found if event.offset] == list(range(1, len(found) + 1))
    assert {n: found[n - 1].data for n in acks} == acks
    assert len({event.data for event in found}) == len(found)
    for name in "abc":
        for task in range(4):
            own = [int(each.data.split(".")[2]) for each in found if each.data.startswith(f"{name}.{task}.")]
            assert own == list(range(len(own)))


async def test_a_frozen_writer_holds_up_nobody_and_writes_nothing_when_it_wakes(log: Journal, start: Start) -> None:
    """The fence: a process that was stopped at any moment finds its topic closed."""
    for round in range(4):
        topic = "topic"
        await log.delete(topic)
        await log.append(topic, [("message", "first")], expected=NEW)
        worker = await start("append")
        assert worker.stdout
        for _ in range(20 + round * 7):
            assert (await line(worker)).startswith("ack")
        worker.send_signal(signal.SIGSTOP)
        async with asyncio.timeout(10):
            last = (await log.append(topic, [("message", "interrupted")], close=True)).last
        worker.send_signal(signal.SIGCONT)
        await asyncio.wait_for(worker.stdout.read(), 30)
        assert await worker.wait() == 1, "it was refused, which ends it"
        page = await log.read(topic, Offset(last.epoch, last.n - 1))
        assert ([event.data for event in page.events], page.closed, page.tail) == (["interrupted"], True, last)


@pytest.fixture
def server(postgres: Cluster) -> Iterator[Cluster]:
    with Cluster(postgres.programs) as cluster:
        yield cluster.make()


async def test_a_killed_engine_loses_nothing_and_doubles_nothing(server: Cluster) -> None:
    url = server.url(server.create())
    logs = [Journal(open_store(url)) for _ in range(2)]
    for log in logs:
        await log.open()
    acks: dict[str, Offset] = {}
    unknown: set[str] = set()
    over = False

    async def publish(log: Journal, topic: str, name: str) -> None:
        n = 0
        while not over:
            n += 1
            data = f"{name}.{n}"
            try:
                acks[data] = (await log.append(topic, [("message", data)])).last
            except OutcomeUnknown:
                unknown.add(data)
            except Unavailable:
                await asyncio.sleep(0.02)

    async def follow(log: Journal, topic: str) -> list[str]:
        found: list[str] = []
        page = await log.read(topic, None, 1)
        after = Offset(page.tail.epoch, 0)
        while not over or not page.up_to_date:
            try:
                page = await log.read(topic, after, 100)
            except Unavailable:
                await asyncio.sleep(0.02)
                continue
            assert page.lost is None
            found += [event.data for event in page.events]
            after = page.next
            await asyncio.sleep(0.001)
        return found

    for topic in "ab":
        await logs[0].append(topic, [("message", f"first of {topic}")])
    writers = [asyncio.ensure_future(publish(logs[n % 2], "ab"[n // 2 % 2], f"w{n}")) for n in range(6)]
    readers = [asyncio.ensure_future(follow(log, topic)) for log in logs for topic in "ab"]
    async with asyncio.timeout(90):
        for kills in range(4):
            enough = len(acks) + 30
            while len(acks) < enough:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            if kills < 3:
                await asyncio.to_thread(server.kill)
                await asyncio.to_thread(server.start)
    over = True
    await asyncio.gather(*writers)
    seen = await asyncio.gather(*readers)
    stored = {topic: await everything(logs[1], topic, limit=500) for topic in "ab"}
    for log in logs:
        await log.close()
    whole = [event.data for events in stored.values() for event in events]
    assert len(whole) == len(set(whole))
    assert set(acks) <= set(whole) <= {*acks, *unknown, "first of a", "first of b"}
    for topic, events in stored.items():
        for event in events:
            assert acks.get(event.data, event.offset) == event.offset, topic
    last = {topic: [event.data for event in events] for topic, events in stored.items()}
    for n, found in enumerate(seen):
        assert found == last["ab"[n % 2]][: len(found)]
