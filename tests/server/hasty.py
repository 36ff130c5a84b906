"""The command line, with a parent of workers that waits a short time for hung and for dead ones."""

from __future__ import annotations

from tidings.cli.commands import main
from tidings.server import workers

HUNG = 6

if __name__ == "__main__":
    workers.HUNG = HUNG
    workers.FIRST_WAIT, workers.LAST_WAIT = 0.05, 0.2
    workers.MOST_FAILURES = 4
    main()
