"""The rules of the house: who may import whom, how long a file may be, what no file may name."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import tidings
from tidings import errors

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "tidings"

MAY_IMPORT = {
    # Values and pure rules.
    "clock": "",
    "errors": "",
    "events": "",
    "origins": "",
    "people": "errors",
    "log": "errors events",
    "wire": "errors events",
    # What keeps, and what wakes. These files together are the hub; `stores` itself is for open_store(URL).
    "stores": "clock errors events log",
    **dict.fromkeys(
        ["drain", "flush", "hub", "lane", "lanes", "pages", "position", "subscription", "wheel"],
        "errors events log stores stores.base wire.sse drain flush hub lane lanes pages position subscription wheel",
    ),
    "metrics": "hub",
    "runs": "errors events log hub wire",
    # Who may, and what is set.
    "keys": "errors origins",
    "guards": "auth errors log",
    "auth": "clock errors guards keys origins people",
    "oidc": "errors keys people",
    "accounts": "errors events log hub people",
    "settings": "errors origins",
    # HTTP.
    "protocols": "errors events log hub lanes position subscription drain metrics runs wire auth guards people "
    "accounts oidc",
    # What people use. Which of these an app imports of another, and what its pure parts may, is told below.
    "apps": "errors events log hub runs wire auth guards people protocols.request protocols.response",
    "web": "",
    "app": "errors events log hub runs metrics auth guards oidc people settings stores protocols apps web",
    "server": "errors hub settings app",
    # The command line, the package's front, and `python -m tidings`.
    "client": "errors events log origins wire.sse",
    "lines": "events wire.sse",
    "cli": "errors events log people settings auth client lines server app",
    "tidings": "errors events hub protocols.response wire.sse",
    "__main__": "cli",
    # For the tests of others, and ours.
    "testing": "hub stores.base wire.sse settings app",
}
"""The arrows of docs/design.md: each file or folder of the package, and what it may import of ours besides itself."""

EXCEPTIONS = {
    # `hub.runs` is the door to the runs, which are built on the hub. Imported when first asked for, or for types.
    ("hub", "runs"),
}

SHARED = {"request", "response"}
"""What the dialects in protocols/ share. They import nothing else of each other."""

PURE = {"errors", "events", "origins", "people", "log", "wire"}

IMPURE = {"asyncio", "fastapi", "httpx", "os", "socket", "sqlite3", "starlette", "subprocess", "threading", "uvicorn"}


def module_of(path: Path) -> str:
    """`protocols.events` for src/tidings/protocols/events.py; `tidings` for the package's own front."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts) or "tidings"


@cache
def sources() -> dict[str, Path]:
    return {module_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(sources()[module].read_text(encoding="utf-8"))


def imported(module: str) -> Iterator[str]:
    """Every module that `module` imports anywhere: at the top, in a function, for types. Ours without `tidings.`."""
    package = module if sources()[module].name == "__init__.py" else module.rpartition(".")[0]
    inside = [] if module == "tidings" else [part for part in package.split(".") if part]
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield name.name.removeprefix("tidings.")
        elif isinstance(node, ast.ImportFrom):
            base = (node.module or "").split(".") if node.module else []
            if node.level:
                base = ["tidings", *inside[: len(inside) - node.level + 1], *base]
            if base[0] == "tidings":
                names = [".".join([*base[1:], name.name]) for name in node.names]
                yield from (name if name in sources() or not base[1:] else ".".join(base[1:]) for name in names)
            else:
                yield base[0]


def allowed(module: str, other: str) -> bool:
    place, there = module.partition(".")[0], other.partition(".")[0]
    if (module, there) in EXCEPTIONS or other == module:
        return True
    if place == there:
        return place != "protocols" or other.removeprefix("protocols.") in {"protocols", *SHARED}
    return bool({other, there} & set(MAY_IMPORT[place].split()))


def is_pure_part(module: str) -> bool:
    """Whether a part of an app says so: a fold, its facts and rules, and what else only computes."""
    return module.startswith("apps.") and (ast.get_docstring(tree(module)) or "").startswith("PURE")


def ours(module: str) -> bool:
    return module.partition(".")[0] in MAY_IMPORT and (module in sources() or module.partition(".")[0] in sources())


@pytest.mark.parametrize("module", sources())
def test_a_module_imports_only_what_the_design_allows(module: str) -> None:
    assert module.partition(".")[0] in MAY_IMPORT, "a new part of the package: give it its place in MAY_IMPORT"
    breaches = {other for other in imported(module) if ours(other) and not allowed(module, other)}
    assert not breaches, f"{module} must not import {', '.join(sorted(breaches))}"


def test_every_fold_is_pure() -> None:
    folds = [name for name in sources() if name.endswith(".fold")]
    assert len(folds) > 1
    assert all(map(is_pure_part, folds))


@pytest.mark.parametrize("module", [name for name in sources() if name.startswith("apps.")])
def test_an_app_knows_another_by_its_service_alone(module: str) -> None:
    app = module.split(".")[1]
    others = {name for name in imported(module) if name.startswith("apps.") and name.split(".")[1] != app}
    shared = {"apps.folded"} | {name for name in others if name.endswith(".service")}
    assert others <= shared, f"{module} must not import {', '.join(sorted(others - shared))}"


@pytest.mark.parametrize("module", [name for name in sources() if is_pure_part(name)])
def test_the_pure_parts_of_an_app_only_compute(module: str) -> None:
    app = module.rpartition(".")[0]
    breaches = {
        name
        for name in imported(module)
        if ours(name) and not ({name, name.partition(".")[0]} & PURE or (is_pure_part(name) and name.startswith(app)))
    }
    assert not breaches, f"{module} must not import {', '.join(sorted(breaches))}"
    assert set(imported(module)) & IMPURE == set()
    assert not any(isinstance(node, ast.AsyncFunctionDef | ast.Await) for node in ast.walk(tree(module)))


def test_the_table_names_only_what_there_is() -> None:
    assert set(MAY_IMPORT) - {module.partition(".")[0] for module in sources()} == set()


@pytest.mark.parametrize("module", [name for name in sources() if name.partition(".")[0] in PURE])
def test_pure_modules_do_nothing_but_compute(module: str) -> None:
    assert set(imported(module)) & IMPURE == set()
    assert not any(isinstance(node, ast.AsyncFunctionDef | ast.Await) for node in ast.walk(tree(module)))


def test_this_test_sees_a_breach() -> None:
    assert "hub" in set(imported("protocols.events"))
    assert "runs" in set(imported("hub")), "the late import counts too"
    assert not allowed("log", "hub")
    assert not allowed("protocols.events", "protocols.runs")
    assert not allowed("protocols.events", "stores.sqlite")
    assert allowed("protocols.events", "protocols.response")


def test_importing_tidings_is_light() -> None:
    heavy = ["langchain_core", "langgraph", "fastapi", "pydantic", "uvicorn", "httpx", "jwt", "typer"]
    code = f"import sys, tidings; print(*sorted(set({heavy}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize("path", [*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.js")], ids=lambda path: path.name)
