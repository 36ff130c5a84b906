"""Our figures beside those of pm4py, which `pm4py_figures.py` has made of the same small logs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.apps.processes.plain import mined
from tests.apps.processes.pm4py_figures import FIGURES, SEEDS, log
from tidings.apps.processes.figures import figures

THEIRS: dict[str, dict[str, Any]] = json.loads(FIGURES.read_text("utf-8"))


@pytest.mark.parametrize("seed", SEEDS)
def test_figures_are_equal(seed: int) -> None:
    theirs, ours = THEIRS[str(seed)], figures(mined(log(seed)), "process.t", "e-1", 0.0, 1_000)
    assert (ours.events, ours.cases) == (theirs["events"], theirs["cases"])
    assert {of.activity: of.events for of in ours.activities} == theirs["activities"]
    assert (ours.start, ours.end) == (theirs["start"], theirs["end"])
    assert sorted([of.trace, of.cases] for of in ours.top_variants) == theirs["variants"]
    found = sorted([of.source, of.target, of.events, of.mean, of.median, of.min, of.max, of.sum] for of in ours.edges)
    assert len(found) == len(theirs["edges"])
    for mine, other in zip(found, theirs["edges"], strict=True):
        assert mine[:3] == other[:3]
        # pm4py adds and divides floating-point seconds. Its figures differ from exact ones by less than a microsecond.
        assert mine[3:] == pytest.approx(other[3:], abs=1e-6, rel=1e-12)
