"""The files of the page, read once: what is served is in memory, compressed, and named by its content.

The page is served as a bundle, which `scripts/bundle` makes of the sources in this folder, or from these sources.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Mapping
from hashlib import sha256
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
LAZY = frozenset(
    {
        "vendor/highlight.mjs",
        "vendor/katex.mjs",
        "vendor/emoji.mjs",
        "vendor/dagre.mjs",
        "vendor/uplot.mjs",
        "ui/processes/layout-worker.js",
        "client/worker.js",
    }
)
"""Modules that are only fetched when a page needs them, or never by a page itself."""

PAGE, ICON, SERVICE_WORKER = "index.html", "favicon.svg", "service-worker.js"
BUNDLE, SOURCES, COPIES = "bundle", "made-of.json", "copies.json"
"""The folder of the bundle, which has its files compressed; the file in it with the checksum of each source that the
bundle was made of; and the file with the source of each file that is a copy of one, and therefore not in the folder."""

CACHE_FOREVER = "public, max-age=31536000, immutable"

WORKER_POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'"
"""The Content-Security-Policy of a worker that one of the files starts."""


class File(NamedTuple):
    """A file's bytes, as they are and compressed. `packed` has the bytes by their coding, the smallest first."""

    body: bytes
    packed: dict[str, bytes]
    media_type: str


class Site(NamedTuple):
    """All that is served. `files` are found by their paths below `/web/`, which change with any byte of them, and so
    does `version`. `html` is the page of a server at the root of its host."""

    version: str
    files: dict[str, File]
    html: str
    icon: File
    service_worker: File
    bundled: bool


class Page(NamedTuple):
    """The page of a server below a path."""

    file: File
    etag: str
    policy: str
    """The Content-Security-Policy: scripts are our own files, and those in the page, by their hashes."""


def load(root: Path) -> Site:
    """Read every file below `root` that a browser may ask for. Blocks: call it before there is a loop to block.

    The bundle is taken if it was made of the sources as they are. A wheel has no sources of a page beside its bundle.
    """
    sources = {
        name: path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.suffix in (*MEDIA_TYPES, ".html") and not (name := path.relative_to(root).as_posix()).startswith(BUNDLE)
    }
    bundle = root / BUNDLE
    bundled = _is_bundled(root, sources)
    page = bundle / PAGE if bundled else root / PAGE
    template = page.read_text(encoding="utf-8").replace("{version}", version("tidings"))
    if bundled:
        copies = json.loads((bundle / COPIES).read_bytes())
        found = {path.stem: _packed(path) for path in bundle.glob("*.gz")}
        found |= {name: _file(sources[source], name) for name, source in copies.items()}
        files = dict(sorted(found.items()))
    else:
        files = {name: _file(body, name) for name, body in sources.items() if name not in (PAGE, SERVICE_WORKER)}
    digest = sha256(template.encode())
    for name, file in files.items():
        digest.update(f"\0{name}\0{len(file.body)}\0".encode() + file.body)
    made = digest.hexdigest()[:12]
    base = "/web" if bundled else f"/web/{made}"
    html = template.replace("{preloads}", _preloads(files)).replace("{base}", base).replace("{build}", made)
    if not bundled:
        files = {f"{made}/{name}": file for name, file in files.items()}
    icon, worker = (_file(sources.get(name, b""), name) for name in (ICON, SERVICE_WORKER))
    return Site(made, files, html, icon, worker, bundled)


def page_below(site: Site, path: str) -> Page:
    """Return the page of a server that is reached below `path`, which is percent-encoded; empty for the host's root."""
    html = site.html.replace('"/web/', f'"{path}/web/')
    file = _file(html.encode(), PAGE, "text/html; charset=utf-8")
    return Page(file, f'"{path}/{site.version}"', _policy(html))


def _is_bundled(root: Path, sources: Mapping[str, bytes]) -> bool:
    """Tell whether the folder of the bundle is there, and was made of the sources if these are there, too."""
    if not (root / "ui").exists():
        return (root / BUNDLE).is_dir()
    try:
        sums = json.loads((root / BUNDLE / SOURCES).read_bytes())
    except FileNotFoundError:
        return False
    return bool(sums == {name: sha256(body).hexdigest()[:16] for name, body in sources.items()})


def _file(body: bytes, name: str, media_type: str = "") -> File:
    packed = {"gzip": gzip.compress(body, 9, mtime=0)}
    return File(body, packed, media_type or MEDIA_TYPES[Path(name).suffix])


def _packed(path: Path) -> File:
    """Read a file of the bundle, and the same as Brotli has compressed it, which Python cannot do, if that is there."""
    brotli = path.with_suffix(".br")
    packed = {"br": brotli.read_bytes()} if brotli.exists() else {}
    packed["gzip"] = path.read_bytes()
    return File(gzip.decompress(packed["gzip"]), packed, MEDIA_TYPES[Path(path.stem).suffix])


def _preloads(files: dict[str, File]) -> str:
    """A link for each module that the page needs at its start, so that a browser asks for all of them at once."""
    modules = [name for name in files if name.endswith((".js", ".mjs")) and name not in LAZY]
    return "\n    ".join(f'<link rel="modulepreload" href="{{base}}/{name}" />' for name in modules)


def _policy(html: str) -> str:
    scripts = [
        f" 'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}'"
        for text in re.findall(r"<script(?: type=\"importmap\")?>(.*?)</script>", html, re.DOTALL)
    ]
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self'{''.join(scripts)}",
            "style-src 'self'",
            "font-src 'self'",  # those of formulas
            "img-src 'self' blob:",  # the tab's icon, and pictures to be sent: no text can name a blob of this page
            "media-src 'self'",  # films in messages
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types tidings-client tidings-page",
        )
    )
