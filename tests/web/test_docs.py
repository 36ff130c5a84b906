"""The documentation as it is served, to programs and to browsers."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette

from tidings import web
from tidings.assistants.corpus import docs_folder
from tidings.web.docs import pages

KEPT = pages(docs_folder)


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
