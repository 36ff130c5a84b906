"""The guard of processes: only what can be mined is published."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.apps.processes.miner import ORDERS, Miner, event
from tests.http.problems import problem

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("case", {"activity": "A", "timestamp": 1}),
        ("case", event(4711, "A", 1)),  # type: ignore[arg-type]
        ("activity", {"case": "c", "timestamp": 1}),
        ("timestamp", {"case": "c", "activity": "A"}),
        ("timestamp", event("c", "A", float("nan"))),
        ("timestamp", event("c", "A", "9999-12-31T00:00:00Z")),
    ],
)
async def test_invalid_events_are_refused_with_the_field(miner: Miner, field: str, wrong: Any) -> None:
    for kind in ("application/json", "text/plain"):
        found = problem(await miner.post(json.dumps(wrong), kind), 422, f"`{field}`")
        assert found["field"] == field
        assert found["topic"] == f"process.{miner.name}"
    if wrong.get("timestamp") == wrong.get("timestamp"):
        found = problem(await miner.publish(ORDERS[0], wrong), 422, f"`{field}`")
        assert (found["field"], found["event"]) == (field, 2)
    problem(await miner.get(f"/{miner.name}"), 404)


async def test_only_events_of_cases_go_to_a_process(miner: Miner) -> None:
    problem(await miner.publish(ORDERS[0], transient="true"), 400, "transient")
    problem(await miner.publish(ORDERS[0], topic=f"process.{miner.name}.deviations"), 403)
    problem(await miner.publish(ORDERS[0], topic="process.x." + "y" * 20), 403)
    delete = f"/topics/process.{miner.name}.deviations"
    problem(await miner.server.client.delete(delete, headers=miner.headers), 403)


def part(first: int, to: int, **more: Any) -> dict[str, Any]:
    return {"file": "cd" * 32, "first": first, "to": to, **more}


async def publish_part(miner: Miner, events: list[Any], about: dict[str, Any]) -> httpx.Response:
    lines = [json.dumps({"data": event}) for event in events]
    lines.append(json.dumps({"type": "import.part", "data": about}))
    return await miner.post("\n".join(lines), "application/x-ndjson")


async def test_a_part_of_an_import_is_stored_once(miner: Miner) -> None:
    assert (await publish_part(miner, ORDERS[:3], part(0, 3))).status_code == 201
    again = problem(await publish_part(miner, ORDERS[:3], part(0, 3)), 409)
    assert (again["events"], again["done"]) == (3, False)
    problem(await publish_part(miner, ORDERS[3:], part(2, 4)), 409)
    problem(await publish_part(miner, ORDERS[3:], part(3, 5, options="o")), 409, "other options")
    assert (await publish_part(miner, ORDERS[3:], part(3, 5, done=True, skipped=2))).status_code == 201
    assert problem(await publish_part(miner, [], part(5, 5)), 409)["done"]
    found = await miner.figures()
    assert (found["events"], found["refused"]) == (5, 2)
    assert found["imports"] == [{"file": "cd" * 32, "events": 5, "done": True, "skipped": 2, "options": ""}]


async def test_a_part_is_published_with_its_events(miner: Miner) -> None:
    problem(await publish_part(miner, ORDERS[:2], part(0, 3)), 400, "one commit")
    problem(await miner.publish(part(0, 0), part(0, 0), type="import.part"), 400)
    problem(await miner.publish({"file": "x"}, type="import.part"), 422, "import")
