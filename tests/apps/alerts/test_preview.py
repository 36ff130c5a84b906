"""Previews. Their route is in test_routes.py."""

from __future__ import annotations

import pytest

from tidings import Hub
from tidings.apps.alerts import preview as module
from tidings.apps.alerts.preview import preview
from tidings.apps.alerts.rule import parse


async def test_a_preview_is_bounded_and_says_so(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BACK", 40)
    monkeypatch.setattr(module, "LISTED", 10)
    monkeypatch.setattr(module.past, "__defaults__", (40,))
    for value in [0, 5] * 50:
        await hub.publish("t", value)
    found = await preview(hub, parse({"topic": "t", "above": 1, "paused": True}))
    assert found.complete is False
    assert (len(found.transitions), len(found.notices)) == (10, 10)
    assert found.fired == 20
