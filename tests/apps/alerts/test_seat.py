"""Offsets that were judged before. What the judge does with seats is in test_judge.py."""

from __future__ import annotations

from tidings.apps.alerts.seat import reached
from tidings.events import Offset


def test_an_offset_is_reached_in_its_own_life_of_the_log() -> None:
    assert not reached(None, Offset("E", 1))
    assert reached(Offset("E", 2), Offset("E", 2))
    assert not reached(Offset("E", 2), Offset("E", 3))
    assert not reached(Offset("E", 2), Offset("F", 1))
