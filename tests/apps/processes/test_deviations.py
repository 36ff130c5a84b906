"""Deviations, as events that are published once each."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.apps.processes.miner import ORDERS, STEPS, Miner, event
from tests.apps.processes.test_processes import publish
from tests.serving import ServerProcess
from tidings.apps.alerts.preview import preview
from tidings.apps.alerts.rule import parse
from tidings.apps.processes.deviations import Deviations
from tidings.apps.processes.service import Processes

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def deviations(miner: Miner, count: int) -> list[dict[str, Any]]:
    """Wait for so many deviations, and return them."""
    found: list[dict[str, Any]] = []
    async with asyncio.timeout(60):
        async for one in miner.server.hub.subscribe(f"process.{miner.name}.deviations", "earliest"):
            found.append(one.json())
            if len(found) == count:
                return found
    raise AssertionError("the topic does not end")


async def test_a_deviation_is_published_once_with_its_event_and_its_cause(miner: Miner) -> None:
    await miner.publish(*ORDERS)
    assert (await miner.change("PUT", "/reference", {"above": 0.5})).json()["steps"] == [["ordered", "paid"]]
    given = await miner.change("PUT", "/reference", STEPS)
    assert given.status_code == 200, given.text
    done = (
        await miner.publish(
            event("o3", "ordered", 100),
            event("o3", "sent", 300),
            event("o4", "paid", 1),
            event("o4", "refunded", 2),
            event("o3", "paid", 200),
            event("o3", "ordered", 150),
        )
    ).json()
    epoch, _, first = done["first"].partition("-")
    late = (await miner.publish(event("o2", "sent", "2024-01-01T10:00:20Z"))).json()["last"]
    found = await deviations(miner, 5)
    told = [(one["kind"], one["from"], one["to"], one["case"], one["offset"], one["cause"]) for one in found]
    third, fourth, last = (f"{epoch}-{int(first) + n}" for n in (2, 3, 5))
    assert told == [
        ("start", "", "paid", "o4", third, third),
        ("activity", "", "refunded", "o4", fourth, fourth),
        ("step", "ordered", "ordered", "o3", last, last),
        ("step", "sent", "paid", "o2", f"{epoch}-4", late),
        ("step", "ordered", "sent", "o2", late, late),
    ]
    assert found[2]["timestamp"] == "1970-01-01T00:02:30Z"
    rule = parse({"topic": f"process.{miner.name}.deviations", "kind": "deviation"})
    judged = await preview(miner.server.hub, rule)
    assert judged.fired == 3
    assert {one.instance for one in judged.transitions} == {"start", "activity", "step"}


async def test_a_process_that_begins_publishes_what_was_not_published(miner: Miner) -> None:
    hub = miner.server.hub
    await miner.change("PUT", "/reference", STEPS)
    await miner.publish(*(event(f"c{n}", "paid", n) for n in range(150)))
    before = await deviations(miner, 150)
    again = Deviations(hub, Processes(hub))  # the part of another process
    again.open()
    await miner.publish(*(event(f"d{n}", "paid", n) for n in range(150)))
    found = await deviations(miner, 300)
    assert [one["case"] for one in found] == [*(f"c{n}" for n in range(150)), *(f"d{n}" for n in range(150))]
    assert before == found[:150]
    page = await hub.read(f"process.{miner.name}.deviations", "earliest")
    assert page.tail.n == 300


async def test_each_deviation_is_stored_once_by_two_servers_of_which_one_is_killed(tmp_path: Path) -> None:
    chance = random.Random()  # another moment in every run
    store = f"sqlite:///{tmp_path}/tidings.db"
    with ServerProcess(store) as one, ServerProcess(store) as two:
        async with httpx.AsyncClient(timeout=60) as client:
            (await client.put(f"{one.url}/processes/x/reference", json=STEPS)).raise_for_status()

            async def traffic() -> None:
                for n in range(60):
                    log = [(f"c{n}-{k}", "paid" if k % 2 else "ordered", n * 1_000_000) for k in range(10)]
                    await publish(client, (one if n % 3 else two).url, log, f"batch {n}")

            async def killing() -> None:
                await asyncio.sleep(chance.random())
                await asyncio.to_thread(one.kill)
                await asyncio.to_thread(one.start)

            await asyncio.gather(traffic(), killing())
            for server in (one, two):  # each judges these after all others
                await publish(client, server.url, [(f"last {server.url}", "paid", 0)], server.url)
            url = f"{two.url}/topics/process.x.deviations/events"
            entries: list[dict[str, Any]] = []
            async with asyncio.timeout(60):
                while len(entries) < 302:
                    entries = (await client.get(url, params={"limit": 1_000})).json().get("events", [])
                    await asyncio.sleep(0.05)
    right = [f"c{n}-{k}" for n in range(60) for k in range(1, 10, 2)]
    assert sorted(entry["data"]["case"] for entry in entries) == sorted(
        [*right, *(f"last {s.url}" for s in (one, two))]
    )
