"""The output of a command: what is taken, and what is refused with its reason."""

from __future__ import annotations

import subprocess
import time

import pytest

from tidings.cli.json_lines import Failure
from tidings.cli.output import output_of


@pytest.mark.parametrize(
    ("script", "text"),
    [("echo 5", "5"), ("printf 'a\\n\\nb\\n'", "a\n\nb"), ("printf '7\\r\\n'", "7"), ("cat; echo 1", "1")],
)
def test_the_output_has_no_last_line_end(script: str, text: str) -> None:
    assert output_of(["sh", "-c", script], 10.0) == text


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("exit 3", "sh ended with exit code 3"),
        ("echo 1; exit 1", "exit code 1"),
        ("kill -9 $$", "signal 9"),
        ("true", "wrote nothing"),
        ("printf '\\377'", "something else than UTF-8, in byte 0"),
        ("yes", "wrote more than 1,048,576 bytes"),
    ],
)
def test_output_that_is_no_figure_is_refused(script: str, reason: str) -> None:
    with pytest.raises(Failure, match=reason):
        output_of(["sh", "-c", script], 10.0)


@pytest.mark.parametrize("script", ["exec sleep 60", "sleep 3; true", "sleep 3 & echo 1", "exec >&-; exec sleep 60"])
def test_a_command_that_does_not_end_is_stopped(script: str) -> None:
    began = time.monotonic()
    with pytest.raises(Failure, match=r"did not end within 0\.2 seconds"):
        output_of(["sh", "-c", script], 0.2)
    assert time.monotonic() - began < 3


def test_no_process_is_left() -> None:
    with pytest.raises(Failure):
        output_of(["sh", "-c", "exec sleep 61.5"], 0.1)
    assert "sleep 61.5" not in subprocess.run(["ps", "ax"], capture_output=True, text=True, check=True).stdout
