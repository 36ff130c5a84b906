"""The tree of variants at its limits."""

from __future__ import annotations

import random

import pytest

from tests.apps.processes.plain import folded, mined, plain, rows
from tidings.apps.processes import variants


class TestFoldedTogether:
    def test_cases_of_variants_beyond_the_limit_keep_their_edges(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(variants, "VARIANTS", 5)
        self.assert_folded()

    def test_cases_of_prefixes_beyond_the_limit_keep_their_edges(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(variants, "NODES", 20)
        self.assert_folded()

    def assert_folded(self) -> None:
        log = rows(5, cases=30, activities=3, longest=10)
        log = [row for n, row in enumerate(log) if (row[0], row[2]) not in {(r[0], r[2]) for r in log[:n]}]
        random.Random(5).shuffle(log)
        process, right = mined(log), plain(log)
        found = folded(process)
        for figure in ("events", "cases", "activities", "edges", "start", "end"):
            assert found[figure] == right[figure], figure
        assert process.variants.folded > 0
        assert sum(found["variants"].values()) + process.variants.folded == 30
        for n in range(1, len(log) + 1):
            process.drop(n)
        assert folded(process) == plain([])
        assert process.variants.folded == 0
        assert set(process.variants.here) == set(process.variants.passing) == {0}
