"""Looks at a store as tests make them: late, failing, or never told by news."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import pytest

from tidings import Hub
from tidings.errors import Unavailable
from tidings.events import Event
from tidings.log.head import Head
from tidings.log.port import News
from tidings.stores.memory import MemoryStore

Describe = Callable[[str], Awaitable[Head | None]]


class Deaf(MemoryStore):
    """A store whose news do not arrive."""

    async def changes(self) -> AsyncIterator[News]:  # type: ignore[override]
        await asyncio.Event().wait()
        yield None


async def fails(describe: Describe, topic: str) -> Head | None:
    raise Unavailable("on purpose")


def look(hub: Hub, monkeypatch: pytest.MonkeyPatch, instead: Callable[[Describe, str], Awaitable[Head | None]]) -> None:
    """Have the hub look at the store in another way."""
    describe, real = hub.log.describe, hub.log.look

    async def looked(topic: str, after: int, limit: int) -> tuple[Head | None, Sequence[Event]]:
        events: Sequence[Event] = ()

        async def head_of(topic: str) -> Head | None:
            nonlocal events
            head, events = await real(topic, after, limit)
            return head

        return await instead(head_of, topic), events

    monkeypatch.setattr(hub.log, "describe", lambda topic: instead(describe, topic))
    monkeypatch.setattr(hub.log, "look", looked)