def test_a_file_is_a_few_hundred_lines_at_most(path: Path) -> None:
    if "vendor" not in path.parts:
        lines = path.read_text(encoding="utf-8").count("\n")
        assert lines <= 400


@pytest.mark.parametrize("module", sources())
def test_every_public_name_says_what_it_is(module: str) -> None:
    """In its own docstring, or, where a file is a list of like things, in the file's."""
    about = ast.get_docstring(tree(module)) or ""
    assert about or not tree(module).body
    kinds = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    public = [node for node in tree(module).body if isinstance(node, kinds) and not node.name.startswith("_")]
    silent = [node.name for node in public if not ast.get_docstring(node) and not re.search(rf"\b{node.name}\b", about)]
    assert silent == []


@pytest.mark.parametrize("name", tidings.__all__)
def test_what_is_exported_says_what_it_is(name: str) -> None:
    assert inspect.getdoc(getattr(tidings, name))


def test_every_error_has_a_status_and_stands_in_the_tree() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    assert len(kinds) > 10
    for kind in kinds:
        assert 400 <= kind.status < 600
        if kind is not errors.TidingsError:
            assert re.search(rf"── {kind.__name__} +{kind.status}  ", errors.__doc__ or "")


@cache
def tracked() -> dict[Path, str]:
    """The text of every file that git knows, and of those that it would add."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this is no git checkout")
    texts = {}
    for name in names:
        path = ROOT / name
        if name and path.is_file():
            raw = path.read_bytes()
            if b"\0" not in raw[:8192]:
                texts[path.relative_to(ROOT)] = raw.decode("utf-8", "replace")
    return texts


def offenders(pattern: str) -> list[str]:
    wrong = re.compile(pattern)
    return [
        f"{path}: {match[0]!r}"
        for path, text in tracked().items()
        if path.name != "test_house.py" and (match := wrong.search(text))
    ]


def test_no_file_names_the_address_of_a_registry() -> None:
    hosts = (
        r"pypi\.org|pythonhosted\.org|registry\.npmjs|registry\.yarnpkg|deb\.debian|jsdelivr|unpkg\.com|crates\.io/api"
    )
    assert offenders(rf"{hosts}|--?(extra-)?index-url|\"resolved\": *\"http") == []


def test_no_file_names_a_path_of_one_machine() -> None:
    assert offenders(r"(?<![\w.])/(work|farm|root)/") == []


@pytest.mark.parametrize("name", ["build", "serve", "dev", "docs"])
def test_every_requirement_is_pinned_by_version_and_hash(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    blocks = re.split(r"\n(?=\S)", re.sub(r"(?m)^#.*\n", "", text).strip())
    assert len(blocks) > 4
    for block in blocks:
        assert re.match(r"[\w.-]+(\[[\w,-]+\])?==\S+", block), block.splitlines()[0]
        assert "--hash=sha256:" in block, block.splitlines()[0]
