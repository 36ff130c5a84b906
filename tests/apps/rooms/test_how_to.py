"""The how-to of rooms says what is: its commands are run as they stand there, and its tables name all there is."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from tests.serving import PATIENCE, ServerProcess
from tidings.apps.rooms import rules
from tidings.apps.rooms.facts import FACTS

PAGE = (Path(__file__).parents[3] / "docs" / "how-to" / "rooms.md").read_text(encoding="utf-8")


def test_the_commands_of_the_page_run(tmp_path: Path) -> None:
    commands = [line for block in re.findall(r"^```sh\n(.*?)^```$", PAGE, re.S | re.M) for line in block.splitlines()]
    assert len(commands) == 11
    answers = []
    (tmp_path / "plan.pdf").write_bytes(b"%PDF-1.7")
    file = ""
    with ServerProcess("memory:") as server:
        for command in commands:
            here = command.replace("http://127.0.0.1:8000", server.url).replace("curl ", "curl -sS -f ")
            here = here.replace("01J…", file)
            done = subprocess.run(here, shell=True, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE)
            assert done.returncode == 0, (command, done.stderr)
            answers.append(done.stdout)
            if "/files?name=" in command:
                file = json.loads(done.stdout)["id"]
    assert json.loads(answers[3])["room"]["by"] == "Mara Lindqvist"
    assert json.loads(answers[4]) == {"room": "direct_d623c0e53e081583e2e05e7fc7ad12df", "exists": False}
    assert (tmp_path / file).read_bytes() == b"%PDF-1.7"
    [hit] = json.loads(answers[10])["hits"]
    assert (hit["text"], hit["marks"]) == ("Hello, all", [[0, 5]])


def test_every_fact_and_limit_is_named() -> None:
    table = PAGE[PAGE.index("## What can be said") :]
    assert [name for name in FACTS if f"`{name}`" not in table] == []
    for limit in (rules.MAX_TEXT, rules.MAX_NAME, rules.MAX_ABOUT, rules.EVERYONE, rules.EVERYONE_BY_OWNER):
        assert f"{limit:,}" in table
