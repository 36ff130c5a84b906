"""States as text, and back."""

from __future__ import annotations

import random

import pytest

from tests.apps.processes.plain import folded, mined, rows
from tidings.apps.processes.facts import ImportPart
from tidings.apps.processes.snapshot import freeze, thaw


@pytest.mark.parametrize("seed", range(3))
def test_a_state_goes_on_from_its_snapshot(seed: int) -> None:
    log = rows(seed, cases=60, activities=3, longest=60)
    random.Random(seed).shuffle(log)
    half = len(log) // 2
    process = mined(log[:half])
    process.follow(ImportPart("0" * 64, 0, 7, True, 2, "o"))
    process = thaw(freeze(process)())
    process.take(log[half:], half + 1)
    assert folded(process) == folded(mined(log))
    assert process.imports["0" * 64] == (7, True, 2, "o")


@pytest.mark.parametrize("text", ["", "bm90IGEgc3RhdGU=", "eJxLBAAAYgBi", "\u00e9"])
def test_a_text_that_is_no_state_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        thaw(text)
