"""Break the source in a seeded sample of places, and name those that the source's own test file does not notice.

    .venv/bin/python -m scripts.mutate --count 200 --seed 1           a sample of all of SOURCES
    .venv/bin/python -m scripts.mutate 'access/*.py' --count 50       a sample of some files
    .venv/bin/python -m scripts.mutate log/rules.py:120               every change of one line

A mutant is one small change: a condition dropped or turned round, a comparison moved by one, a number changed, a
statement or a returned value left out. Each runs alone, in a copy of the last commit, against `tests/log/test_rules.py`
for `log/rules.py`, and the files `test_rules_*.py` beside it. A mutant that passes is printed: write the test that
fails for it, or see that it changes nothing.

cosmic-ray and mutmut do not fit: they have no seeded sample, run one command for all files, and drop no condition.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.test_house import PACKAGE, ROOT, mirrored, module_of

FOLDER = PACKAGE.relative_to(ROOT)

SOURCES = ["log/*.py", "delivery/*.py", "access/*.py", "apps/rooms/rules.py", "apps/rooms/fold.py"]

SWAPS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip


class Mutant(NamedTuple):
    """A change of a source: its bytes from `start` to `end` become `text`."""

    path: Path
    line: int
    start: int
    end: int
    before: str
    text: str

    def __str__(self) -> str:
        return f"{self.line}: {' '.join(self.before.split())[:100]}  →  {self.text[:100]}"


def changes(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what may stand in the place of a node."""
    match node:
        case ast.BoolOp(op, values):
            for index in range(len(values)):
                rest = values[:index] + values[index + 1 :]
                yield rest[0] if len(rest) == 1 else ast.BoolOp(op, rest)
        case ast.Compare(left, [op], right) if type(op) in SWAPS:
            yield ast.Compare(left, [SWAPS[type(op)]()], right)
        case ast.UnaryOp(ast.Not(), operand):
            yield operand
        case ast.Constant(bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(int() | float() as value):
            yield ast.Constant(value + 1)
        case ast.BinOp(left, ast.Add() | ast.Sub() as op, right):
            yield ast.BinOp(left, ast.Sub() if isinstance(op, ast.Add) else ast.Add(), right)
        case ast.Return(value) if value is not None and not isinstance(value, ast.Constant):
            yield ast.Return(ast.Constant(None))
        case ast.Expr(ast.Call(func)) if ast.unparse(func).startswith("log."):
            return  # what the process logs is tested where a person acts on it
        case ast.Expr(ast.Call() | ast.Await()) | ast.Raise() | ast.AugAssign() | ast.Delete():
            yield ast.Pass()
        case ast.Assign([ast.Attribute() | ast.Subscript()]):
            yield ast.Pass()
        case ast.If(test) | ast.IfExp(test) if not isinstance(test, ast.BoolOp | ast.Compare | ast.UnaryOp):
            yield type(node)(ast.UnaryOp(ast.Not(), test), node.body, node.orelse)


def running(node: ast.AST) -> Iterator[ast.AST]:
    """Walk the code that runs: no annotations, no defaults of types, nothing under `if TYPE_CHECKING`."""
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return
    yield node
    for name, value in ast.iter_fields(node):
        if name not in {"annotation", "returns", "decorator_list", "bases"}:
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from running(child)


def mutants(path: Path) -> Iterator[Mutant]:
    """Yield every mutant of a source, from its top to its end."""
    raw = path.read_bytes()
    starts = [0]
    for line in raw.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    for node in running(ast.parse(raw)):
        for changed in changes(node):
            old: ast.AST = node
            if isinstance(node, ast.If | ast.IfExp) and isinstance(changed, ast.If | ast.IfExp):
                old, changed = node.test, changed.test
            begin = starts[old.lineno - 1] + old.col_offset  # type: ignore[attr-defined]
            end = starts[old.end_lineno - 1] + old.end_col_offset  # type: ignore[attr-defined]
            text = ast.unparse(ast.fix_missing_locations(changed))
            if isinstance(old, ast.expr) and not isinstance(changed, ast.Constant):
                text = f"({text})"
            yield Mutant(path, old.lineno, begin, end, raw[begin:end].decode(), text)  # type: ignore[attr-defined]


def chosen(package: Path, patterns: list[str], count: int | None, seed: int) -> list[Mutant]:
    """Return the mutants of the sources, all or a sample that is the same for a seed. `PATTERN:LINE` names a line."""
    every: list[Mutant] = []
    for pattern, _, line in (each.partition(":") for each in patterns):
        for path in sorted(package.glob(pattern)):
            every += [mutant for mutant in mutants(path) if not line or mutant.line == int(line)]
    return every if count is None else sorted(random.Random(seed).sample(every, min(count, len(every))))


def own_tests(test: Path) -> list[str]:
    """Return `tests/delivery/test_hub.py` and the files that carry on from it, such as `test_hub_life.py`."""
    return [str(path.relative_to(ROOT)) for path in (test, *sorted(test.parent.glob(f"{test.stem}_*.py")))]


def passes(copy: Path, test: Path, limit: float) -> bool:
    """Run a source's own tests in the copy. A run of more than `limit` seconds has noticed the mutant, too."""
    environment = {**os.environ, "PYTHONPATH": str(copy / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    # Without the plugins that no such test uses, a run starts in one second rather than three.
    unused = ["cacheprovider", "langsmith_plugin", "playwright", "schemathesis", "xdist"]
    options = ["-x", "-q", "--hypothesis-seed=0", *(word for name in unused for word in ("-p", f"no:{name}"))]
    command = [sys.executable, "-m", "pytest", *options, *own_tests(test)]
    try:
        return not subprocess.run(command, cwd=copy, env=environment, capture_output=True, timeout=limit).returncode
    except subprocess.TimeoutExpired:
        return False


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("sources", nargs="*", default=SOURCES, help="patterns below src/tidings; `log/rules.py:120`")
    parser.add_argument("--count", type=int, help="mutants in the sample; without it, all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tests", type=Path, help="a test file other than the source's own")
    given = parser.parse_args()
    survivors, took = 0, dict[Path, float]()
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        archive = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, capture_output=True, check=True).stdout
        subprocess.run(["tar", "x"], cwd=copy, input=archive, check=True)
        sample = chosen(copy / FOLDER, given.sources, given.count, given.seed)
        for mutant in sample:
            source = mutant.path.relative_to(copy / FOLDER)
            test = given.tests.resolve() if given.tests else mirrored(module_of(PACKAGE / source))
            if test not in took:
                began = time.monotonic()
                sound = test.is_file() and passes(copy, test, 600)
                took[test] = time.monotonic() - began if sound else 0.0
            if not took[test]:
                print(f"? {source}:{mutant}  (no test file that passes: {test.relative_to(ROOT)})", flush=True)
                continue
            raw = mutant.path.read_bytes()
            mutant.path.write_bytes(raw[: mutant.start] + mutant.text.encode() + raw[mutant.end :])
            if passes(copy, test, 5 * took[test] + 20):
                survivors += 1
                print(f"SURVIVES {source}:{mutant}", flush=True)
            mutant.path.write_bytes(raw)
    print(f"{survivors} of {len(sample)} mutants survive.")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
