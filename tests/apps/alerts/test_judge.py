"""The judge: it follows what is published, stores what follows, and is killed in the middle of it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.apps.alerts.processes import eventually, hurry, judging_of, process, ready
from tidings import Hub
from tidings.apps.alerts import facts, turn
from tidings.apps.alerts.rule import parse
from tidings.apps.alerts.service import Alerts
from tidings.apps.notifications.service import topic_of

ROUNDS = int(os.environ.get("ALERT_ROUNDS", "6"))
"""Rounds of killing. 100 were run by hand."""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BEAT", "LAPSE", "IDLE"):
        monkeypatch.setattr(turn, name, getattr(turn, name))
    hurry()


class Process:
    """The part of a process that judges, in this process."""

    def __init__(self, hub: Hub) -> None:
        self.hub, self.alerts = hub, Alerts(hub)
        self.judging = judging_of(hub, self.alerts)

    async def watching(self, id: str) -> None:
        judge = self.judging.judge
        await eventually(lambda: id in judge.seats and judge.seats[id].watched is not None)


@pytest.fixture
async def one(hub: Hub) -> AsyncIterator[Process]:
    made = Process(hub)
    made.judging.open()
    yield made
    await made.judging.close()


async def notices(hub: Hub, id: str, count: int) -> list[facts.Notice]:
    """Wait for so many notices of a rule."""
    found: list[facts.Notice] = []
    async with asyncio.timeout(60):
        async for event in hub.subscribe(f"alerts.{id}", "earliest"):
            fact = facts.read(event.type, event.data)
            if isinstance(fact, facts.Notice):
                found.append(fact)
                if len(found) == count:
                    return found
    raise AssertionError


async def test_rules_on_one_topic_are_judged_once_each_on_every_store(one: Process) -> None:
    rules = [parse({"topic": "data.a", "above": n, "people": ["Ann"]}) for n in range(3)]
    ids = [await one.alerts.create(rule, "Ann") for rule in rules]
    for id in ids:
        await one.watching(id)
    for value in (1.5, 0, 2.5, 0):
        await one.hub.publish("data.a", value)
    kinds = [
        [notice.kind for notice in await notices(one.hub, id, count)] for id, count in zip(ids, (4, 4, 2), strict=True)
    ]
    assert kinds == [["fired", "resolved"] * 2, ["fired", "resolved"] * 2, ["fired", "resolved"]]


async def test_seconds_are_judged_without_events(one: Process) -> None:
    absence = await one.alerts.create(parse({"topic": "data.none", "kind": "absence", "absent": 1}), None)
    pending = await one.alerts.create(parse({"topic": "data.held", "above": 1, "for": 1}), None)
    await one.watching(pending)
    await one.hub.publish("data.held", 5)
    [absent] = await notices(one.hub, absence, 1)
    [held] = await notices(one.hub, pending, 1)
    assert (absent.kind, held.kind) == ("fired", "fired")
    assert held.instances[0].value == 5


async def test_a_window_is_filled_with_what_came_before_the_rule(one: Process) -> None:
    for _ in range(5):
        await one.hub.publish("data.w", 1)
    id = await one.alerts.create(parse({"topic": "data.w", "agg": "count", "window": 600, "above": 5}), None)
    await one.watching(id)
    await one.hub.publish("data.w", 1)
    [notice] = await notices(one.hub, id, 1)
    assert notice.instances[0].value == 6


async def test_a_topic_that_is_deleted_goes_on_in_its_next_life(one: Process) -> None:
    id = await one.alerts.create(parse({"topic": "data.d", "above": 1}), None)
    await one.watching(id)
    await one.hub.publish("data.d", 5)
    await notices(one.hub, id, 1)
    await one.hub.delete("data.d")
    await one.hub.publish("data.d", 0)
    assert [notice.kind for notice in await notices(one.hub, id, 2)] == ["fired", "resolved"]


async def test_events_of_a_pause_are_judged_afterwards(sqlite_url: str) -> None:
    async with Hub(sqlite_url) as hub:
        first = Process(hub)
        first.judging.open()
        fires = await first.alerts.create(parse({"topic": "data.f", "above": 1}), None)
        edited = await first.alerts.create(parse({"topic": "data.f", "above": 2}), None)
        deleted = await first.alerts.create(parse({"topic": "data.f", "above": 3}), None)
        absent = await first.alerts.create(parse({"topic": "data.f", "kind": "absence", "absent": 30}), None)
        for id in (fires, edited, deleted, absent):
            await first.watching(id)
        await hub.publish("data.f", 5)
        for id in (fires, edited, deleted):
            await notices(hub, id, 1)
        await first.judging.close()
        await hub.publish("data.f", 0)
        await hub.publish("data.f", 7)
        await first.alerts.save(edited, parse({"topic": "data.f", "above": 6}), None)
        await first.alerts.delete(deleted, None)
    async with Hub(sqlite_url) as hub:
        second = Process(hub)
        second.judging.open()
        assert [one.kind for one in await notices(hub, fires, 3)] == ["fired", "resolved", "fired"]
        ended = await notices(hub, edited, 2)
        assert (ended[1].kind, ended[1].instances[0].reason) == ("resolved", "rule changed")
        ended = await notices(hub, deleted, 2)
        assert (ended[1].kind, ended[1].instances[0].reason) == ("resolved", "rule deleted")
        await second.watching(absent)
        assert second.judging.judge.seats[absent].judgement.state.instances == {}
        await second.judging.close()


async def test_a_second_process_takes_over_judging_without_a_gap(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turn, "LAPSE", 60.0)  # the first process gives its turn away, however late its beats are
    async with Hub(sqlite_url) as hub, Hub(sqlite_url) as other:
        first, second = Process(hub), Process(other)
        first.judging.open()
        id = await first.alerts.create(parse({"topic": "data.two", "above": 1}), None)
        await first.watching(id)
        second.judging.open()
        await eventually(lambda: second.judging.turn.last is not None)
        assert second.judging.turn.last is not None
        since = second.judging.turn.last.since
        assert (first.judging.turn.leads, second.judging.turn.leads) == (True, False)
        await hub.publish("data.two", 5)
        await notices(hub, id, 1)
        await first.judging.close()
        await hub.publish("data.two", 0)
        await second.watching(id)
        assert [notice.kind for notice in await notices(other, id, 2)] == ["fired", "resolved"]
        assert second.judging.turn.leads
        assert second.judging.turn.last.since == since
        await second.judging.close()


@pytest.mark.slow
async def test_every_episode_is_told_once_however_often_processes_are_killed(tmp_path: Path) -> None:
    store, random = f"sqlite:///{tmp_path}/tidings.db", Random(7)
    values: list[Any] = [value for n in range(ROUNDS) for value in (5 + n, 0)]
    async with Hub(store) as hub:
        id = await Alerts(hub).create(parse({"topic": "data.k", "above": 1, "people": ["Ann"]}), "Ann")
        with ExitStack() as stack:
            judges = [stack.enter_context(process(store)) for _ in range(2)]
            for judge in judges:
                await asyncio.to_thread(ready, judge)
            for value in values:
                await hub.publish("data.k", value)
                await asyncio.sleep(random.uniform(0, 0.04))
                if random.random() < 0.5:
                    await asyncio.sleep(random.uniform(0, 1.5))
                judges.pop(random.randrange(2)).kill()
                judges.append(stack.enter_context(process(store)))
                if random.random() < 0.3:
                    judges.pop(0).kill()
                    judges.append(stack.enter_context(process(store)))
            found = await notices(hub, id, len(values))
            await hub.publish("data.k", 999)
            found = await notices(hub, id, len(values) + 1)
            told = []
            async with asyncio.timeout(60):
                async for event in hub.subscribe(topic_of("Ann"), "earliest"):
                    told.append(event.json()["title"])
                    if len(told) == len(found):
                        break
    assert [notice.kind for notice in found] == [*["fired", "resolved"] * ROUNDS, "fired"]
    assert len({notice.id for notice in found}) == len(found)
    assert told == [*["data.k is firing", "data.k is over"] * ROUNDS, "data.k is firing"]
    assert [one.instances[0].value for one in found[::2]] == [*range(5, 5 + ROUNDS), 999]
