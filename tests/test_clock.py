"""The two clocks of Tidings."""

from __future__ import annotations

import time

import pytest

from tidings.clock import steady_time, unix_time


def test_the_clock_shows_unix_seconds() -> None:
    before = time.time()
    assert before <= unix_time() <= time.time()


def test_the_clock_follows_a_test_that_sets_the_time_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """An app's hub holds this function before a test begins."""
    held = unix_time
    monkeypatch.setattr(time, "time", lambda: 12.5)
    assert held() == 12.5


def test_the_steady_clock_does_not_follow_the_time_of_day(monkeypatch: pytest.MonkeyPatch) -> None:
    before = steady_time()
    monkeypatch.setattr(time, "time", lambda: 1e12)
    assert before <= steady_time() <= time.monotonic()
