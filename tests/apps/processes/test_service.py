"""The state of a process, as its topic changes."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.apps.processes.miner import ORDERS, Miner, event
from tests.http.problems import problem
from tidings.apps.processes import fold, service
from tidings.apps.processes.facts import Row, read
from tidings.apps.processes.service import AT_ONCE, CHANGED, Processes
from tidings.apps.projection import EVERY

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_an_event_that_comes_late_has_its_place_at_once(miner: Miner) -> None:
    await miner.publish(*ORDERS)
    await miner.figures()
    await miner.publish(event("o1", "checked", "2024-01-01T10:00:30Z"))
    edges = {(edge["from"], edge["to"]): edge["sum"] for edge in (await miner.figures())["edges"]}
    assert edges == {
        ("ordered", "paid"): 30.0,
        ("ordered", "checked"): 30.0,
        ("checked", "paid"): 30.0,
        ("paid", "sent"): 3600.0,
    }


async def test_a_redacted_event_leaves_figures_and_snapshots(miner: Miner) -> None:
    events = [event(f"c{n}", "AB"[k], n + k * 5) for n in range(EVERY) for k in (0, 1)]
    done = (await miner.publish(*events)).json()
    await miner.figures()
    epoch = done["last"].partition("-")[0]
    for n in (1, 2):
        await miner.server.hub.redact(f"process.{miner.name}", f"{epoch}-{n}")
    found = await miner.figures()
    assert (found["events"], found["cases"], found["edges"][0]["events"]) == (998, 499, 499)
    history = await miner.get(f"/{miner.name}/cases/c0")
    problem(history, 404)
    processes = Processes(miner.server.hub)  # a process that starts now
    process, _ = await processes.state(miner.name)
    assert process.events == 998
    assert "c0" not in process.ids


async def test_a_process_that_is_deleted_begins_anew(miner: Miner) -> None:
    await miner.publish(*ORDERS)
    await miner.figures()
    url = f"/topics/process.{miner.name}"
    assert (await miner.server.client.delete(url, headers=miner.headers)).status_code == 204
    problem(await miner.get(f"/{miner.name}"), 404)
    await miner.publish(ORDERS[0])
    assert (await miner.figures())["events"] == 1


async def test_viewers_of_a_map_hear_of_changes(miner: Miner) -> None:
    """A topic of transient events has a few events for 100 publications."""
    heard: list[dict[str, object]] = []
    told = asyncio.Event()

    def hear(type: str, data: str) -> None:
        assert type == CHANGED
        heard.append(json.loads(data))
        if heard[-1]["events"] == 100:
            told.set()

    miner.server.hub.delivery.listen(f"process.{miner.name}.figures", hear)
    for n in range(100):
        last = (await miner.publish(event(f"c{n % 7}", "A", n))).json()["last"]
    async with asyncio.timeout(60):
        await told.wait()
    assert heard[-1] == {"offset": last, "events": 100, "cases": 7}
    assert len(heard) < 50


async def test_figures_are_computed_once_for_all_who_ask_at_one_offset(miner: Miner) -> None:
    await miner.publish(*ORDERS)
    processes = Processes(miner.server.hub)
    first = await processes.figures(miner.name, 20)
    assert await processes.figures(miner.name, 20) is first
    assert await processes.figures(miner.name, 5) is not first
    await miner.publish(event("o3", "ordered", 1))
    assert (await processes.figures(miner.name, 5)).events == 6


async def test_a_large_commit_is_folded_in_several_turns(miner: Miner) -> None:
    """The state follows its topic again at once, so that the next small commit is folded with its publishing."""
    await miner.publish(*ORDERS)
    await miner.figures()
    await miner.publish(*(event(f"c{n % 7}", "A", n) for n in range(AT_ONCE + 1)))
    assert (await miner.figures())["events"] == len(ORDERS) + AT_ONCE + 1
    await miner.publish(ORDERS[0])
    assert (await miner.figures())["events"] == len(ORDERS) + AT_ONCE + 2


async def test_publishers_do_not_keep_a_state_behind(miner: Miner, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the events of the first commits are read again, by the state that begins."""
    again: list[str] = []

    def reading(data: str) -> Row:
        again.append(data)
        return read(data)

    monkeypatch.setattr(fold, "read", reading)
    monkeypatch.setattr(service, "LAG", 60.0)

    async def publish(publisher: int) -> None:
        for n in range(20):
            await miner.publish(*(event(f"c{publisher}", "A", n * 10 + k) for k in range(10)))

    await asyncio.gather(*(publish(publisher) for publisher in range(4)))
    assert (await miner.figures())["events"] == 800
    assert len(again) <= 40
