"""Taking events from an iterator, and waiting until the iterator has nothing more to give."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from tests.serving import PATIENCE
from tidings import Hub
from tidings.events import Event


async def take(events: AsyncIterator[Event], count: int) -> list[tuple[str, str]]:
    async with asyncio.timeout(PATIENCE):
        return [(event.type, event.data) for event in [await anext(events) for _ in range(count)]]


async def collect(events: AsyncIterator[Event]) -> list[str]:
    async with asyncio.timeout(PATIENCE):
        return [event.data async for event in events]


async def settle() -> None:
    """Give the loop the turns in which a commit is announced and flushed."""
    for _ in range(5):
        await asyncio.sleep(0)


async def waits(hub: Hub, topic: str = "a") -> None:
    """Until an iterator over the topic has nothing more to give."""
    async with asyncio.timeout(PATIENCE):
        # A reader that waits says so nowhere else.
        while not ((live := hub.delivery.topics._live.get(topic)) and live.waiters):  # noqa: ASYNC110
            await asyncio.sleep(0)
