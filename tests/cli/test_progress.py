"""The bar of what takes long."""

from __future__ import annotations

import io
import sys

import pytest

from tidings.cli.progress import progress_bar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_a_bar_and_clears_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with progress_bar("storing") as show:
        for part in (0.0, 0.001, 0.5, 1.0):
            show(part)
    lines = terminal.getvalue().split("\r")
    assert lines[2] == "storing  [###############               ]  50%"
    assert len(lines) == 6, "a percentage is drawn once"
    assert lines[-2].strip() == ""


def test_a_file_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", file := io.StringIO())
    with progress_bar() as show:
        show(0.5)
    assert file.getvalue() == ""
