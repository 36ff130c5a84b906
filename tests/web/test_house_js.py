"""Rules for the page's modules and style sheets, read from their sources."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

from tidings import web

ROOT = Path(web.__file__).parent
UI = ROOT / "ui"
CLIENT = ROOT / "client"

FLOORS = {
    "log": "order of offsets",
    "text": "markdown, code, figures, names",
    "page": "address, layout, drafts, storage on this device",
    "kit": "button, menu, dialog, icon, message, composer",
    "toasts": "short notes that leave by themselves",
    "connection": "the client, and what it says of its connection",
    "session": "the person who is signed in, and the assistants",
    "outbox": "questions and messages that wait to be sent",
    "people": "presence",
    "docs": "pages of the documentation",
    "processes": "maps of processes",
    "files": "files of messages",
    "answer": "an assistant's run",
    "rooms": "list of rooms, with what is unread",
    "notifications": "bell, notification centre, desktop notifications",
    "conversation": "a conversation with an assistant, and the list of them",
    "room": "a room",
    "dashboards": "charts of series, and what fired in them",
    "alerts": "alert rules, silences and webhooks",
    "signin": "sign-in page",
    "shell": "side bar, header, banner, search, dialogs",
    "later": "what the first page does without",
    "main": "start of everything that goes on by itself",
}
"""The folders of `web/ui`, lowest first. A module imports from its own folder and from those before it in this list."""

IMPORT = re.compile(r'^(?:import|export) (?:[^"]*? from )?"([^"]+)";$|(?<![\w"{<])import\("([^"]+)"\)(?!\.\w)', re.M)
"""Static imports, and dynamic ones. An import inside a JSDoc type is followed by a name and does not count."""

AT_IMPORT = re.compile(
    r"^(effect|setInterval|setTimeout|addEventListener|[\w.]+\.addEventListener|render|on[A-Z]\w+)\(", re.M
)
"""Statements that do something when a module is imported."""


GLOBALS = re.compile(r'(?<![./"])\b(document|window|localStorage|setTimeout|Date\.now|fetch)\b(?!:)')
"""Names that a fold does without: the page, the clock and the network. The name of a member is another thing."""


@cache
def modules() -> dict[str, str]:
    """The text of every module of the page and the client, by its path below `web`."""
    files = [*UI.rglob("*.js"), *CLIENT.glob("*.js")]
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in sorted(files)}


def imports(module: str) -> list[str]:
    """Modules of ours that a module imports, as paths below `web`."""
    found = [first or second for first, second in IMPORT.findall(modules()[module])]
    return [posixpath.normpath(posixpath.join(posixpath.dirname(module), name)) for name in found if name[0] == "."]


def folder(module: str) -> str:
    return module.removeprefix("ui/").removesuffix(".js").split("/")[0]


@cache
def kind(module: str) -> str:
    """`fold`, by the file's name; `text`, by the folder; `view`, if it draws or imports a view; `state` otherwise."""
    if re.search(r"(^|[/-])fold\.js$", module):
        return "fold"
    if folder(module) == "text":
        return "text"
    drawing = re.search(r'from "(preact|preact/hooks|htm/preact)";', modules()[module])
    others = [other for other in imports(module) if other.startswith("ui/")]
    return "view" if drawing or any(kind(other) == "view" for other in others) else "state"


UI_MODULES = [name for name in modules() if name.startswith("ui/")]


def test_the_floors_name_the_folders_that_exist() -> None:
    assert {folder(module) for module in UI_MODULES} == set(FLOORS)


@pytest.mark.parametrize("module", UI_MODULES)
def test_a_module_imports_from_floors_below_its_own(module: str) -> None:
    order = list(FLOORS)
    others = [name for name in imports(module) if name.startswith("ui/") and folder(name) != folder(module)]
    assert [name for name in others if order.index(folder(name)) > order.index(folder(module))] == []


def test_no_modules_import_each_other() -> None:
    arrows = {module: imports(module) for module in modules()}
    seen: dict[str, bool] = {}

    def visit(module: str, path: list[str]) -> None:
        assert module not in path, " -> ".join([*path, module])
        if module not in seen:
            for other in arrows[module]:
                visit(other, [*path, module])
            seen[module] = True

    for module in arrows:
        visit(module, [])


