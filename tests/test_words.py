"""The words of the house: docstrings and names of tests open with a noun phrase, or with a verb and its object."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ["src", "tests", "bench", "scripts", "examples"]

RIDDLE = re.compile(
    r"(Who|What|Whoever|Whatever|Whose|Whether|Where|How|When|Nothing|None|It|They|One|This|That|Those|Told|As|Of|So|"
    r"Has|Is)\b"
)
"""Openings after which a reader does not yet know what the docstring is about."""


def files() -> list[str]:
    paths = [path.relative_to(ROOT) for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
    return sorted(str(path) for path in paths if "vendor" not in path.parts)


def riddles(path: Path) -> Iterator[str]:
    """The docstrings of a file that open with a riddle, each with its line. Texts below assignments count too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            text = node.value.value.lstrip("\n ")
            if RIDDLE.match(text):
                yield f"{path}:{node.lineno}: {text.splitlines()[0][:80]}"


def riddling_tests(path: Path) -> list[str]:
    """The tests of a file whose names open with a riddle after `test_`."""
    names = [
        node.name
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    ]
    return [name for name in names if RIDDLE.match(name.removeprefix("test_").replace("_", " ").capitalize())]


@pytest.mark.parametrize("name", files())
def test_docstrings_and_tests_open_plainly(name: str) -> None:
    assert list(riddles(ROOT / name)) == []
    assert riddling_tests(ROOT / name) == []


def test_a_riddle_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "riddle.py"
    path.write_text('"""Who is asking."""\n\nA = 1\n"""A number."""\n', encoding="utf-8")
    assert [found.partition(": ")[2] for found in riddles(path)] == ["Who is asking."]
    path.write_text("def test_nothing_is_lost(): ...\n\n\ndef test_nobody_waits(): ...\n", encoding="utf-8")
    assert riddling_tests(path) == ["test_nothing_is_lost"]


if __name__ == "__main__":
    # `python -m tests.test_words src/tidings/log` lists what is to be rewritten there.
    for name in files():
        if not sys.argv[1:] or name.startswith(tuple(sys.argv[1:])):
            print(*riddles(ROOT / name), sep="\n", end="\n" if list(riddles(ROOT / name)) else "")
