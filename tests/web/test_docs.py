"""The documentation as it is served, to programs and to browsers."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from tidings import web
from tidings.assistants.corpus import docs_folder
from tidings.web.docs import pages

KEPT = pages(docs_folder)
ROOT = Path(__file__).parents[2]


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = Starlette()
    web.mount(app, docs_folder)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        yield client


async def test_a_documentation_page_is_markdown_to_programs_and_the_page_to_browsers(client: httpx.AsyncClient) -> None:
    text = KEPT["how-to/rooms.md"].decode()
    for accept in ("text/markdown", "*/*"):
        page = await client.get("/docs/how-to/rooms.md", headers={"accept": accept})
        assert (page.status_code, page.text, page.headers["content-type"]) == (
            200,
            text,
            "text/markdown; charset=utf-8",
        )
        assert (page.headers["vary"], page.headers["x-content-type-options"]) == ("Accept, Accept-Encoding", "nosniff")
    page = await client.get("/docs/how-to/rooms.md", headers={"accept": "text/html,*/*"})
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert page.headers["vary"] == "Accept, Accept-Encoding"
    for path in ("nosuch.md", "../pyproject.toml", "%2e%2e/pyproject.toml", "how-to", "images/room.png", ""):
        assert (await client.get(f"/docs/{path}")).status_code == 404, path


def test_the_site_of_the_documentation_has_the_page_s_mark_and_colours() -> None:
    site = (ROOT / "mkdocs.yml").read_text("utf-8")
    assert re.findall(r"(?:logo|favicon): (.*)", site) == ["images/mark.svg", "images/mark.svg"]
    assert "extra_css: [stylesheets/tidings.css]" in site
    page, docs = Path(web.__file__).parent, ROOT / "docs"
    marks = [(page / "favicon.svg").read_text("utf-8"), (docs / "images" / "mark.svg").read_text("utf-8")]
    drawn = [re.findall(r"<(?:rect|path) .*", mark) for mark in marks]
    assert drawn[0] == drawn[1] != []
    colours = [
        set(re.findall("#[0-9a-f]{6}", style.read_text("utf-8")))
        for style in (docs / "stylesheets" / "tidings.css", page / "ui" / "kit" / "tokens.css")
    ]
    assert colours[0] <= colours[1]
    assert "#0b686e" in colours[0]
