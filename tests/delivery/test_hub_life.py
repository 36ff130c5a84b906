"""The life of a hub: it opens, drains, closes and opens again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.serving import PATIENCE
from tidings import Hub
from tidings.delivery import hub as base
from tidings.errors import InvalidRequest, Unavailable
from tidings.events import Event
from tidings.log.names import EARLIEST
from tidings.stores.memory import MemoryStore


async def take(events: AsyncIterator[Event], count: int) -> list[Event]:
    async with asyncio.timeout(PATIENCE):
        return [await anext(events) for _ in range(count)]


async def rest(events: AsyncIterator[Event]) -> list[Event]:
    """All to the topic's end."""
    async with asyncio.timeout(PATIENCE):
        return [event async for event in events]


def data(events: list[Event]) -> list[str]:
    return [event.data for event in events]


class Losing(MemoryStore):
    """A store that is gone for good when the test says so."""

    async def open(self) -> None:
        await super().open()
        self.gone: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def lost(self) -> str:
        return await self.gone


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


class TestLife:
    async def test_a_hub_is_opened_once(self) -> None:
        """The hub of `tidings` has another `open` around this one."""
        async with base.Hub("memory:") as hub:
            assert hub.state == "open"
            with pytest.raises(RuntimeError, match="open already"):
                await hub.open()

    async def test_the_second_of_two_openings_is_refused(self, store_url: str) -> None:
        hub = Hub(store_url)
        first, second = await asyncio.gather(hub.open(), hub.open(), return_exceptions=True)
        assert first is hub
        assert isinstance(second, RuntimeError)
        await hub.close()
        assert hub.state == "closed"

    async def test_an_opening_is_waited_for_and_undone_by_a_close(self, store_url: str) -> None:
        hub = Hub(store_url)
        opening = asyncio.create_task(hub.open())
        await asyncio.sleep(0)
        await asyncio.gather(hub.close(), hub.close())
        assert opening.done()
        assert hub.state == "closed"
        with pytest.raises(Unavailable):
            await hub.publish("a", "x")

    async def test_a_hub_is_opened_while_it_is_being_closed(self, store_url: str) -> None:
        """The opening waits until the store is closed."""
        hub = Hub(store_url)
        await hub.open()
        closing = asyncio.create_task(hub.close())
        await asyncio.sleep(0)
        # The state tells no waiter when it changes.
        while hub.state != "closed":  # noqa: ASYNC110
            await asyncio.sleep(0)
        await hub.open()
        assert closing.done()
        await hub.publish("a", "x")
        await hub.close()

    async def test_an_opening_that_failed_or_was_cancelled_is_repeated(self) -> None:
        class Slow(MemoryStore):
            async def open(self) -> None:
                await asyncio.Event().wait()

        hub = Hub(Slow())
        for _ in range(2):
            opening = asyncio.create_task(hub.open())
            await asyncio.sleep(0)
            opening.cancel()
            with pytest.raises(asyncio.CancelledError):
                await opening
        await hub.close()
        assert hub.state == "closed"

    async def test_a_drain_is_for_an_open_hub(self) -> None:
        hub = base.Hub("memory:")
        hub.drain()
        assert hub.state == "closed"
        async with hub:
            hub.drain()
            assert hub.state == "draining"

    async def test_a_store_that_is_gone_for_good_drains_the_hub(self) -> None:
        store = Losing()
        async with base.Hub(store) as hub:
            await settle()
            assert hub.state == "open"
            store.gone.set_result("The file was removed.")
            await settle()
            assert hub.state == "draining"

    async def test_closing_twice_and_never_opened(self, store_url: str) -> None:
        hub = Hub(store_url)
        await hub.close()
        await hub.open()
        await hub.publish("a", "x")
        await hub.close()
        await hub.close()
        with pytest.raises(Unavailable):
            await hub.publish("a", "y")

    async def test_published_events_are_there_after_reopening(self, tmp_path: Path) -> None:
        url = f"sqlite:///{tmp_path}/tidings.db"
        async with Hub(url) as hub:
            last = await hub.publish("a", "x")
        async with Hub(url) as hub:
            assert (await take(hub.subscribe("a", EARLIEST), 1))[0].offset == last

    async def test_a_background_task_that_fails_is_in_the_log(self, caplog: pytest.LogCaptureFixture) -> None:
        async def fail() -> None:
            raise ValueError("on purpose")

        async with Hub("memory:") as hub:
            task = hub.delivery.background(fail())
            await asyncio.wait([task])
            await asyncio.sleep(0)
        assert "on purpose" in caplog.text

    @pytest.mark.parametrize("url", ["", "memory", "mysql:///x", "sqlite:x.db", "sqlite:///x.db?durability=never"])
    def test_a_store_nobody_knows_is_refused(self, url: str) -> None:
        with pytest.raises(InvalidRequest):
            Hub(url)

    async def test_a_store_may_be_given(self) -> None:
        store: Any = MemoryStore()
        async with Hub(store) as hub:
            assert hub._store is store
