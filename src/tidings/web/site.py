"""The files of the page, read once: what is served is in memory, compressed, and named by its content."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
}
LAZY = frozenset({"vendor/highlight.mjs", "vendor/katex.mjs", "client/worker.js"})
"""Modules that are only fetched when a page needs them, or never by a page itself."""

CACHE_FOREVER = "public, max-age=31536000, immutable"

WORKER_POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'"
"""The Content-Security-Policy of a worker that one of the files starts."""


class File(NamedTuple):
    """A file's bytes, as they are and compressed by gzip."""

    body: bytes
    zipped: bytes
    media_type: str


class Site(NamedTuple):
    """All that is served. `files` are found under `base`, which changes with any byte of them. `html` is the page of a
    server at the root of its host."""

    base: str
    files: dict[str, File]
    html: str


class Page(NamedTuple):
    """The page of a server below a path."""

    file: File
    etag: str
    policy: str
    """The Content-Security-Policy: scripts are our own files and the one inline import map, by its hash."""


def load(root: Path) -> Site:
    """Read every file below `root` that a browser may ask for. Blocks: call it before there is a loop to block."""
    files = {
        path.relative_to(root).as_posix(): _file(path.read_bytes(), path.suffix)
        for path in sorted(root.rglob("*"))
        if path.suffix in MEDIA_TYPES
    }
    template = (root / "index.html").read_text(encoding="utf-8").replace("{version}", version("tidings"))
    digest = hashlib.sha256(template.encode())
    for name, file in files.items():
        digest.update(f"\0{name}\0{len(file.body)}\0".encode() + file.body)
    base = f"/web/{digest.hexdigest()[:12]}"
    html = template.replace("{preloads}", _preloads(files)).replace("{base}", base)
    return Site(base, files, html)


def page_below(site: Site, path: str) -> Page:
    """Return the page of a server that is reached below `path`, which is percent-encoded; empty for the host's root."""
    html = site.html.replace(f'"{site.base}/', f'"{path}{site.base}/')
    file = _file(html.encode(), ".html", "text/html; charset=utf-8")
    return Page(file, f'"{path}{site.base}"', _policy(html))


def _file(body: bytes, suffix: str, media_type: str = "") -> File:
    return File(body, gzip.compress(body, 9, mtime=0), media_type or MEDIA_TYPES[suffix])


def _preloads(files: dict[str, File]) -> str:
    """A link for each module that the page needs at its start, so that a browser asks for all of them at once."""
    modules = [name for name in files if name.endswith((".js", ".mjs")) and name not in LAZY]
    return "\n    ".join(f'<link rel="modulepreload" href="{{base}}/{name}" />' for name in modules)


def _policy(html: str) -> str:
    found = re.search(r'<script type="importmap">(.*?)</script>', html, re.DOTALL)
    assert found, "index.html has an import map"
    digest = base64.b64encode(hashlib.sha256(found[1].encode()).digest()).decode()
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' 'sha256-{digest}'",
            "style-src 'self'",
            "font-src 'self'",  # those of formulas
            "img-src 'self' blob:",  # the tab's icon, and pictures to be sent: no text can name a blob of this page
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types tidings-client",
        )
    )
