"""Runs: AI generations whose events are topics that end. `hub.runs` is the way in.

`producer.py` runs the model, and `ending.py` makes the last events of a run, however it ends. `reaper.py` ends the runs
of processes that have died.
"""

from .run import Run
from .runs import Runs

__all__ = ["Run", "Runs"]
