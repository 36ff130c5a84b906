"""The oldest browsers that the page runs in: the linter refuses newer features, and the documentation names them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(
    shutil.which("node") is None or not (ROOT / "node_modules" / "eslint").is_dir(),
    reason="no Node, or no node_modules (Debian: apt-get install nodejs npm)",
)


def node(*command: str, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(["node", *command], cwd=ROOT, input=text, capture_output=True, text=True)


def test_the_documentation_names_the_browsers_of_the_linter_s_year() -> None:
    year = re.findall(r"^const YEAR = (\d{4});$", (ROOT / "tests/web/eslint.config.js").read_text("utf-8"), re.M)
    script = f"import list from 'browserslist'; console.log(JSON.stringify(list('baseline {year[0]}')))"
    oldest: dict[str, float] = {}
    for browser in json.loads(node("--input-type=module", "--eval", script).stdout):
        name, version = browser.split()
        oldest[name] = min(float(version.split("-")[0]), oldest.get(name, 1e9))
    page = (ROOT / "docs" / "questions.md").read_text("utf-8")
    answer = page.partition("## Which browsers work with Tidings?\n")[2].partition("\n## ")[0]
    first = answer.partition("or newer")[0]
    assert {name.lower(): float(version) for name, version in re.findall(r"(\w+) ([\d.]+\d),", first)} == {
        name: oldest[name] for name in ("chrome", "edge", "firefox", "safari")
    }
    assert f"Baseline {year[0]}" in answer


def lint(name: str, text: str) -> subprocess.CompletedProcess[str]:
    """Lint a text as if it were a file of the page."""
    command = ["node_modules/.bin/eslint", "--config", "tests/web/eslint.config.js", "--stdin"]
    return node(*command, "--stdin-filename", f"src/tidings/web/ui/{name}", text=text)


@pytest.mark.parametrize(
    ("name", "text", "feature"),
    [
        ("a.css", ".a { color: light-dark(#000, #fff); }", "light-dark"),
        ("a.css", ".a { anchor-name: --a; }", "anchor-name"),
        ("a.css", "@starting-style { .a { opacity: 0; } }", "starting-style"),
        ("a.js", "Promise.withResolvers();", "Promise.withResolvers"),
        ("a.js", "AbortSignal.any([]);", "AbortSignal.any"),
        ("a.js", "new URLPattern();", "URLPattern"),
    ],
)
def test_the_linter_refuses_features_of_later_years(name: str, text: str, feature: str) -> None:
    done = lint(name, text)
    assert done.returncode == 1, done.stderr
    assert feature in done.stdout


def test_the_linter_allows_what_a_supports_rule_guards() -> None:
    text = "@supports (color: light-dark(#000, #fff)) {\n  .a {\n    color: light-dark(#000, #fff);\n  }\n}\n"
    assert lint("a.css", text).returncode == 0
