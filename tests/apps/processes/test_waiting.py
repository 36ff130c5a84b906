"""The case that has been at an activity for longest."""

from __future__ import annotations

import random

from tests.apps.processes.plain import folded, plain
from tidings.apps.processes.fold import Process


def test_the_case_that_waits_for_longest_is_found_while_cases_come_and_go() -> None:
    chance, process, log = random.Random(9), Process(), []
    for n in range(3_000):
        row = (f"c{chance.randrange(40)}", "ABC"[chance.randrange(3)], n * 10)
        log.append(row)
        process.take([row], n + 1)
        if n % 250 == 0:
            assert folded(process)["activities"] == plain(log)["activities"]
    assert process.waiting is not None
    assert sum(len(heap) for heap in process.waiting._heaps.values()) < 400
