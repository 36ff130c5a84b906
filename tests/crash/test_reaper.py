"""The moments of a crash that a random kill meets too rarely, one by one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tidings import Hub
from tidings.runs.run import topic_of
from tidings.runs.runs import LEASE, _derived_id


async def forever(_: Any) -> AsyncIterator[str]:
    yield "So far"
    await asyncio.Event().wait()


async def test_a_start_that_is_repeated_while_its_remains_are_reaped_keeps_its_lease(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process died after it took the lease and before the log began. Its client repeats the start just as the reaper
    has seen that there is no log. A run without a lease would be ended by nobody, should this process die too."""
    topic = topic_of(_derived_id("ann", "key"))
    await hub.leases.lease(topic, -1.0, renew=False)
    describe = hub.log.describe

    async def then_somebody_starts(name: str) -> Any:
        head = await describe(name)
        monkeypatch.setattr(hub.log, "describe", describe)
        run = await hub.runs.start(forever, "?", key="key", about={"by": "ann"})
        assert run.topic == topic
        return head

    monkeypatch.setattr(hub.log, "describe", then_somebody_starts)
    await hub.runs._reaper.reap()
    assert await hub.leases.lease(topic, LEASE, renew=True)
