"""The guard of alerts. What it does over HTTP is in test_routes.py."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tidings.access.subject import ANYONE, NO_TOPICS, PERSON, Subject, named
from tidings.apps.alerts.guard import AlertsGuard, WebhooksGuard, check_may_change
from tidings.errors import Forbidden

PROGRAM = Subject("ops", NO_TOPICS, NO_TOPICS)


def test_programs_administrators_and_everybody_on_an_open_server_may_change() -> None:
    for subject in (PROGRAM, replace(PROGRAM, limits=PERSON, admin=True), ANYONE, named("Ann")):
        check_may_change(subject)
    with pytest.raises(Forbidden, match="administrator"):
        check_may_change(replace(PROGRAM, limits=PERSON))


async def test_native_publishes_are_refused_and_webhooks_are_for_administrators() -> None:
    guard = AlertsGuard()
    for refused in (
        guard.admit(ANYONE, "alerts.r", [], transient=False),
        guard.manage(ANYONE, "alerts.r"),
        guard.announce(ANYONE, "alerts.r"),
        WebhooksGuard().read(replace(PROGRAM, limits=PERSON), "webhooks.w"),
    ):
        with pytest.raises(Forbidden):
            await refused
    await guard.read(ANYONE, "alerts.r")
    await WebhooksGuard().read(ANYONE, "webhooks.w")
