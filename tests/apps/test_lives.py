"""Tests of rights that hold for one life of a topic."""

from __future__ import annotations

import asyncio

import pytest

from tidings import Hub
from tidings.apps.lives import Life
from tidings.events import ORIGIN


@pytest.fixture
async def epoch(hub: Hub) -> str:
    """The life of a topic that somebody follows."""
    at = await hub.publish("t", "x")
    await hub.delivery.follow("t", "tail")
    return at.epoch


def watched(hub: Hub, epoch: str) -> tuple[Life, list[str]]:
    """A watch, and the list to which each end of its stream is added."""
    ends: list[str] = []
    life = Life(hub, "t", epoch)
    life.start(lambda: ends.append("end"))
    return life, ends


async def test_a_stream_ends_before_another_life_of_its_topic_is_read(hub: Hub, epoch: str) -> None:
    _, ends = watched(hub, epoch)
    await hub.publish("t", "y")
    await hub.read("t")
    assert ends == []
    await hub.delete("t")
    await hub.publish("t", "z")
    async for event in hub.subscribe("t", "earliest"):
        assert (event.data, ends[0]) == ("z", "end")
        break


@pytest.mark.parametrize("other", ["zzz", ORIGIN.epoch])
async def test_a_right_of_another_life_ends_a_stream_in_the_next_turn(hub: Hub, epoch: str, other: str) -> None:
    _, ends = watched(hub, other)
    assert ends == []
    await asyncio.sleep(0)
    assert ends == ["end"]


@pytest.mark.parametrize("other", ["zzz", None])
async def test_a_stream_that_has_ended_is_not_watched(hub: Hub, epoch: str, other: str | None) -> None:
    life, ends = watched(hub, other or epoch)
    life.stop()
    life.stop()
    await hub.delete("t")
    await hub.publish("t", "z")
    async for _ in hub.subscribe("t", "earliest"):
        break
    assert ends == []
