"""Filtered maps: kept for all who ask at one offset, and bounded in number."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from tests.apps.processes.miner import ORDERS, Miner, event
from tests.http.problems import problem
from tidings.apps.processes import filtered
from tidings.apps.processes.service import Processes

pytestmark = pytest.mark.asyncio(loop_scope="module")

ALONE = "alone"
"""A process that is deleted after each comparison."""

OWN = ("topic", "offset", "now", "whole")
"""Members that differ between two maps of equal figures."""


async def alone(miner: Miner, events: list[Any]) -> dict[str, Any]:
    """Return the figures of a process which has these events alone."""
    other = Miner(miner.server, ALONE)
    await other.publish(*events)
    return figures_of(await other.figures())


def figures_of(found: dict[str, Any]) -> dict[str, Any]:
    """Return the figures without ages, which depend on the time of the answer."""
    kept = {name: value for name, value in found.items() if name not in OWN}
    kept["activities"] = sorted(({**of, "oldest": None} for of in kept["activities"]), key=lambda of: of["activity"])
    return kept


async def test_the_figures_are_those_of_a_process_with_the_selected_cases_alone(miner: Miner) -> None:
    strange = [event("o3", "ordered", 1704103200, amount=5), event("o3", "lost", 1704103300, amount={"of": 7})]
    await miner.publish(*ORDERS, *strange)
    for query, cases in [
        ({"with": "paid"}, {"o1", "o2"}),
        ({"with": ["paid", "sent"]}, {"o1"}),
        ({"without": "sent"}, {"o2", "o3"}),
        ({"without": "never"}, {"o1", "o2", "o3"}),
        ({"variant": ['["ordered","paid"]', '["ordered", "lost"]', '["never"]']}, {"o2", "o3"}),
        ({"since": "2024-01-01T10:00:01Z"}, {"o2"}),
        ({"until": "2024-01-01T10:01:40Z"}, {"o2", "o3"}),
        ({"until": "2024-01-01"}, {"o1", "o2", "o3"}),
        ({"attribute": "resource=Pete"}, {"o1"}),
        ({"attribute": ["amount=5.0", "case=o3"]}, {"o3"}),
        ({"attribute": "resource=Pete", "with": "paid", "until": "2024-01-02"}, {"o1"}),
    ]:
        found = await miner.figures(**query)
        assert found["whole"] == {"events": 7, "cases": 3}, query
        assert figures_of(found) == await alone(miner, [e for e in [*ORDERS, *strange] if e["case"] in cases]), query
        await miner.server.client.delete(f"/topics/process.{ALONE}", headers=miner.headers)
    assert (await miner.figures())["whole"] is None


async def test_no_case_may_be_selected(miner: Miner) -> None:
    await miner.publish(*ORDERS)
    found = await miner.figures(attribute="resource=Nobody")
    assert (found["events"], found["cases"], found["edges"], found["first"]) == (0, 0, [], None)
    assert found["whole"] == {"events": 5, "cases": 2}


async def test_the_cases_of_an_edge_and_at_an_activity_are_selected_ones(miner: Miner) -> None:
    await miner.publish(*ORDERS)
    edge = {"from": "ordered", "to": "paid"}
    for query, cases in [({}, ["o1", "o2"]), ({"with": "sent"}, ["o1"]), ({"without": "paid"}, [])]:
        found = (await miner.get(f"/{miner.name}/cases", **edge, **query)).json()
        assert [of["case"] for of in found["cases"]] == cases
        assert found["total"] == len(cases)
    assert (await miner.get(f"/{miner.name}/cases", at="paid", without="sent")).json()["total"] == 1
    assert (await miner.get(f"/{miner.name}/cases", at="paid", attribute="resource=Pete")).json()["total"] == 0


async def test_a_wrong_condition_is_refused_by_its_name(miner: Miner) -> None:
    await miner.publish(*ORDERS)
    for name, value in [
        ("since", "soon"),
        ("until", "monday"),
        ("variant", "ordered"),
        ("with", ""),
        ("without", ""),
        ("attribute", "resource"),
        ("resource", "Pete"),
    ]:
        problem(await miner.get(f"/{miner.name}", **{name: value}), 422, f"query.{name}")
    for name, value in [("since", "0000-00-00"), ("until", "9999-12-31"), ("variant", '["ordered", "paid" "sent"]')]:
        problem(await miner.get(f"/{miner.name}", **{name: value}), 400, f"`{name}`")
    for path in ("", "/cases?at=paid&"):
        url = f"/processes/{miner.name}{path or '?'}since=2024-01-01&since=2024-01-02"
        problem(await miner.server.client.get(url, headers=miner.headers), 422, "query.since", "twice")


async def test_a_filtered_map_is_computed_once_at_an_offset(miner: Miner) -> None:
    await miner.publish(*ORDERS)
    processes = Processes(miner.server.hub)
    filter = filtered.Filter(present=("paid",))
    first, second = await asyncio.gather(*(processes.figures(miner.name, top, filter) for top in (20, 1)))
    assert second.edges is first.edges
    assert len(second.top_variants) == 1
    await asyncio.sleep(0.01)
    later = await processes.figures(miner.name, 20, filter)
    ages = [of.oldest for of in later.activities if of.oldest is not None]
    assert later.edges is first.edges
    assert ages[0] - (first.activities[1].oldest or 0) == pytest.approx(later.now - first.now, abs=1e-3)
    await miner.publish(event("o3", "paid", 1))
    assert (await processes.figures(miner.name, 20, filter)).cases == 3


async def test_a_redaction_changes_a_filtered_map(miner: Miner) -> None:
    done = (await miner.publish(*ORDERS)).json()
    epoch = done["last"].partition("-")[0]
    assert (await miner.figures(attribute="resource=Pete"))["events"] == 3
    await miner.server.hub.redact(f"process.{miner.name}", f"{epoch}-3")
    assert (await miner.figures(attribute="resource=Pete"))["events"] == 0
    assert (await miner.figures(**{"with": "sent"}))["events"] == 2


async def test_few_filtered_maps_are_kept_and_few_requests_wait(miner: Miner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filtered, "KEPT", 2)
    monkeypatch.setattr(filtered, "WAITING", 2)
    await miner.publish(*ORDERS)
    processes = Processes(miner.server.hub)
    filters = [filtered.Filter(since=n) for n in range(3)]
    asked = [processes.figures(miner.name, 20, filter) for filter in filters]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(answer).__name__ for answer in answers] == ["ProcessFigures", "ProcessFigures", "TooManyRequests"]
    first = answers[0]
    assert isinstance(first, msgspec.Struct)
    await processes.figures(miner.name, 20, filters[2])
    assert (await processes.figures(miner.name, 20, filters[0])).edges is not answers[0].edges  # type: ignore[union-attr]
