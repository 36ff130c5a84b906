"""`tidings alerts replay`, as its user meets it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.cli.command import TIDINGS, environment

LINES = [{"topic": "t", "above": 60}, {"t": 0, "data": 10}, {"t": 5, "data": 61}, {"t": 9, "data": 20}, {"t": 12}]


def replayed(*arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    command = [*TIDINGS, "alerts", "replay", *arguments]
    return subprocess.run(command, input=text, capture_output=True, text=True, env=environment(), timeout=60)


def test_a_rule_is_replayed_from_a_file_and_from_standard_input(tmp_path: Path) -> None:
    file = tmp_path / "hot.jsonl"
    file.write_text("\n".join(map(json.dumps, LINES)))
    for done in (replayed(str(file)), replayed("-", text=file.read_text())):
        assert (done.returncode, done.stderr) == (0, "")
        made = [json.loads(line) for line in done.stdout.splitlines()]
        assert [(one["type"], one["at"], one.get("state") or one["kind"]) for one in made] == [
            ("alert.changed", 5.0, "firing"),
            ("alert.notice", 5.0, "fired"),
            ("alert.changed", 9.0, "normal"),
            ("alert.notice", 9.0, "resolved"),
        ]


def test_a_wrong_file_is_a_sentence(tmp_path: Path) -> None:
    for done in (replayed("-", text="{}"), replayed(str(tmp_path / "none")), replayed(str(tmp_path))):
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("tidings: ")
        assert "Traceback" not in done.stderr
