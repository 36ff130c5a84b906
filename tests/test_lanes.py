"""What one process learns of what another one does to a topic that it follows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.streams import PATIENCE
from tidings.hub import Hub


@pytest.fixture
async def hubs(tmp_path: Path) -> AsyncIterator[tuple[Hub, Hub]]:
    """Two hubs over one file, as two processes have them."""
    url = f"sqlite:///{tmp_path}/tidings.db"
    async with Hub(url) as one, Hub(url) as two:
        yield one, two


@pytest.mark.parametrize("with_event", [True, False])
async def test_a_topic_that_another_process_closes_ends(hubs: tuple[Hub, Hub], with_event: bool) -> None:
    one, two = hubs
    await one.publish("a", "first")
    async with asyncio.timeout(PATIENCE):
        events = two.subscribe("a")
        found = [(await anext(events)).data]
        rest = asyncio.ensure_future(collect(events))
        while not two.lanes._lanes["a"].waiters:  # noqa: ASYNC110 (the reader has no other way to say it waits)
            await asyncio.sleep(0)
        if with_event:
            await one.publish("a", "last", close=True)
        else:
            await one.close_topic("a")
        found += await rest
    assert found == (["first", "last"] if with_event else ["first"])


async def collect(events: AsyncIterator[object]) -> list[str]:
    return [event.data async for event in events]  # type: ignore[attr-defined]
