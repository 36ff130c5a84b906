"""Reading the records that hold some events: neighbours by one read, and nothing that is trimmed or of another life."""

from __future__ import annotations

from collections.abc import Sequence

from tidings.events import Offset, Retention
from tidings.log.head import Head
from tidings.log.holding import NEAR, holding
from tidings.log.journal import Journal
from tidings.log.records import Record
from tidings.stores.memory import MemoryStore


class Counting(MemoryStore):
    """A store that counts its reads."""

    reads = 0

    async def read(self, topic: str, after: int, limit: int) -> tuple[Head | None, Sequence[Record]]:
        self.reads += 1
        return await super().read(topic, after, limit)


async def made(count: int, **settings: Retention) -> tuple[Counting, Journal, Offset]:
    """A log of as many events, each in a record of its own."""
    store = Counting()
    journal = Journal(store)
    await journal.open()
    for n in range(1, count + 1):
        last = (await journal.append("a", [("m", str(n))], **settings)).last
    store.reads = 0
    return store, journal, last


async def test_events_that_are_near_come_with_one_read() -> None:
    store, _, last = await made(NEAR + 60)
    numbers = [2, 3, 50, NEAR + 50]
    head, records = await holding(store, "a", last.epoch, numbers, 0.0)
    assert head is not None
    assert head.tail == last.n
    assert [record.last for record in records] == numbers
    assert store.reads == 2


async def test_missing_events_are_passed_over() -> None:
    store, journal, last = await made(6)
    assert await holding(store, "a", "other", [1, 2], 0.0) == (None, [])
    assert await holding(store, "b", last.epoch, [1, 2], 0.0) == (None, [])
    head, records = await holding(store, "a", last.epoch, [0, 6, 7], 0.0)
    assert [record.last for record in records] == [6]
    await journal.configure("a", retention=Retention(max_events=2))
    await journal.trim("a")
    head, records = await holding(store, "a", last.epoch, [2, 5], 0.0)
    assert head is not None
    assert [record.last for record in records] == [5]
