"""Processes over HTTP: events are published natively, and figures, cases and their events are read."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.apps.members import SECRET
from tests.apps.processes.miner import ORDERS, Miner, event
from tests.http.conftest import Server
from tests.http.problems import problem
from tidings.access.tokens import sign

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_the_figures_of_published_events(miner: Miner) -> None:
    problem(await miner.get(f"/{miner.name}"), 404, miner.name)
    done = (await miner.publish(*ORDERS)).json()
    found = await miner.figures()
    assert found["topic"] == f"process.{miner.name}"
    assert found["offset"] == done["last"]
    assert (found["events"], found["cases"], found["variants"], found["refused"]) == (5, 2, 2, 0)
    assert [(a["activity"], a["events"], a["cases"], a["open"]) for a in found["activities"]] == [
        ("ordered", 2, 2, 0),
        ("paid", 2, 2, 1),
        ("sent", 1, 1, 1),
    ]
    assert found["activities"][1]["oldest"] == pytest.approx(found["now"] - 1704103240, abs=1)
    assert found["edges"][0] == {
        "from": "ordered",
        "to": "paid",
        "events": 2,
        "cases": 2,
        "mean": 45.0,
        "median": 45.0,
        "min": 30.0,
        "max": 60.0,
        "sum": 90.0,
        "exact": True,
    }
    assert (found["start"], found["end"]) == ({"ordered": 2}, {"paid": 1, "sent": 1})
    assert found["top_variants"] == [
        {"trace": ["ordered", "paid"], "cases": 1},
        {"trace": ["ordered", "paid", "sent"], "cases": 1},
    ]
    assert found["folded"] == {"activities": 0, "edges": 0, "cases": 0, "other": "other activities"}
    assert len((await miner.figures(variants=1))["top_variants"]) == 1


async def test_an_edge_leads_to_its_cases_and_a_case_to_its_events(miner: Miner) -> None:
    odd = 'a/b "c" ü?'
    done = (await miner.publish(*ORDERS, event(odd, "ordered", 1704103200), event(odd, "paid", 1704103205))).json()
    epoch = done["last"].partition("-")[0]
    cases = (await miner.get(f"/{miner.name}/cases", **{"from": "ordered", "to": "paid"})).json()
    assert [(case["case"], case["seconds"], case["times"], case["events"]) for case in cases["cases"]] == [
        ("o1", 60.0, 1, 3),
        ("o2", 30.0, 1, 2),
        (odd, 5.0, 1, 2),
    ]
    assert cases["cases"][0]["offset"] == f"{epoch}-3"
    assert cases["total"] == 3
    page = (await miner.get(f"/{miner.name}/cases", **{"from": "ordered", "to": "paid", "skip": 1, "limit": 1})).json()
    assert [case["case"] for case in page["cases"]] == ["o2"]
    waiting = (await miner.get(f"/{miner.name}/cases", at="paid")).json()
    assert [case["case"] for case in waiting["cases"]] == [odd, "o2"]
    history = (await miner.get(f"/{miner.name}/cases/o1")).json()
    assert [step["offset"] for step in history["events"]] == [f"{epoch}-{n}" for n in (1, 3, 5)]
    assert [step["activity"] for step in history["events"]] == ["ordered", "paid", "sent"]
    assert history["events"][1]["data"] == ORDERS[2]
    assert history["events"][1]["time"] == 1704103260.0
    again = (await miner.get(f"/{miner.name}/cases/{quote(odd, safe='')}", limit=1, skip=1)).json()
    assert [step["activity"] for step in again["events"]] == ["paid"]
    assert again["total"] == 2


async def test_an_unknown_case_or_activity_is_not_found(miner: Miner) -> None:
    await miner.publish(*ORDERS)
    problem(await miner.get(f"/{miner.name}/cases/o9"), 404, "case")
    problem(await miner.get(f"/{miner.name}/cases", at="lost"), 404, "activity")
    problem(await miner.get(f"/{miner.name}/cases", **{"from": "paid"}), 400, "`from` and `to`")
    problem(await miner.get(f"/{miner.name}/cases", limit=0, at="paid"), 422)


async def test_the_list_has_what_the_token_allows(miner: Miner, server: Server) -> None:
    await miner.publish(*ORDERS)
    listed = (await miner.get(after=miner.name[:-1])).json()
    assert listed["processes"][0]["name"] == miner.name
    assert listed["processes"][0]["topic"] == f"process.{miner.name}"
    assert listed["next"] is None
    other = sign(SECRET, "other", publish=[], subscribe=["process.other"], seconds=60)
    headers = {"authorization": f"Bearer {other}"}
    assert (await server.client.get("/processes", headers=headers)).json()["processes"] == []
    problem(await server.client.get(f"/processes/{miner.name}", headers=headers), 403)
    problem(await server.client.get("/processes"), 401)
