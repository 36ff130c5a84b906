"""Search in processes that share a store: each makes an index of its own from the logs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from tests.apps.rooms.processes import TOPIC, Process
from tidings import Hub
from tidings.apps.search.index import HITS, Search
from tidings.apps.search.query import parse
from tidings.events import Offset


class Searching:
    """The rooms of one process, and its search."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.say = Process(hub).say
        self._search = Search(hub)

    async def find(self, text: str, before: int | None = None) -> list[tuple[int, str]]:
        """The offset's number and the text of each hit, the newest first."""
        head = await self.hub.log.describe(TOPIC)
        assert head is not None
        found = await self._search.find(parse(text), {TOPIC: Offset(head.epoch, head.tail)}, before)
        return [(hit.n, hit.text) for hit in found]

    async def ids(self, text: str) -> list[int]:
        head = await self.hub.log.describe(TOPIC)
        assert head is not None
        return [hit.id for hit in await self._search.find(parse(text), {TOPIC: Offset(head.epoch, head.tail)})]

    async def close(self) -> None:
        await self._search.close()


@asynccontextmanager
async def process(url: str) -> AsyncIterator[Searching]:
    async with Hub(url) as hub:
        searching = Searching(hub)
        yield searching
        await searching.close()


@pytest.fixture
async def processes(shared_url: str) -> AsyncIterator[list[Searching]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(process(shared_url)) for _ in range(2)]


async def test_each_process_finds_what_every_process_has_stored(processes: list[Searching], shared_url: str) -> None:
    one, two = processes
    await one.say("Ann", ("room.created", {"name": "Den"}), ("member.joined", {"member": "Bob"}))
    first = await one.say("Ann", ("message.posted", {"text": "A lanternfish, in the deep"}))
    second = await two.say("Bob", ("message.posted", {"text": "Another Lanternfish"}))
    third = await two.say("Bob", ("message.posted", {"text": "今日は会議があります"}))
    for each in processes:
        assert [n for n, _ in await each.find("lantern")] == [second.n, first.n]
        assert await each.find('"another lanternfish"') == [(second.n, "Another Lanternfish")]
        assert await each.find("会議") == [(third.n, "今日は会議があります")]
    edit = await two.say("Bob", ("message.edited", {"message": str(second), "text": "A coelacanth"}))
    await one.say("Ann", ("message.deleted", {"message": str(first)}))
    assert edit.n > third.n
    async with process(shared_url) as later:
        for each in (*processes, later):
            assert await each.find("lanternfish") == []
            assert await each.find("coelacanth") == [(second.n, "A coelacanth")]


async def test_a_page_of_one_process_is_continued_by_another(processes: list[Searching]) -> None:
    one, two = processes
    await one.say("Ann", ("room.created", {"name": "Den"}))
    texts = [f"wombat {n}" for n in range(2 * HITS)]
    await one.say("Ann", *[("message.posted", {"text": text}) for text in texts[:-5]])
    assert len(await two.find("wombat")) == HITS + 1
    for text in texts[-5:]:
        await two.say("Ann", ("message.posted", {"text": text}))
    ids = await one.ids("wombat")
    assert await two.ids("wombat") == ids
    found = [text for _, text in (await one.find("wombat"))[:HITS] + await two.find("wombat", ids[HITS - 1])]
    assert found == texts[::-1]


async def test_a_room_that_is_made_anew_in_one_process_is_new_in_the_other(processes: list[Searching]) -> None:
    one, two = processes
    for text in ("pangolin old", "pangolin new"):
        await one.say("Ann", ("room.created", {"name": "Den"}), ("message.posted", {"text": text}))
        for each in processes:
            assert [found for _, found in await each.find("pangolin")] == [text]
        await two.hub.delete(TOPIC)
