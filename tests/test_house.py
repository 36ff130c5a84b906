"""The rules of the house: who may import whom, how long a file may be, what no file may name."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

import tidings
from tidings import errors

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "tidings"


class Room(NamedTuple):
    """A package of the house, or a module beside the packages: what it is, and the rooms that it may import."""

    about: str
    imports: str


ROOMS = {
    "errors": Room("the errors, and the HTTP status of each", ""),
    "events": Room("the values that everybody passes on: events, offsets, pages", "errors"),
    "clock": Room("the time of day", ""),
    "slices": Room("long work that gives way to other tasks", ""),
    "log": Room("the rules of a log, what a store must do, and the one append loop", "errors events clock"),
    "wire": Room("events as bytes, one file a protocol; pure", "errors events"),
    "stores": Room("the engines that keep logs", "errors events clock log"),
    "access": Room("who sends a request, and what the sender may do", "errors events clock log"),
    "delivery": Room("the hub: it wakes readers and writes events to them", "errors events log wire stores"),
    "client": Room("the Python client", "errors events log wire access"),
    "runs": Room("AI generations as topics that end", "errors events log wire delivery"),
    "api": Room("the hub as applications have it", "delivery runs"),
    "http": Room(
        "parses a request, asks the hub, writes the answer", "errors events slices log wire access delivery runs api"
    ),
    "testing": Room("the kit for tests of streaming code", "errors events log wire delivery api"),
    "assistants": Room("the built-in assistants", "errors events wire runs"),
    "apps": Room(
        "what people use: rooms, conversations, notifications, processes, alerts",
        "errors events clock slices log wire access delivery runs api http",
    ),
    "web": Room("the page, and the JavaScript client", ""),
    "server": Room(
        "every part wired together, and the process that serves it",
        "errors events log access delivery runs api http testing assistants apps web",
    ),
    "cli": Room("the command line", "errors events log stores wire access client apps server"),
    "tidings": Room("the public names", "errors events log wire delivery client runs api http server"),
    "__main__": Room("`python -m tidings`", "cli"),
}
"""The house, from the ground up: a room imports only rooms above it in this table. docs/design.md shows the table."""

LIBRARY = {"log", "stores", "wire", "delivery", "access", "runs", "api", "http", "client", "testing"}
PRODUCT = {"assistants", "apps", "server", "web", "cli"}

PURE = {
    "errors",
    "events",
    "wire",
    "log.head",
    "log.names",
    "log.reading",
    "log.records",
    "log.retention",
    "log.rules",
    "access.names",
    "access.origins",
    "access.subject",
    "apps.file",
    "apps.scripts",
}

IMPURE = {"asyncio", "fastapi", "httpx", "os", "socket", "sqlite3", "starlette", "subprocess", "threading", "uvicorn"}


def module_of(path: Path) -> str:
    """`http.topics` for src/tidings/http/topics.py; `tidings` for the package's own front."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts) or "tidings"


def room_of(module: str) -> str:
    return module.partition(".")[0]


@cache
def sources() -> dict[str, Path]:
    return {module_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(sources()[module].read_text(encoding="utf-8"))


@cache
def imported(module: str) -> frozenset[str]:
    """Every module that `module` imports anywhere: at the top, in a function, for types. Ours without `tidings.`."""
    return frozenset(_imported(module))


def _imported(module: str) -> Iterator[str]:
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
                yield from (name if name in sources() else ".".join(base[1:]) or "tidings" for name in names)
            else:
                yield base[0]


def ours(module: str) -> bool:
    return module in sources()


@cache
def arrows() -> frozenset[tuple[str, str]]:
    """The pairs of rooms of which the first imports the second."""
    pairs = {(room_of(a), room_of(b)) for a in sources() for b in imported(a) if ours(b)}
    return frozenset((a, b) for a, b in pairs if a != b)


def floors() -> dict[str, int]:
    """The floor of each room: 1, or one more than the highest floor that the room imports from."""
    found: dict[str, int] = {}
    for room in ROOMS:
        found[room] = 1 + max((found[b] for a, b in arrows() if a == room), default=0)
    return found


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """The groups of nodes that reach each other, by Tarjan's algorithm in the standard library's topological sorter."""
    order = TopologicalSorter(graph)
    try:
        order.prepare()
    except CycleError as error:
        return [error.args[1]]
    return []


def table() -> str:
    """The table of docs/design.md. `python -m tests.test_house` prints it."""
    lines = ["| floor | room | what it is | imports |", "|---|---|---|---|"]
    for room, floor in sorted(floors().items(), key=lambda item: -item[1]):
        below = ", ".join(f"`{b}`" for b in ROOMS if (room, b) in arrows())
        lines.append(f"| {floor} | `{room}` | {ROOMS[room].about} | {below} |")
    count = f"{len(ROOMS)} rooms, {max(floors().values())} floors, {len(arrows())} arrows, no circle, no arrow up."
    return "\n".join([*lines, "", count])


@pytest.mark.parametrize("module", sources())
def test_a_module_imports_only_what_its_room_may(module: str) -> None:
    room = room_of(module)
    assert room in ROOMS, "a new room: give it its place in ROOMS"
    may = {room, *ROOMS[room].imports.split()}
    breaches = {other for other in imported(module) if ours(other) and room_of(other) not in may}
    assert not breaches, f"{module} must not import {', '.join(sorted(breaches))}"


def test_no_arrow_runs_up() -> None:
    order = list(ROOMS)
    assert set(order) == {room_of(module) for module in sources()}
    up = [
        (room, other)
        for room in ROOMS
        for other in ROOMS[room].imports.split()
        if order.index(other) >= order.index(room)
    ]
    assert up == []


def test_the_library_knows_nothing_of_the_product() -> None:
    assert [(room, other) for room in LIBRARY for other in ROOMS[room].imports.split() if other in PRODUCT] == []


def test_the_house_stays_small() -> None:
    assert max(floors().values()) <= 12
    assert len(arrows()) <= 90


def test_no_files_import_each_other_in_a_circle() -> None:
    graph = {module: {other for other in imported(module) if ours(other) and other != module} for module in sources()}
    assert circles(graph) == []


def test_the_design_shows_this_house() -> None:
    page = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    shown = page.partition("<!-- house -->\n")[2].partition("\n<!-- /house -->")[0]
    assert shown == table(), "docs/design.md shows another house: paste what `python -m tests.test_house` prints"


DOORS = {"runs", "log", "delivery", "leases"}
"""Parts of the hub that are there to be used by others."""


def is_hub(node: ast.expr) -> bool:
    """Recognize `hub`, `self.hub`, `self._hub`."""
    name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
    return name.lstrip("_") == "hub"


@pytest.mark.parametrize("module", [name for name in sources() if room_of(name) != "delivery"])
def test_modules_do_not_reach_through_the_hub(module: str) -> None:
    """`hub.runs.start` is the door to the runs; `hub.store.lease` would be a hand in the hub's pocket."""
    reached = {
        ast.unparse(node)
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Attribute)
        and is_hub(node.value.value)
        and node.value.attr not in DOORS
    }
    assert reached == set()


