"""Runs: AI generations whose events are topics that end. `hub.runs` is the way in."""

from .run import Run
from .runs import Runs

__all__ = ["Run", "Runs"]
