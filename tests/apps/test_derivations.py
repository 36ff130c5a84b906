"""Derived topics: deleted once their source is deleted or redacted, by whichever process looks next."""

from __future__ import annotations

import asyncio

import pytest

from tidings import Hub
from tidings.apps import derivations
from tidings.apps.derivations import Derivations, derived_from
from tidings.errors import Unavailable
from tidings.events import Offset


async def derive(hub: Hub, topic: str, source: str, redactions: int = 0, epoch: str = "") -> None:
    """Append to a derived topic."""
    head = await hub.log.describe(source)
    assert head
    label = derived_from(source, epoch or head.epoch, redactions)
    await hub.log.append(topic, [("part", "1")], labels={label: True})


async def derived(hub: Hub) -> list[str]:
    await Derivations(hub).look()
    return await hub.topics("d")


async def test_derived_topics_go_with_their_source() -> None:
    async with Hub("memory:") as hub:
        offsets: dict[str, Offset] = {}
        for source in ("a", "a.b", "b"):
            offsets[source] = await hub.publish(source, {"v": 1})
            await hub.publish(source, {"v": 2})
            for part in ("m", "h"):
                await derive(hub, f"d.{source}.{part}", source)
        assert len(await derived(hub)) == 6
        await hub.redact("a", offsets["a"])
        assert await derived(hub) == ["d.a.b.h", "d.a.b.m", "d.b.h", "d.b.m"]
        await derive(hub, "d.a.m", "a", 1)
        assert len(await derived(hub)) == 5
        await hub.delete("a.b")
        assert await derived(hub) == ["d.a.m", "d.b.h", "d.b.m"]
        await hub.delete("b")
        await hub.publish("b", {"v": 3})
        assert await derived(hub) == ["d.a.m"]


async def test_a_derived_topic_goes_by_the_oldest_redactions_that_it_may_hold() -> None:
    async with Hub("memory:") as hub:
        await hub.redact("a", await hub.publish("a", {"v": 1}))
        await derive(hub, "d.a", "a", 1)
        assert await derived(hub) == ["d.a"]
        await derive(hub, "d.a", "a", 0)
        assert await derived(hub) == []


async def test_an_earlier_life_of_a_restored_source_counts() -> None:
    async with Hub("memory:") as hub:
        first = await hub.publish("a", {"v": 1})
        await derive(hub, "d.a", "a")
        head = await hub.log.describe("a")
        assert head
        restored = head.restored("other")
        assert derivations._holds(restored, first.epoch, "0")
        assert derivations._holds(restored, first.epoch, "")
        assert not derivations._holds(restored, first.epoch, "1")
        assert not derivations._holds(restored, "third", "0")


async def test_many_derived_topics_are_looked_at() -> None:
    async with Hub("memory:") as hub:
        await hub.publish("a", {"v": 1})
        for n in range(1_100):
            await derive(hub, f"d.{n}", "a", n + 1)
        await derive(hub, "d.kept", "a")
        assert await derived(hub) == ["d.kept"]


async def test_a_look_that_fails_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(derivations, "LOOK", 0.01)
    async with Hub("memory:") as hub:
        await hub.publish("a", {"v": 1})
        await derive(hub, "d.a", "a", 1)
        describe, failed = hub.log.describe, asyncio.Event()

        async def fail_once(topic: str) -> object:
            if failed.is_set():
                return await describe(topic)
            failed.set()
            raise Unavailable("The store is away.")

        monkeypatch.setattr(hub.log, "describe", fail_once)
        Derivations(hub).open()
        async with asyncio.timeout(10):
            while await hub.topics("d"):  # noqa: ASYNC110 - a look tells nobody
                await asyncio.sleep(0.01)
        assert failed.is_set()
