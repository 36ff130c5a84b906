"""Tests of the memory budgets: shared bytes count once, and the reader that was slow first is closed first."""

from __future__ import annotations

import asyncio

from tidings import Hub
from tidings.delivery.memory import MB, WriteMemory


class Slow:
    """A reader that counts how often it was closed."""

    def __init__(self) -> None:
        self.closed = 0

    def close(self) -> None:
        self.closed += 1


def test_bytes_that_readers_share_count_once() -> None:
    memory, readers, body = WriteMemory(1000), [Slow() for _ in range(100)], b"x" * 600
    for reader in readers:
        memory.hold(reader, shared=(body,))
    assert memory.size == 600
    for reader in readers:
        memory.release(reader)
        memory.release(reader)
    assert memory.size == 0
    assert not any(reader.closed for reader in readers)


def test_a_reader_holds_what_it_held_last() -> None:
    memory, reader = WriteMemory(1000), Slow()
    memory.hold(reader, 400)
    memory.hold(reader, 300, (b"x" * 50, b"y" * 50))
    assert memory.size == 400


def test_over_the_limit_the_first_slow_reader_is_closed() -> None:
    memory, readers = WriteMemory(1000), [Slow() for _ in range(4)]
    for n, reader in enumerate(readers):
        memory.hold(reader, shared=(bytes([n]) * 400,))
    assert [reader.closed for reader in readers] == [1, 1, 0, 0]
    assert memory.size == 800


def test_a_reader_that_alone_is_over_the_limit_is_closed() -> None:
    memory, reader = WriteMemory(1000), Slow()
    memory.hold(reader, 1001)
    assert (reader.closed, memory.size) == (1, 0)


async def test_windows_keep_to_their_budget_and_readers_lose_nothing() -> None:
    """Topics that were silent for longest are dropped first, and read from the store again."""
    async with Hub("memory:", window_bytes=MB) as hub:
        for n in range(40):
            topic = f"t{n}"
            hub.delivery.unfollow(await hub.delivery.follow(topic, "tail"))
            await hub.publish_many(topic, [("message", f"{n}." + "x" * 50_000) for _ in range(4)])
            await asyncio.sleep(0)  # the publisher is answered first
            assert hub.delivery.counts().window_bytes <= MB
        lives = hub.delivery.topics._live
        assert [len(lives[f"t{n}"].events) for n in (0, 1, 39)] == [0, 0, 4]
        for n in (0, 39):
            events = hub.subscribe(f"t{n}", "earliest")
            assert [(await anext(events)).data[:2] for _ in range(4)] == [f"{n}."[:2]] * 4
            await events.aclose()


async def test_a_topic_that_is_forgotten_gives_its_memory_back() -> None:
    async with Hub("memory:") as hub:
        hub.delivery.unfollow(await hub.delivery.follow("a", "tail"))
        await hub.publish("a", "x" * 1000)
        await asyncio.sleep(0)
        assert hub.delivery.counts().window_bytes > 1000
        await hub.delete("a")
        await asyncio.sleep(0)
        assert hub.delivery.counts().window_bytes == 0
