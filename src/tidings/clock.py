"""The time in Unix seconds, as everything that is kept is measured by it."""

from __future__ import annotations

import time


def unix_time() -> float:
    """Unix seconds. `time.time` is looked up at each call, not once: so what was made before a test began, such as an
    app's hub, follows the test's clock (`tidings.testing`)."""
    return time.time()
