"""The types of everything that can be imported are complete, as pyright checks it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PYRIGHT = ROOT / "node_modules" / ".bin" / "pyright"


@pytest.mark.slow
def test_every_exported_symbol_has_a_known_type(tmp_path: Path) -> None:
    if not PYRIGHT.exists():
        pytest.skip("pyright is not installed: `make test` installs it where there is npm")
    command = [str(PYRIGHT), "--verifytypes", "tidings", "--ignoreexternal", "--outputjson"]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(command, cwd=tmp_path, env={**os.environ, "PATH": path}, capture_output=True, text=True)
    report = json.loads(done.stdout)["typeCompleteness"]
    assert "tidings" in {module["name"] for module in report["modules"]}
    unknown = [
        f"{symbol['name']}: {problem['message'].splitlines()[0]}"
        for symbol in report["symbols"]
        if symbol["isExported"] and not (symbol["isTypeKnown"] and not symbol["isTypeAmbiguous"])
        for problem in symbol["diagnostics"]
    ]
    assert unknown == []
    assert report["completenessScore"] == 1
