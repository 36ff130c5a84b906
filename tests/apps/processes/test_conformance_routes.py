"""Conformance over HTTP: references, allowed deviations and the figures of all cases."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from tests.apps.processes.miner import ORDERS, STEPS, Miner, event
from tests.http.problems import problem

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_figures_compare_all_cases(miner: Miner) -> None:
    await miner.publish(*ORDERS, event("o3", "paid", 1))
    found = (await miner.get(f"/{miner.name}/conformance")).json()
    assert (found["reference"], found["share"], found["deviations"]) == (None, None, [])
    await miner.change("PUT", "/reference", STEPS)
    found = (await miner.get(f"/{miner.name}/conformance")).json()
    assert (found["cases"], found["conforming"], found["share"]) == (3, 2, 2 / 3)
    assert found["deviations"] == [
        {"kind": "start", "from": "", "to": "paid", "events": 1, "cases": 1, "allowed": False}
    ]
    allowed = await miner.change("PUT", "/allowed", {"kind": "start", "to": "paid"})
    assert allowed.status_code == 204, allowed.text
    found = (await miner.get(f"/{miner.name}/conformance")).json()
    assert (found["share"], found["deviations"][0]["allowed"]) == (1.0, True)
    assert (await miner.change("DELETE", "/reference")).status_code == 204
    problem(await miner.change("DELETE", "/reference"), 404)
    problem(await miner.change("PUT", "/allowed", {"kind": "start", "to": "paid"}), 404)


async def test_bad_references_are_refused(miner: Miner) -> None:
    problem(await miner.change("PUT", "/reference", {"above": 0.5}), 404)
    await miner.publish(*ORDERS)
    for body in (
        {},
        {"above": 1.0},
        {"starts": ["A"]},
        {"above": 0.1, **STEPS},
        {"starts": [], "steps": []},
        [],
        {"a": 1},
    ):
        problem(await miner.change("PUT", "/reference", body), 400)
    await miner.change("PUT", "/reference", STEPS)
    problem(await miner.change("PUT", "/allowed", {"kind": "step", "to": "paid"}), 400, "`from`")
    problem(await miner.publish(ORDERS[0], topic=f"process.{miner.name}.reference"), 403)


async def test_a_reference_may_have_a_megabyte_and_no_more(miner: Miner) -> None:
    names = [f"{n:0190}" for n in range(1_000)]
    steps = [[source, target] for source, target in pairwise(names)]
    largest = {"starts": names, "steps": [*steps, *steps]}
    assert 500_000 < len(json.dumps(largest)) < 1 << 20
    answer = await miner.change("PUT", "/reference", largest)
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["starts"]) == 1_000
    problem(await miner.change("PUT", "/reference", {**largest, "steps": steps * 4}), 413)
