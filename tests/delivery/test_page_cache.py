"""PageCache of history: read once for all who want them, in parts where they are large, and never more than is kept."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tidings.delivery import page_cache as module
from tidings.delivery.live_topic import PAGE, PAGE_BYTES, LiveTopic
from tidings.delivery.memory import WindowMemory
from tidings.delivery.page_cache import ENCODED_BYTES, ENCODED_KEPT, KEPT_BYTES, PageCache
from tidings.events import Event, Offset, Page
from tidings.log.head import Head
from tidings.wire.sse import Format


class Store:
    """A log of `tail` events of `size` bytes, of which a read gives at most 1 MB."""

    def __init__(self, tail: int, size: int = 10) -> None:
        self.tail, self.data = tail, "x" * size
        self.reads: list[int] = []

    async def read(self, topic: str, after: Offset, limit: int) -> Page:
        self.reads.append(after.n)
        await asyncio.sleep(0)
        count = max(min(limit, self.tail - after.n, (1 << 20) // len(self.data)), 1)
        events = [Event("t", Offset("E", after.n + i), "message", self.data, 0.0) for i in range(1, count + 1)]
        end, tail = Offset("E", after.n + count), Offset("E", self.tail)
        return Page(events, end, Offset("E", 1), tail, end == tail, False, None)


@pytest.fixture
def live() -> LiveTopic:
    made = LiveTopic("a", WindowMemory())
    made.begin(Head("E", tail=10_000))
    return made


def pages(store: Store) -> PageCache:
    log: Any = store
    return PageCache(log)


async def read(made: PageCache, live: LiveTopic, after: int, until: int) -> list[int]:
    """The numbers of all events after one and up to another, as a reader gets them."""
    found: list[int] = []
    while after < until:
        events = made.get(live, after)
        if not events:
            await made.load(live, after)
            continue
        found += [event.offset.n for event in events if event.offset]
        assert sum(len(event.data) for event in events) <= PAGE_BYTES or len(events) == 1
        after = found[-1]
    return found


async def test_a_thousand_readers_read_a_page_once(live: LiveTopic) -> None:
    store = Store(10_000)
    made = pages(store)
    found = await asyncio.gather(*(read(made, live, n % PAGE, PAGE) for n in range(1000)))
    assert store.reads == [0]
    assert found[7] == list(range(8, PAGE + 1))


async def test_a_reader_in_the_middle_of_a_page_goes_to_its_end(live: LiveTopic) -> None:
    assert await read(pages(Store(10_000)), live, PAGE + 7, 3 * PAGE) == list(range(PAGE + 8, 3 * PAGE + 1))


@pytest.mark.parametrize("size", [3_000, 50_000, 1 << 20])
async def test_a_page_of_large_events_is_read_to_its_end(live: LiveTopic, size: int) -> None:
    """The store gives only some of it at a time; readers at different places do not take it from each other."""
    store = Store(10_000, size)
    made = pages(store)
    async with asyncio.timeout(60):
        found = await asyncio.gather(*(read(made, live, n, 60) for n in (0, 1, 13, 59)))
    assert [numbers[0] for numbers in found] == [1, 2, 14, 60]
    assert all(numbers == list(range(numbers[0], numbers[-1] + 1)) and numbers[-1] >= 60 for numbers in found)
    assert made._spans_size <= KEPT_BYTES


async def test_a_page_that_was_the_last_grows(live: LiveTopic) -> None:
    store = Store(5)
    made = pages(store)
    assert await read(made, live, 0, 5) == [1, 2, 3, 4, 5]
    store.tail = 9
    assert await read(made, live, 5, 9) == [6, 7, 8, 9]
    assert await read(made, live, 2, 9) == [3, 4, 5, 6, 7, 8, 9]


async def test_a_page_begins_where_the_log_was_trimmed(live: LiveTopic) -> None:
    live.start = 30
    store = Store(10_000)
    assert await read(pages(store), live, 35, PAGE) == list(range(36, PAGE + 1))
    assert store.reads == [30]


async def test_the_cache_is_bounded(live: LiveTopic) -> None:
    store = Store(100_000, 10_000)
    made = pages(store)
    for n in range(0, 20_000, PAGE):
        await made.load(live, n)
    assert made._spans_size <= KEPT_BYTES
    assert made._spans_size == sum(span.size for span in made._spans.values())


async def test_a_page_larger_than_all_that_is_kept_reaches_its_reader(
    live: LiveTopic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KEPT_BYTES", 1)
    made = pages(Store(10_000))
    await made.load(live, 0)
    assert len(made.get(live, 0)) == PAGE


async def test_a_reader_that_goes_away_does_not_take_the_page_with_it(live: LiveTopic) -> None:
    made = pages(Store(10_000))
    one, two = (asyncio.create_task(made.load(live, 0)) for _ in range(2))
    await asyncio.sleep(0)
    one.cancel()
    assert len((await two).events) == PAGE


def test_bytes_are_made_once_for_each_format(live: LiveTopic) -> None:
    made = pages(Store(1))
    events = [Event("t", Offset("E", 1), "message", "x", 0.0)]
    plain = made.encode(Format(), live, 0, events)
    assert made.encode(Format(), live, 0, events) is plain
    assert made.encode(Format(envelope=True), live, 0, events) != plain


def large(n: int, size: int) -> list[Event]:
    return [Event("t", Offset("E", n), "message", "x" * size, 0.0)]


def test_the_bytes_that_were_used_last_are_kept(live: LiveTopic) -> None:
    made = pages(Store(1))
    bodies = [made.encode(Format(), live, n, large(n, 10)) for n in range(ENCODED_KEPT)]
    assert made.encode(Format(), live, 0, large(0, 10)) is bodies[0], "used again, and so the newest"
    made.encode(Format(), live, ENCODED_KEPT, large(ENCODED_KEPT, 10))
    assert made.encode(Format(), live, 0, large(0, 10)) is bodies[0]
    assert made.encode(Format(), live, 2, large(2, 10)) is bodies[2]
    assert made.encode(Format(), live, 1, large(1, 10)) is not bodies[1]


def test_large_bytes_are_bounded_together_and_one_is_always_kept(live: LiveTopic) -> None:
    made = pages(Store(1))
    huge = made.encode(Format(), live, 0, large(0, ENCODED_BYTES + 1))
    assert made.encode(Format(), live, 0, large(0, ENCODED_BYTES + 1)) is huge
    halves = [made.encode(Format(), live, n, large(n, ENCODED_BYTES // 2)) for n in (1, 2)]
    assert made.encode(Format(), live, 2, large(2, ENCODED_BYTES // 2)) is halves[1]
    assert made._size == sum(map(len, made._encoded.values())) <= ENCODED_BYTES
