"""The durations of an edge, against all of them in a list."""

from __future__ import annotations

import random
from array import array
from statistics import median

import pytest

from tidings.apps.processes.durations import EXACT, Durations


@pytest.mark.parametrize("seed", range(4))
def test_durations_that_come_and_go(seed: int) -> None:
    chance, durations, kept = random.Random(seed), Durations(), list[int]()
    for _ in range(12_000):
        if kept and chance.random() < 0.45:
            gone = kept.pop(chance.randrange(len(kept)))
            durations.remove(gone)
        else:
            kept.append(chance.choice((0, chance.randrange(50), int(chance.lognormvariate(10, 2)))))
            durations.add(kept[-1])
        if kept and chance.random() < 0.05:
            if durations.stale:
                durations.restore(array("q", kept))
            found = durations.summary()
            assert found[:4] == (len(kept), sum(kept), min(kept), max(kept))
            assert found.exact == (found.median == median(kept)) or len(kept) > EXACT
            assert found.exact or len(kept) > EXACT
    assert len(kept) > EXACT


def test_few_durations_that_are_left_of_many_have_an_exact_median() -> None:
    durations = Durations()
    for duration in range(1_500):
        durations.add(duration)
    assert not durations.summary().exact
    for duration in range(600):
        durations.remove(duration)
    assert durations.stale
    durations.restore(array("q", range(600, 1_500)))
    assert durations.summary() == (900, sum(range(600, 1_500)), 600, 1_499, 1_049.5, True)
