"""Runs: AI generations whose events are topics that end. `hub.runs` is the way in."""

from tidings.runs.run import Run, RunState
from tidings.runs.runs import Runs

__all__ = ["Run", "RunState", "Runs"]
