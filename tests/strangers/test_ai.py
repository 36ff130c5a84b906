"""Vercel's AI SDK, unmodified, reads every kind of answer: it checks each line of data against its own schema."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

from tests.mounted.foreign import ForeignServer
from tests.strangers.ai_cases import CASES, ERRORS, PARTS

HERE = Path(__file__).parent
PATIENCE = 240.0
"""Seconds after which the SDK counts as hung. Never a measure of speed."""

pytestmark = pytest.mark.skipif(
    shutil.which("node") is None or not (HERE.parents[1] / "node_modules" / "ai").is_dir(),
    reason="no Node.js, or no node_modules (scripts/node-modules)",
)


@pytest.fixture(scope="module", params=["published", "translated"])
def answers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The answers that the SDK has read, by case; one process of Node reads them all."""
    way = request.param
    folder = tmp_path_factory.mktemp("ai")
    path = os.pathsep.join([str(HERE.parents[1]), str(HERE)])
    with (
        ForeignServer("uvicorn", "ai_app:app", f"sqlite:///{folder}/ai.db", env={"PYTHONPATH": path}) as server,
        (folder / "complaints").open("w") as complaints,
        subprocess.Popen(
            ["node", str(HERE / "ai_client.mjs"), server.url, way],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
            bufsize=1,
        ) as client,
    ):
        assert client.stdin is not None
        assert client.stdout is not None
        alarm = Timer(PATIENCE, client.kill)
        alarm.start()
        found: dict[str, Any] = {"way": way}
        try:
            for line in client.stdout:
                if (said := json.loads(line)) == "kill":
                    server.kill()
                    server.start()
                    client.stdin.write("\n")
                else:
                    found[said["name"]] = said
        finally:
            alarm.cancel()
            client.kill()
        found["complaints"] = (folder / "complaints").read_text() + "".join(server.output)
        yield found


@pytest.mark.parametrize("case", CASES)
def test_the_sdk_reads_the_answer(answers: dict[str, Any], case: str) -> None:
    assert case in answers, answers["complaints"]
    read = answers[case]
    if case == "two-topics":
        read["parts"].sort(reverse=True)  # the order of two topics is not defined
    if case == "redacted" and answers["way"] == "translated":
        # A run writes the pieces that come together as one event, which is gone as a whole.
        assert "secret" not in str(read["parts"])
    else:
        assert read["parts"] == PARTS[case]
    assert read["error"] == ERRORS[answers["way"]].get(case, "")
