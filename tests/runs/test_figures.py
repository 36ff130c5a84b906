"""The figures of runs: each end is counted once, by its outcome."""

from __future__ import annotations

from tidings.runs.figures import OUTCOMES, RunFigures
from tidings.wire.run_events import BlockDelta, RunFailed, RunFinished


def test_ends_are_counted_by_outcome_and_other_events_are_not() -> None:
    figures = RunFigures()
    figures.end(RunFinished(run="R", outcome="success", finish="stop", usage=[]))
    figures.end(RunFinished(run="R", outcome="interrupted", finish="interrupted", usage=[]))
    figures.end(RunFailed(run="R", message="m", code="c", retryable=False))
    figures.end(BlockDelta(run="R", message="m", block="b", index=0, kind="text", delta="x"))
    assert dict(figures.ended) == {"success": 1, "interrupted": 1, "failed": 1}
    assert set(figures.ended) <= set(OUTCOMES)