@pytest.mark.parametrize("module", [name for name in sources() if name != "testing.producer"])
def test_private_names_stay_in_their_room(module: str) -> None:
    """`other._name` is only for an object of the same file's classes."""
    own = {node.attr for node in ast.walk(tree(module)) if isinstance(node, ast.Attribute) and is_self(node.value)}
    own |= {node.name for node in ast.walk(tree(module)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    taken = {
        ast.unparse(node)
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Attribute)
        and re.match(r"_[a-z]", node.attr)
        and not is_self(node.value)
        and node.attr not in own | {"_replace", "_asdict", "_fields", "_scheduled", "_ready", "_exit"}
    }
    assert taken == set()


def is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in {"self", "cls"}


def is_pure_part(module: str) -> bool:
    """Recognize a pure part of an app by its docstring: a fold, its facts and rules, and others that only compute."""
    return module.startswith("apps.") and (ast.get_docstring(tree(module)) or "").startswith("PURE")


def test_every_fold_is_pure() -> None:
    folds = [name for name in sources() if name.endswith(".fold")]
    assert len(folds) > 1
    assert all(map(is_pure_part, folds))


@pytest.mark.parametrize("module", [name for name in sources() if name.startswith("apps.")])
def test_an_app_knows_another_by_its_service_alone(module: str) -> None:
    app = module.split(".")[1]
    others = {name for name in imported(module) if name.startswith("apps.") and name.split(".")[1] != app}
    shared = {"apps.derivations", "apps.file", "apps.lives", "apps.projection", "apps.scripts", "apps.snapshots"}
    shared |= {name for name in others if name.endswith(".service")}
    assert others <= shared, f"{module} must not import {', '.join(sorted(others - shared))}"


@pytest.mark.parametrize("module", [name for name in sources() if is_pure_part(name)])
def test_the_pure_parts_of_an_app_only_compute(module: str) -> None:
    app = ".".join(module.split(".")[:2])
    breaches = {
        name
        for name in imported(module)
        if ours(name) and not ({name, room_of(name)} & PURE or (is_pure_part(name) and name.startswith(app)))
    }
    assert not breaches, f"{module} must not import {', '.join(sorted(breaches))}"
    assert set(imported(module)) & IMPURE == set()
    assert not any(isinstance(node, ast.AsyncFunctionDef | ast.Await) for node in ast.walk(tree(module)))


@pytest.mark.parametrize("module", [name for name in sources() if {name, room_of(name)} & PURE])
def test_pure_modules_do_nothing_but_compute(module: str) -> None:
    assert set(imported(module)) & IMPURE == set()
    assert not any(isinstance(node, ast.AsyncFunctionDef | ast.Await) for node in ast.walk(tree(module)))


def test_a_breach_is_found() -> None:
    assert "api" in imported("http.runs")
    assert ("http", "api") in arrows()
    assert ("log", "delivery") not in arrows()
    assert circles({"a": {"b"}, "b": {"a"}}) != []
    assert is_hub(ast.parse("self._hub", mode="eval").body)


def test_importing_tidings_is_light() -> None:
    heavy = ["langchain_core", "langgraph", "fastapi", "pydantic", "uvicorn", "httpx", "jwt", "typer"]
    code = (
        "import sys; before = set(sys.modules); import tidings; "
        f"print(*sorted(set({heavy}) & (set(sys.modules) - before)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


WRITTEN = [*PACKAGE.rglob("*.py"), *(PACKAGE / "web").glob("*.js"), *(PACKAGE / "web" / "ui").rglob("*.js")]
WRITTEN += (PACKAGE / "web" / "client").glob("*.js")


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.name)
def test_a_file_is_a_few_hundred_lines_at_most(path: Path) -> None:
    assert path.read_text(encoding="utf-8").count("\n") <= 400


def mirrored(module: str) -> Path:
    """Return `tests/http/test_topics.py` for `http.topics`."""
    *rooms, name = module.split(".")
    return ROOT.joinpath("tests", *rooms, f"test_{name}.py")


def test_every_source_has_its_test_file() -> None:
    expected = {name for name, path in sources().items() if path.stem not in {"__init__", "__main__"}}
    assert sorted(name for name in expected if not mirrored(name).is_file()) == [], "give each its test file"


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
def test_every_export_has_a_docstring(name: str) -> None:
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


if __name__ == "__main__":
    print(table())
