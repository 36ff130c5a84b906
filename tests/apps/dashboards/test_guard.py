"""The guard of dashboards."""

from __future__ import annotations

import pytest

from tidings.access.subject import ANYONE, named
from tidings.apps.dashboards.guard import DashboardsGuard
from tidings.errors import Forbidden


async def test_without_a_key_everybody_changes_dashboards_and_nobody_publishes_to_them() -> None:
    guard = DashboardsGuard()
    for subject in (ANYONE, named("Ann")):
        await guard.read(subject, "dashboards.a")
        await guard.manage(subject, "dashboards.a")
        with pytest.raises(Forbidden):
            await guard.admit(subject, "dashboards.a", [("m", "x")], transient=False)
        with pytest.raises(Forbidden):
            await guard.announce(subject, "dashboards.a")
