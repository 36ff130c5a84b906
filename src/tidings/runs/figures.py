"""Figures of the runs of one process: their outcomes, the times until their first tokens, and their tokens."""

from __future__ import annotations

from collections import Counter

from tidings.log.timings import Timings
from tidings.wire.run_events import RunEvent, RunFailed, RunFinished

OUTCOMES = ("success", "cancelled", "interrupted", "failed")
"""The ways in which a run ends."""


class RunFigures:
    """Counts since the start of the process.

    `ended`: runs by their outcome, also those of other processes that this one has ended. `first_token`: the times from
    the call of the model to the first piece of its answer. `tokens`: pieces of text that models have written, which
    are tokens for most models.
    """

    def __init__(self) -> None:
        self.ended: Counter[str] = Counter()
        self.first_token: Timings = Timings()
        self.tokens: int = 0

    def end(self, event: RunEvent) -> None:
        """Count a run that ended with this event."""
        if isinstance(event, RunFinished):
            self.ended[event.outcome] += 1
        elif isinstance(event, RunFailed):
            self.ended["failed"] += 1
