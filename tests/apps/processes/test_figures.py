"""The figures of a map: medians, names, and what is counted together."""

from __future__ import annotations

import random

from tests.apps.processes.plain import mined
from tidings.apps.processes.figures import figures, labels


def test_a_median_of_many_durations_is_within_one_percent() -> None:
    chance = random.Random(3)
    took = sorted(int(chance.lognormvariate(12, 3)) for _ in range(20_000))
    process = mined([(f"c{n}", "AB"[k], k * time) for n, time in enumerate(took) for k in (0, 1)])
    (edge,) = figures(process, "t", "e-1", 0.0, 0).edges
    assert not edge.exact
    assert took[9_800] * 0.99 / 1e6 <= edge.median <= took[10_200] * 1.01 / 1e6
    assert (edge.events, edge.cases, edge.min, edge.max) == (20_000, 20_000, took[0] / 1e6, took[-1] / 1e6)
    assert edge.sum == sum(took) / 1e6


def test_instant_edges_have_a_median_of_zero() -> None:
    process = mined([(f"c{n}", "AB"[k], 5) for n in range(1_200) for k in (0, 1)])
    (edge,) = figures(process, "t", "e-1", 0.0, 0).edges
    assert (edge.median, edge.mean, edge.max, edge.exact) == (0.0, 0.0, 0.0, False)


def test_activities_beyond_the_limit_are_one() -> None:
    log = [(f"c{n % 50}", f"activity {n}", n) for n in range(1_300)]
    log += [("c0", "other activities", 1_301)]
    process = mined(log)
    found = figures(process, "t", "e-1", 0.0, 5)
    assert len(found.activities) == 1_001
    assert found.folded.activities == 301
    assert found.activities[-1].activity == found.folded.other == "other activities"
    assert found.activities[-1].events == 301
    assert sum(of.events for of in found.activities) == found.events == 1_301
    process = mined([("c", "other activities", 0), *log])
    assert labels(process)[-1] == "(other activities)", "no two activities of a map have one name"