@pytest.mark.parametrize("module", UI_MODULES)
def test_folds_import_folds_and_states_import_no_views(module: str) -> None:
    below = {"fold": {"fold"}, "state": {"fold", "state", "text"}, "text": {"text"}}
    others = [name for name in imports(module) if name.startswith("ui/")]
    if kind(module) in below:
        assert [name for name in others if kind(name) not in below[kind(module)]] == []
    assert kind(module) != "view" or not re.search(r"(^ui/page/|[/-]state\.js$)", module)
    if kind(module) in ("fold", "text"):
        assert "preact" not in modules()[module]
    if kind(module) == "fold":
        assert not re.search(GLOBALS, strip(modules()[module]))


def strip(text: str) -> str:
    """The text of a module without its comments."""
    return re.sub(r"/\*.*?\*/|(?<!:)//[^\n]*", "", text, flags=re.S)


@pytest.mark.parametrize("module", [name for name in UI_MODULES if name != "ui/main.js"])
def test_importing_a_module_starts_nothing(module: str) -> None:
    assert AT_IMPORT.findall(modules()[module]) == []


def test_main_starts_every_module_that_can_be_started() -> None:
    can = {name for name, text in modules().items() if re.search(r"^export function start\(", text, re.M)}
    main = modules()["ui/main.js"]
    aliases = dict(re.findall(r'^import \* as (\w+) from "\./(.+)";$', main, re.M))
    started = {
        f"ui/{aliases[name]}" for names in re.findall(r"of \[(.+)\]\) start\(\)", main) for name in names.split(", ")
    }
    assert started == can


def test_the_page_imports_the_client_by_its_public_module() -> None:
    for module in UI_MODULES:
        assert [name for name in imports(module) if name.startswith("client/") and name != "client/index.js"] == []
    for module in set(modules()) - set(UI_MODULES):
        assert not re.search(r'from "(?!\./)', modules()[module]), module


