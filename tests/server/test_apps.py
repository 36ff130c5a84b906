"""The wiring of the apps: every topic that an app keeps has its guard."""

from __future__ import annotations

import pytest

from tidings.access.guards import Sealed
from tidings.apps.alerts.guard import AlertsGuard, RulesGuard, WebhooksGuard
from tidings.apps.alerts.sender import SECRETS
from tidings.apps.alerts.service import CALLS, SILENCES
from tidings.apps.dashboards.guard import DashboardsGuard
from tidings.apps.files.files import FILES
from tidings.apps.processes.guard import ProcessesGuard
from tidings.apps.rooms.guard import RoomsGuard
from tidings.apps.snapshots import SNAPSHOTS
from tidings.server.app import App, create_app
from tidings.server.settings import Settings


@pytest.fixture(scope="module")
def app() -> App:
    return create_app(Settings(store="memory:"))


@pytest.mark.parametrize(
    ("topic", "guard"),
    [
        ("rooms.a", RoomsGuard),
        ("process.a", ProcessesGuard),
        ("dashboards.a", DashboardsGuard),
        ("alerts.a", RulesGuard),
        (SILENCES, AlertsGuard),
        ("webhooks.a", WebhooksGuard),
    ],
)
def test_an_app_guards_its_topics(app: App, topic: str, guard: type) -> None:
    assert type(app.access.guards.of(topic)) is guard


@pytest.mark.parametrize("topic", [f"{SECRETS}.a", CALLS, f"{SNAPSHOTS}.a", f"{FILES}.a", "sessions", "sessions.a"])
def test_topics_of_the_server_itself_are_sealed(app: App, topic: str) -> None:
    assert type(app.access.guards.of(topic)) is Sealed
