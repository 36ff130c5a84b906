"""The news that processes send each other."""

from __future__ import annotations

import asyncio
import os

import pytest

from tests.stores.kit import put
from tests.stores.postgres.conftest import Open
from tidings.events import Offset
from tidings.log.port import Cast
from tidings.stores.postgres import news
from tidings.stores.postgres.news import Mailbox, News, pieces


@pytest.mark.parametrize("size", [1, 8_000, 20_000])
def test_a_message_comes_as_it_was_sent(size: int) -> None:
    sent = News({"a": Offset("e", 3), "b": None}, {"a": 5, "b": 6}, [Cast("t", bytes(size) + os.urandom(5))])
    parts = pieces("other", 1, sent)
    assert len(set(parts)) == len(parts)  # the engine would drop all but one of two that are the same
    assert max(map(len, parts)) < 8_000
    mailbox = Mailbox()
    assert [mailbox.open(part) for part in parts] == [None] * (len(parts) - 1) + [sent]


def test_our_own_messages_and_those_of_others_are_left_alone() -> None:
    mailbox = Mailbox()
    assert mailbox.open(pieces(mailbox.name, 1, News())[0]) is None
    for wrong in ("", "x", "a b c d", "other 1 0 {", "other 1 0 [[],[]]", "other 1 1 part"):
        assert mailbox.open(wrong) is None


async def test_casts_of_every_size_come_once_and_in_order(opened: Open) -> None:
    store, other = await opened(), await opened()
    feed, own = other.changes(), store.changes()
    assert await anext(feed) is await anext(own) is None
    payloads = [bytes([n]) * size for n, size in enumerate([1, 7_000, 20_000, 3, 100_000, 5])]
    for payload in payloads:
        await store.cast("t", payload)
    async with asyncio.timeout(10):
        for payload in payloads:
            if len(payload) < news.MOST:
                assert await anext(feed) == Cast("t", payload)
    await store.update("a", (), put())
    assert await anext(own) == {"a": Offset("epoch1", 1)}


async def test_very_many_topics_are_looked_at_all(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(news, "MOST", 500)
    store, other = await opened(), await opened()
    feed = other.changes()
    assert await anext(feed) is None
    monkeypatch.setattr(news, "PIECE", 400)
    await asyncio.gather(*(store.update(f"topic-{n:050}", (), put()) for n in range(100)))
    async with asyncio.timeout(10):
        assert None in [await anext(feed), await anext(feed)]
