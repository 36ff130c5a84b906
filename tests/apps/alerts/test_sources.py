"""The past of topics, and following them."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest

from tests.apps.alerts.processes import eventually
from tidings import Hub
from tidings.apps.alerts import sources
from tidings.apps.alerts.sources import BAD, Source, past
from tidings.events import Event


async def test_the_past_is_read_back_to_a_time_and_a_number(hub: Hub) -> None:
    assert await past(hub, "t", 0.0) == ([], None)
    await hub.publish_many("t", [("message", n) for n in range(2500)])
    events, tail = await past(hub, "t", 0.0)
    assert [event.data for event in events] == [str(n) for n in range(2500)]
    assert tail is not None
    assert tail.n == 2500
    assert [event.data for event in (await past(hub, "t", 0.0, 3))[0]] == ["2497", "2498", "2499"]
    assert (await past(hub, "t", events[0].time + 9))[0] == []


async def test_a_source_hands_out_each_event_with_its_value(hub: Hub) -> None:
    heard: list[Any] = []

    def hear(topic: str, event: Event, data: Any) -> None:
        heard.append((topic, data))

    source = Source(hub, "t", None, hear)
    await hub.publish("t", {"a": 1})
    first = await hub.publish("t", "no JSON")
    await eventually(lambda: len(heard) == 2)
    assert heard == [("t", {"a": 1}), ("t", BAD)]
    await hub.redact("t", first)
    await hub.publish("t", 7, close=True)
    await eventually(lambda: len(heard) == 3)
    source.close()
    await asyncio.sleep(0)


async def test_a_source_gives_way_between_events_and_says_up_to_when(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "SLICE", -1.0)
    heard: list[tuple[float, float]] = []
    turns: list[float] = []

    def hear(topic: str, event: Event, data: Any) -> None:
        heard.append((event.time, source.behind))
        asyncio.get_running_loop().call_soon(lambda: turns.append(source.behind))

    await hub.publish_many("t", [("message", n) for n in range(50)])
    source = Source(hub, "t", None, hear)
    await eventually(lambda: len(heard) == 50 and source.behind == math.inf)
    source.close()
    assert turns == [time for time, _ in heard]
    assert {behind for _, behind in heard} == {math.inf}