def test_a_breach_of_the_rules_is_found(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    request.addfinalizer(kind.cache_clear)
    text = 'import { html } from "../kit/html.js";\nimport "./state.js";\n'
    text += 'effect(() => {});\n/** @type {import("./x.js").X} */\n'
    monkeypatch.setitem(modules(), "ui/answer/fold.js", text)
    kind.cache_clear()
    assert imports("ui/answer/fold.js") == ["ui/kit/html.js", "ui/answer/state.js"]
    assert AT_IMPORT.findall(text) == ["effect"]
    with pytest.raises(AssertionError):
        test_folds_import_folds_and_states_import_no_views("ui/answer/fold.js")
    with pytest.raises(AssertionError):
        test_no_modules_import_each_other()


def printed() -> str:
    """The table of the page's folders in docs/design.md, highest first."""
    arrows: defaultdict[str, set[str]] = defaultdict(set)
    for module in UI_MODULES:
        others = {folder(other) for other in imports(module) if other.startswith("ui/")} - {folder(module)}
        arrows[folder(module)] |= others
    rows = [
        f"| `{name}` | {FLOORS[name]} | {', '.join(f'`{other}`' for other in FLOORS if other in arrows[name])} |"
        for name in reversed(FLOORS)
    ]
    return "\n".join(["| folder | holds | imports |", "|---|---|---|", *rows])


def test_the_design_shows_the_table_of_folders() -> None:
    design = (ROOT.parents[2] / "docs" / "design.md").read_text(encoding="utf-8")
    assert printed() in design, f"docs/design.md must hold:\n{printed()}"


OPENINGS = (
    "Who|What|Whoever|Whatever|Whose|Whether|Where|How|When|Nothing|None|It|They|One|This|That|Those|Told"
    "|As|Of|So|Has|Is"
)
"""Words that begin no comment, because the reader does not know yet what they stand for."""


@pytest.mark.parametrize("module", modules())
def test_a_comment_begins_with_a_noun_or_a_verb(module: str) -> None:
    opening = rf"/\*\*(?: |\n *\* )({OPENINGS})\b[^\n]*"
    assert [found[0] for found in re.finditer(opening, modules()[module])] == []


STYLES = sorted(path.relative_to(ROOT).as_posix() for path in UI.rglob("*.css"))
TOKENS = "\n".join(path.read_text(encoding="utf-8") for path in sorted(UI.rglob("tokens.css")))

LENGTH = r"(?<![\w.-])-?\d*\.?\d+(px|rem|em|pt)"

LITERALS = {
    "size of type": rf"^ *(font|font-size|line-height): .*{LENGTH}",
    "distance": rf"^ *(padding|margin|gap|row-gap|column-gap)[\w-]*: .*{LENGTH}",
    "radius": rf"^ *border[\w-]*-radius: .*({LENGTH}|%)",
    "layer": r"^ *z-index: .*\d",
    "colour": r"^ *[\w-]+: .*(#[0-9a-f]{3,8}\b|\b(rgb|hsl|oklch|light-dark)a?\()",
    "width of a breakpoint": r"^@media .*\b(?!720px|1200px)\d+px",
}
"""Values that are named once, in kit/tokens.css or, for one folder alone, in its tokens.css. A media query cannot use a
token, so its two widths stand here."""


@pytest.mark.parametrize("style", [name for name in STYLES if not name.endswith("/tokens.css")])
def test_a_style_sheet_takes_its_values_from_the_tokens(style: str) -> None:
    text = (ROOT / style).read_text(encoding="utf-8")
    lines = text.splitlines()
    assert [(name, line) for name, rule in LITERALS.items() for line in lines if re.search(rule, line)] == []
    named = set(re.findall(r"var\((--[\w-]+)\)", text))
    assert named - set(re.findall(r"^ *(--[\w-]+):", TOKENS, re.M)) == set()
    assert text.count("\n") <= 400


def test_every_token_is_used() -> None:
    texts = [(ROOT / name).read_text(encoding="utf-8") for name in STYLES]
    used = {name for text in texts for name in re.findall(r"var\((--[\w-]+)\)", text)}
    assert set(re.findall(r"^ *(--[\w-]+):", TOKENS, re.M)) - used == set()


def fetched() -> list[str]:
    """The style sheets of ours that a module fetches when they are needed."""
    named = re.compile(r'new URL\("([^"]+\.css)", import\.meta\.url\)')
    found = [
        posixpath.normpath(posixpath.join(posixpath.dirname(module), sheet))
        for module, text in modules().items()
        for sheet in named.findall(text)
    ]
    return [sheet for sheet in found if sheet.startswith("ui/")]


def imported(style: str) -> list[str]:
    """A style sheet of ours and all that it imports."""
    others = re.findall(r'^@import "([^"]+)";$', (ROOT / style).read_text(encoding="utf-8"), re.M)
    paths = [posixpath.normpath(posixpath.join(posixpath.dirname(style), other)) for other in others]
    return [style, *(one for path in paths if path.startswith("ui/") for one in imported(path))]


def test_the_page_links_or_fetches_every_style_sheet_in_the_order_of_the_floors() -> None:
    page = (ROOT / "index.html").read_text(encoding="utf-8")
    linked = re.findall(r'<link rel="stylesheet" href="{base}/([^"]+)" />', page)
    assert sorted([*linked, *(other for name in fetched() for other in imported(name))]) == STYLES
    order = list(FLOORS)
    folders = [order.index(folder(name)) for name in linked if folder(name) != "text"]
    assert folders == sorted(folders), "a folder may restyle what a lower one draws"


def test_the_rules_for_style_sheets_see_a_breach() -> None:
    lines = {
        "size of type": "  font: 600 13px/20px var(--font);",
        "distance": "  margin-top: -2px;",
        "radius": "  border-radius: 50%;",
        "layer": "  z-index: 7;",
        "colour": "  color: #fff;",
        "width of a breakpoint": "@media (width < 700px) {",
    }
    assert all(re.search(LITERALS[name], line, re.M) for name, line in lines.items())
    clean = (
        "  font: var(--meta);\n  margin: 0 auto calc(-1 * var(--space-2));\n  border-radius: 0 var(--radius-card);\n"
    )
    assert not any(re.search(rule, clean + "@media (width < 720px) {\n", re.M) for rule in LITERALS.values())
