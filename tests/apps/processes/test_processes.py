"""Processes on two servers over one file: equal figures, also after `kill -9` at any moment."""

from __future__ import annotations

import asyncio
import json
import random
from pathlib import Path
from typing import Any

import httpx

from tests.apps.processes.plain import Row, plain, rows
from tests.serving import ServerProcess
from tidings.apps.processes.facts import iso

BATCH = 40


def lines(log: list[Row]) -> str:
    events = [{"case": case, "activity": activity, "timestamp": iso(time)} for case, activity, time in log]
    return "\n".join(json.dumps({"data": event}) for event in events)


async def publish(client: httpx.AsyncClient, url: str, log: list[Row], key: str) -> None:
    """Publish events as one batch, again and again until a server answers."""
    headers = {"content-type": "application/x-ndjson", "idempotency-key": key}
    while True:
        try:
            answer = await client.post(f"{url}/topics/process.x/events", content=lines(log), headers=headers)
        except httpx.HTTPError:
            await asyncio.sleep(0.05)  # the server is being started again
            continue
        assert answer.status_code in (200, 201), answer.text
        return


async def figures(client: httpx.AsyncClient, url: str) -> dict[str, Any]:
    answer = await client.get(f"{url}/processes/x", params={"variants": 1_000})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    for activity in found["activities"]:
        del activity["oldest"]
    del found["now"]
    return found


async def test_figures_are_equal_on_two_servers_of_which_one_is_killed(tmp_path: Path) -> None:
    chance = random.Random()  # another moment in every run
    events = rows(1, cases=150, activities=6, longest=20)
    chance.shuffle(events)
    batches = [events[at : at + BATCH] for at in range(0, len(events), BATCH)]
    store = f"sqlite:///{tmp_path}/tidings.db"
    with ServerProcess(store) as one, ServerProcess(store) as two:
        async with httpx.AsyncClient(timeout=60) as client:

            async def traffic() -> None:
                for n, batch in enumerate(batches):
                    server = one if n % 3 else two
                    await publish(client, server.url, batch, f"batch {n}")
                    if n % 5 == 0:
                        await figures(client, two.url)

            async def killing() -> None:
                await asyncio.sleep(chance.random())
                await asyncio.to_thread(one.kill)
                await asyncio.to_thread(one.start)

            await asyncio.gather(traffic(), killing())
            first, second = await figures(client, one.url), await figures(client, two.url)
            assert first == second
            assert first["events"] == len(events)
            await asyncio.to_thread(two.kill)
            await asyncio.to_thread(two.start)
            assert await figures(client, two.url) == first, "a server that begins at a snapshot"
    right = plain(events)
    assert {(edge["from"], edge["to"]): (edge["events"], edge["cases"]) for edge in first["edges"]} == {
        edge: of[:2] for edge, of in right["edges"].items()
    }
    assert [round(edge["sum"] * 1e6) for edge in first["edges"]] == [
        right["edges"][edge["from"], edge["to"]][2] for edge in first["edges"]
    ]
    assert (first["start"], first["end"]) == (right["start"], right["end"])
    assert (first["cases"], first["variants"]) == (right["cases"], len(right["variants"]))
