"""Publishing numbers, and waiting until readers are level with a topic."""

from __future__ import annotations

import asyncio

from tests.asgi import Client
from tidings import Hub


def level(hub: Hub, topic: str = "a") -> int:
    live = hub.delivery.topics._live.get(topic)
    return len(live.level) if live else 0


async def joined(client: Client, hub: Hub, topic: str = "a", count: int = 1) -> None:
    """Until its readers are level with a topic. Only the loop's turns stand between."""
    async with asyncio.timeout(60):
        while level(hub, topic) < count:
            assert not client.done
            await asyncio.sleep(0)


def numbers(first: int, last: int) -> list[str]:
    return [str(n) for n in range(first, last + 1)]


async def publish(hub: Hub, first: int, last: int, topic: str = "a") -> None:
    await hub.log.append(topic, [("message", text) for text in numbers(first, last)])
