"""The documentation at the addresses that the sources of answers name."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

Answer = Callable[[Request], Awaitable[Response]]
Folder = Callable[[], Path]


def mount(app: Starlette, folder: Folder, page: Answer) -> None:
    """Serve each page in the folder at `/docs/PATH.md`: as Markdown, and to browsers that open it the web UI, which
    draws the Markdown.

    The pages are no secret, so nobody needs to sign in.
    """

    async def doc(request: Request) -> Response:
        found = (await asyncio.to_thread(pages, folder)).get(request.path_params["path"])
        if found is None:
            raise HTTPException(404, f"There is nothing at {request.url.path}.")
        if wants_page(request):
            answer = await page(request)
        else:
            headers = {"cache-control": "no-cache", "x-content-type-options": "nosniff"}
            answer = Response(found, headers=headers, media_type="text/markdown")
        answer.headers["vary"] = "Accept, Accept-Encoding"
        return answer

    app.add_route("/docs/{path:path}", doc, include_in_schema=False)


@cache
def pages(folder: Folder) -> dict[str, bytes]:
    """Read all pages in the folder, which are 0.3 MB, once. Blocks."""
    root = folder()
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*.md")}


def wants_page(request: Request) -> bool:
    """Tell whether a browser sends the request for its window, and not a program or a script for its data."""
    return request.method == "GET" and "text/html" in request.headers.get("accept", "")
