"""Reading the facts of some events: those that are there, and hold a fact."""

from __future__ import annotations

import pytest

from tidings import Hub
from tidings.apps.rooms.facts import MessagePosted
from tidings.apps.rooms.reading import NEAR, facts_at
from tidings.events import Retention


async def test_facts_are_read_wherever_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Hub("memory:") as hub:
        last = await hub.publish_many(
            "rooms.a", [("message.posted", f'{{"by":"Ann","text":"{n}"}}') for n in range(1, NEAR + 100)]
        )
        last = await hub.publish("rooms.a", "no fact", "message.posted")
        await hub.redact("rooms.a", last._replace(n=3))
        reads = 0
        read = hub.read

        async def counted(*args: object, **settings: object) -> object:
            nonlocal reads
            reads += 1
            return await read(*args, **settings)  # type: ignore[arg-type]

        monkeypatch.setattr(hub, "read", counted)
        found = await facts_at(hub, "rooms.a", last.epoch, [2, 3, 4, 900, NEAR + 90, last.n, last.n + 5])
        texts = {n: fact.text for n, fact in found.items() if isinstance(fact, MessagePosted)}
        assert texts == {n: str(n) for n in (2, 4, 900, NEAR + 90)}
        assert reads <= 3
        assert await facts_at(hub, "rooms.a", "other", [2]) == {}
        assert await facts_at(hub, "rooms.b", last.epoch, [2]) == {}
        monkeypatch.undo()
        await hub.configure("rooms.a", retention=Retention(max_events=1))
        await hub.log.trim("rooms.a")
        assert await facts_at(hub, "rooms.a", last.epoch, [1, 2]) == {}
