"""Reading mentions: parts of one person wait for one another, and another person's come in between."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from tidings.apps.rooms import mention_reader
from tidings.apps.rooms.mention_reader import PART, MentionReader
from tidings.apps.rooms.mentions import Mentions, mentions


async def test_mentions_are_read_whatever_the_parts() -> None:
    texts = ["@Tom", "x" * PART, "@docs", f"{'y' * (PART - 20)} @Tom", "@Tom and @docs", ""]
    found = await MentionReader().read("Ann", texts, ["Tom"], ["docs"])
    assert found == mentions(texts, ["Tom"], ["docs"])
    assert await MentionReader().read("Ann", [], ["Tom"], []) == {}


async def test_a_flood_of_one_person_delays_another_by_one_part(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    begun, free = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def held(texts: Sequence[str], *names: Sequence[str]) -> dict[str, Mentions]:
        loop.call_soon_threadsafe(begun.set)
        free.wait(60)
        read.append(texts[0][:5].strip())
        return mentions(texts, *names)

    monkeypatch.setattr(mention_reader, "mentions", held)
    reader = MentionReader()
    flood = [asyncio.create_task(reader.read("Eve", [f"{n} ".ljust(PART)] * 3, [], [])) for n in range(4)]
    await begun.wait()
    innocent = [asyncio.create_task(reader.read(name, [name], [], [])) for name in ("Ann", "Bob")]
    await asyncio.sleep(0)
    free.set()
    await asyncio.gather(*flood, *innocent)
    assert read[:3] == ["0", "Ann", "Bob"]
    assert read[3:] == ["0", "0", *["1"] * 3, *["2"] * 3, *["3"] * 3]


async def test_a_request_that_is_cancelled_gives_its_turn_away() -> None:
    reader = MentionReader()
    first = asyncio.create_task(reader.read("Ann", ["@Tom"], ["Tom"], []))
    await asyncio.sleep(0)
    first.cancel()
    found = await reader.read("Ann", ["@Tom"], ["Tom"], [])
    assert found["@Tom"].members == ["Tom"]
