"""The feeds of one store in one process: each reader learns of every change, and a slow reader stays bounded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from tidings.events import ORIGIN, Offset
from tidings.log.port import Cast, News
from tidings.stores.feed import MOST_CASTS, MOST_TOPICS, Feeds, merge


def at(n: int) -> Offset:
    return Offset("e", n)


async def begun(feeds: Feeds) -> AsyncIterator[News]:
    """Return a feed that has said "look at all", as each does first."""
    feed = feeds.follow()
    assert await anext(feed) is None
    return feed


async def waits(feed: AsyncIterator[News]) -> asyncio.Task[News]:
    """Return the feed's next news as a task that waits already."""
    task = asyncio.ensure_future(anext(feed))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not task.done()
    return task


async def test_every_feed_gets_the_newest_tail_of_each_topic() -> None:
    feeds = Feeds()
    one, two = await begun(feeds), await begun(feeds)
    feeds.changed({"a": at(1), "b": at(1)})
    feeds.changed({"a": at(2)})
    assert await anext(one) == {"a": at(2), "b": at(1)}
    assert await anext(two) == {"a": at(2), "b": at(1)}
    waiting = await waits(one)
    feeds.changed({"c": None})
    assert await waiting == {"c": None}


async def test_transient_events_come_after_the_changes_that_came_before_them() -> None:
    feeds = Feeds()
    feed = await begun(feeds)
    first, second = Cast("a", b"1"), Cast("a", b"2")
    feeds.cast(first)
    feeds.changed({"a": at(1)})
    feeds.cast(second)
    assert [await anext(feed) for _ in range(3)] == [{"a": at(1)}, first, second]


async def test_a_slow_feed_drops_the_oldest_transient_events() -> None:
    feeds = Feeds()
    feed = await begun(feeds)
    for n in range(MOST_CASTS + 3):
        feeds.cast(Cast("a", str(n).encode()))
    casts = [await anext(feed) for _ in range(MOST_CASTS)]
    assert casts[0] == Cast("a", b"3")
    assert casts[-1] == Cast("a", str(MOST_CASTS + 2).encode())
    await waits(feed)


async def test_a_slow_feed_with_too_many_topics_says_look_at_all() -> None:
    feeds = Feeds()
    feed = await begun(feeds)
    for n in range(MOST_TOPICS + 2):
        feeds.changed({f"t{n}": at(1)})
    assert await anext(feed) is None
    feeds.changed({"a": at(2)})
    assert await anext(feed) == {"a": at(2)}


async def test_look_at_all_covers_the_changes_before_it() -> None:
    feeds = Feeds()
    feed = await begun(feeds)
    feeds.changed({"a": at(1)})
    feeds.look_at_all()
    assert await anext(feed) is None
    await waits(feed)


async def test_a_change_made_here_reaches_the_feed_after_the_callbacks_of_the_update() -> None:
    feeds = Feeds()
    waiting = await waits(await begun(feeds))
    order: list[str] = []
    waiting.add_done_callback(lambda _: order.append("feed"))
    update: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    update.add_done_callback(lambda _: order.append("update"))
    feeds.changed_here({"a": at(1)})
    update.set_result(None)
    assert await waiting == {"a": at(1)}
    assert order[0] == "update"


async def test_feeds_end_with_the_store() -> None:
    feeds = Feeds()
    waiting = await waits(await begun(feeds))
    feeds.close()
    try:
        await waiting
    except StopAsyncIteration:
        pass
    else:
        raise AssertionError("the feed goes on")
    assert [news async for news in feeds.follow()] == []


def test_a_request_to_look_is_not_forgotten_over_a_later_tail() -> None:
    tails: dict[str, Offset | None] = {"a": ORIGIN, "b": at(1), "c": at(1)}
    merge(tails, {"a": at(5), "b": at(2), "c": None, "d": ORIGIN})
    assert tails == {"a": ORIGIN, "b": at(2), "c": None, "d": ORIGIN}
