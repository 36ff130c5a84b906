"""The web UI: one page and its files, bundled or as they are in this folder: a browser runs either."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from . import docs
from .site import CACHE_FOREVER, WORKER_POLICY, File, Page, load, page_below

__all__ = ["bundled", "mount"]

_site: Final = load(Path(__file__).parent)

bundled: Final = _site.bundled
"""The page is served as a bundle. Otherwise its sources are, in ten times as many requests."""


@lru_cache(maxsize=16)
def _page_below(path: str) -> Page:
    return page_below(_site, path)


def mount(app: Starlette, docs_folder: docs.Folder) -> None:
    """Serve the page at `/`, `/c/ID`, `/r/ID`, `/p`, `/p/NAME`, `/d`, `/d/ID`, `/a` and `/a/ID`, its files below
    `/web/`, each named by its content, and the documentation in `docs_folder`.

    The page is also the answer to people who open an address that leads nowhere. Programs get the app's own answer.
    """
    for path in ("/", "/c/{id}", "/r/{id}", "/p", "/p/{name}", "/d", "/d/{id}", "/a", "/a/{id}"):
        app.add_route(path, _page, include_in_schema=False)
    app.add_route("/web/{path:path}", _asset, include_in_schema=False)
    app.add_route("/service-worker.js", _service_worker, include_in_schema=False)
    app.add_route("/favicon.ico", _favicon, include_in_schema=False)
    docs.mount(app, docs_folder, _page)
    refuse: Any = app.exception_handlers.get(HTTPException)
    if refuse is None:
        return

    async def missing(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code != 404 or not docs.wants_page(request):
            return cast("Response", await refuse(request, error))
        page = _page_below(quote(request.scope.get("root_path", "")))
        found = _response(request, page.file, {**_headers(page), "cache-control": "no-store"})
        found.status_code = 404
        return found

    app.add_exception_handler(HTTPException, missing)


async def _page(request: Request) -> Response:
    """Return the page. A browser asks for it each time, so that it has a new version at once."""
    page = _page_below(quote(request.scope.get("root_path", "")))
    headers = {**_headers(page), "cache-control": "no-cache", "etag": page.etag}
    if request.headers.get("if-none-match") == headers["etag"]:
        return Response(status_code=304, headers=headers)
    return _response(request, page.file, headers)


def _headers(page: Page) -> dict[str, str]:
    return {
        "content-security-policy": page.policy,
        "cross-origin-opener-policy": "same-origin",
        "referrer-policy": "same-origin",
    }


async def _asset(request: Request) -> Response:
    file = _site.files.get(request.path_params["path"])
    if file is None:
        text = "There is no such file. The page may have been replaced by a newer one.\n"
        return Response(text, 404, media_type="text/plain")
    # The policy is for the shared worker, which has that of its own script and not its pages'.
    return _response(request, file, {"cache-control": CACHE_FOREVER, "content-security-policy": WORKER_POLICY})


async def _service_worker(request: Request) -> Response:
    """Return the script of the service worker, beside the page, since a worker is in charge of its own folder only."""
    headers = {"cache-control": "no-cache", "content-security-policy": WORKER_POLICY}
    return _response(request, _site.service_worker, headers)


async def _favicon(request: Request) -> Response:
    return _response(request, _site.icon, {"cache-control": "public, max-age=86400"})


def _response(request: Request, file: File, headers: dict[str, str]) -> Response:
    headers |= {"vary": "Accept-Encoding", "x-content-type-options": "nosniff"}
    accepted = {coding.strip() for coding in request.headers.get("accept-encoding", "").split(",")}
    for coding, packed in file.packed.items():
        if coding in accepted:
            headers["content-encoding"] = coding
            return Response(packed, headers=headers, media_type=file.media_type)
    return Response(file.body, headers=headers, media_type=file.media_type)
