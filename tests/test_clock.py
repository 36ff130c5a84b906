"""The time of day, by which everything that is kept is measured."""

from __future__ import annotations

import time

import pytest

from tidings.clock import unix_time


def test_the_clock_shows_unix_seconds() -> None:
    before = time.time()
    assert before <= unix_time() <= time.time()


def test_the_clock_follows_a_test_that_sets_the_time_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """An app's hub holds this function before a test begins."""
    held = unix_time
    monkeypatch.setattr(time, "time", lambda: 12.5)
    assert held() == 12.5
