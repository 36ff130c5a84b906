"""The bundled documentation as passages that can be searched, quoted and cited. Pure, except for `read_docs`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Literal

Kind = Literal["prose", "list", "code", "table"]

LEFT_OUT = frozenset({"performance.md", "design.md", "checklist.md"})
"""Pages of figures, reasons and tests. They mention every word, and few questions are answered by a quote of them."""

_TESTS = re.compile(r"test_\w+\.py`.*?test_\w+\.py`", re.DOTALL)
"""A list of tests. It mentions every word, too, and answers nothing."""

_FENCE = re.compile(r"\s*(```+|~~~+)")
_HEADING = re.compile(r"(#{1,6})\s+(.+?)\s*#*$")
_ITEM = re.compile(r"\s*(?:[-*+]|\d+[.)])\s+")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")


@dataclass(frozen=True, slots=True)
class Passage:
    """A block of a page that can stand alone. `text` is Markdown without links, `lines` its first and last line.

    A paragraph that ends in a colon is one passage together with the list, code or table that it introduces, and `kind`
    is the kind of that block. A list of tests is no passage.
    """

    path: str
    title: str
    heading: str
    lines: tuple[int, int]
    kind: Kind
    text: str

    @property
    def section(self) -> tuple[str, str]:
        return self.path, self.heading


@dataclass(slots=True)
class _Block:
    kind: Kind | Literal["heading"]
    lines: tuple[int, int]
    text: str


def docs_folder() -> Path:
    """Return the folder of the pages: beside the code in a wheel, or at the root of a source checkout."""
    packaged = Path(str(files("tidings"))) / "docs"
    return packaged if packaged.is_dir() else Path(__file__).parents[3] / "docs"


def read_docs(folder: Path | None = None) -> list[Passage]:
    """Return every passage of every page under `folder` (default: the bundled pages), in the order of their paths.

    Reads files, so call it in a thread. An installation without pages has no passages, and the assistant says so.
    """
    folder = folder or docs_folder()
    pages = sorted(page for page in folder.rglob("*.md") if page.name not in LEFT_OUT)
    texts = ((page.relative_to(folder).as_posix(), page.read_text("utf-8")) for page in pages)
    return [passage for path, text in texts for passage in passages(path, text)]


def passages(path: str, markdown: str) -> list[Passage]:
    """Return the passages of a page. The title of a page is its first heading, or its path if it has none."""
    title = heading = ""
    found: list[Passage] = []
    waiting: _Block | None = None
    for block in _blocks(markdown.splitlines()):
        if block.kind == "heading":
            title, heading, waiting = title or block.text, block.text, None
            continue
        if waiting is not None:
            found.pop()
            block.lines = (waiting.lines[0], block.lines[1])
            block.text = f"{waiting.text}\n\n{block.text}"
        waiting = block if block.kind == "prose" and block.text.endswith(":") else None
        if block.kind == "table" and _TESTS.search(block.text):
            waiting = None
            continue
        found.append(Passage(path, title or path, heading or title or path, block.lines, block.kind, block.text))
    return found


def _blocks(lines: list[str]) -> Iterator[_Block]:
    """Iterate over headings, paragraphs, lists, tables and fenced code, in order. Comments and rules are dropped."""
    at = 0
    while at < len(lines):
        line = lines[at]
        if fence := _FENCE.match(line):
            end = _fence_end(lines, at, fence[1])
            yield _Block("code", (at + 1, end), "\n".join(lines[at:end]))
        elif heading := _HEADING.match(line):
            end = at + 1
            yield _Block("heading", (at + 1, end), plain(heading[2]))
        elif not line.strip() or line.startswith("---"):
            end = at + 1
        else:
            end = _block_end(lines, at)
            yield from _text_block(lines, at, end)
        at = end


def _fence_end(lines: list[str], at: int, fence: str) -> int:
    for end in range(at + 1, len(lines)):
        if lines[end].strip() == fence:
            return end + 1
    return len(lines)


def _block_end(lines: list[str], at: int) -> int:
    """Return the line after the block that starts at `at`.

    A blank line ends a block, but not between items of a list.
    """
    listed = _ITEM.match(lines[at]) is not None
    end = at + 1
    while end < len(lines):
        line = lines[end]
        if not line.strip():
            following = lines[end + 1] if end + 1 < len(lines) else ""
            if not (listed and (_ITEM.match(following) or following.startswith("  "))):
                break
        elif _HEADING.match(line) or (_FENCE.match(line) and not (listed and line.startswith(" "))):
            break
        end += 1
    return end


def _text_block(lines: list[str], at: int, end: int) -> Iterator[_Block]:
    first, span = lines[at], (at + 1, end)
    if first.lstrip().startswith("<"):
        return
    if first.startswith("|"):
        yield _Block("table", span, plain("\n".join(lines[at:end])))
    elif _ITEM.match(first):
        yield _Block("list", span, plain("\n".join(line for line in lines[at:end] if line.strip())))
    else:
        yield _Block("prose", span, plain(" ".join(line.lstrip("> ").strip() for line in lines[at:end])))


def plain(markdown: str) -> str:
    """Return Markdown without links, whose targets mean nothing outside the page: `[text](target)` becomes `text`."""
    return _LINK.sub(r"\1", markdown)
