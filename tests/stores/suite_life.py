"""The life of a store that is kept outside of its process: `class TestX(LifeSuite)` with a fixture `url` of its URL."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

from tests.stores.kit import put, until
from tidings.errors import Unavailable
from tidings.events import Offset
from tidings.stores import open_store


class LifeSuite:
    async def test_a_store_that_was_never_opened_closes(self, url: str) -> None:
        store = open_store(url)
        with pytest.raises(Unavailable, match="not open yet"):
            await store.load("a")
        await store.close()
        with pytest.raises(Unavailable):
            await store.load("a")

    def test_a_closed_store_opens_again_in_another_event_loop(self, url: str) -> None:
        store = open_store(url)

        async def life(number: int) -> None:
            await store.open()
            feed = store.changes()
            assert await anext(feed) is None
            assert (await store.update("a", (), put())).head.tail == number  # type: ignore[union-attr]
            await until(feed, "a", Offset("epoch1", number))
            await store.close()
            with pytest.raises(Unavailable, match="is closed"):
                await store.load("a")

        for number in (1, 2, 3):
            asyncio.run(life(number))

    def test_a_loop_that_ends_without_closing_does_not_hang(self, url: str) -> None:
        code = f"""
import asyncio
from tidings.log.journal import Journal
from tidings.stores import open_store

async def main():
    log = Journal(open_store({url!r}))
    await log.open()
    print(await log.append("a", [("message", "x")]))
asyncio.run(main())
"""
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
        assert "n=1" in done.stdout
        assert "Traceback" not in done.stderr
