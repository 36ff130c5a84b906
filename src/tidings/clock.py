"""The two clocks of Tidings: the time of day, and the time that never jumps."""

from __future__ import annotations

import time


def unix_time() -> float:
    """Unix seconds, by which everything that is kept is dated.

    `time.time` is looked up at each call and not once, so that an app's hub that was made before a test began follows
    the test's clock (`tidings.testing`).
    """
    return time.time()


def steady_time() -> float:
    """Seconds of a clock that nobody can set, the same for all processes of a machine since it was started.

    The clock stands still while the machine sleeps. A lease is measured by it, so that neither a corrected clock nor a
    closed lid makes a living process look dead.
    """
    return time.monotonic()
