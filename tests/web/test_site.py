"""The files of the page in memory: bundled or not, named by their content, compressed, and allowed by one policy."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import shutil
from importlib.metadata import version
from pathlib import Path

import pytest

from tidings.web.site import Site, load, page_below

PAGE = """<!doctype html>
<title>{version}</title>
<meta name="build" content="{build}" />
<script>document.title += "!";</script>
<script type="importmap">{"imports": {"a": "{base}/a.js"}}</script>
{preloads}
<script type="module" src="{base}/a.js"></script>
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "client").mkdir()
    (tmp_path / "ui").mkdir()
    (tmp_path / "index.html").write_text(PAGE, "utf-8")
    (tmp_path / "a.js").write_text("export const a = 1;\n" * 100, "utf-8")
    (tmp_path / "client" / "worker.js").write_text("onconnect = null;\n", "utf-8")
    (tmp_path / "style.css").write_text("body {}\n", "utf-8")
    (tmp_path / "service-worker.js").write_text("onfetch = null;\n", "utf-8")
    (tmp_path / "server.py").write_text("secret = 1\n", "utf-8")
    return tmp_path


def bundle(root: Path) -> None:
    """Write a bundle as scripts/bundle.mjs does, of the sources as they are."""
    (root / "font.woff2").write_bytes(b"font")
    sources = {path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.suffix not in ("", ".py")}
    sums = {name: hashlib.sha256(path.read_bytes()).hexdigest()[:16] for name, path in sources.items()}
    folder = root / "bundle"
    folder.mkdir()
    (folder / "made-of.json").write_text(json.dumps(sums), "utf-8")
    (folder / "copies.json").write_text(json.dumps({"font-1.woff2": "font.woff2"}), "utf-8")
    (folder / "main-1.js.gz").write_bytes(gzip.compress(b"export {};\n" * 100))
    (folder / "main-1.js.br").write_bytes(b"by brotli")
    page = '<meta name="build" content="{build}" />{version}{preloads}'
    page += '<script type="module" src="{base}/main-1.js"></script>'
    (folder / "index.html").write_text(page, "utf-8")


def names(site: Site) -> list[str]:
    """Return the names of the files without the folder that changes with their content."""
    return [name.removeprefix(f"{site.version}/") for name in site.files]


def test_only_files_that_a_browser_may_ask_for_are_served(root: Path) -> None:
    site = load(root)
    assert sorted(names(site)) == ["a.js", "client/worker.js", "style.css"]
    assert site.files[f"{site.version}/a.js"].media_type == "text/javascript; charset=utf-8"
    assert site.files[f"{site.version}/style.css"].media_type == "text/css; charset=utf-8"
    assert site.service_worker.body == b"onfetch = null;\n"
    assert not site.bundled
    assert page_below(site, "").file.media_type == "text/html; charset=utf-8"


def test_a_file_is_held_as_it_is_and_compressed(root: Path) -> None:
    site = load(root)
    file = site.files[f"{site.version}/a.js"]
    assert file.body == (root / "a.js").read_bytes()
    assert gzip.decompress(file.packed["gzip"]) == file.body
    assert len(file.packed["gzip"]) < len(file.body) / 10


def test_a_bundle_of_the_sources_as_they_are_is_served_in_their_place(root: Path) -> None:
    bundle(root)
    site = load(root)
    assert site.bundled
    assert list(site.files) == ["font-1.woff2", "main-1.js"]
    copy, file = site.files.values()
    assert copy.body == (root / "font.woff2").read_bytes(), "a copy of a source is not in the folder"
    assert file.body == b"export {};\n" * 100
    assert list(file.packed) == ["br", "gzip"], "the smallest first"
    assert file.packed["br"] == b"by brotli"
    assert gzip.decompress(file.packed["gzip"]) == file.body
    assert 'src="/web/main-1.js"' in site.html
    assert f'content="{site.version}"' in site.html
    assert "{" not in site.html
    assert site.service_worker.body == b"onfetch = null;\n"
    assert page_below(site, "/live").file.body == site.html.replace('"/web/', '"/live/web/').encode()
    assert "script-src 'self';" in page_below(site, "").policy


@pytest.mark.parametrize("change", ["changed", "added", "removed"])
def test_sources_that_are_not_those_of_the_bundle_are_served_themselves(root: Path, change: str) -> None:
    bundle(root)
    if change == "changed":
        (root / "a.js").write_text("export const a = 2;\n", "utf-8")
    elif change == "added":
        (root / "b.js").write_text("export const b = 1;\n", "utf-8")
    else:
        (root / "style.css").unlink()
    assert not load(root).bundled


def test_a_file_without_a_copy_by_brotli_is_served_by_gzip(root: Path) -> None:
    bundle(root)
    assert list(load(root).files["main-1.js"].packed) == ["br", "gzip"]
    (root / "bundle" / "main-1.js.br").unlink()
    assert list(load(root).files["main-1.js"].packed) == ["gzip"]


def test_a_wheel_leaves_out_what_its_bundle_is_made_of(root: Path) -> None:
    for name in ("ui/main.js", "vendor/preact.mjs", "vendor/katex.css", "vendor/licenses/katex.txt", "icons.svg"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("export {};\n", "utf-8")
    bundle(root)
    shutil.rmtree(root / "vendor")
    shutil.rmtree(root / "client")
    (root / "icons.svg").unlink()
    assert not load(root).bundled, "this is no wheel"
    shutil.rmtree(root / "ui")
    for name in ("index.html", "bundle/made-of.json"):
        (root / name).unlink()
    assert load(root).bundled


def test_the_page_names_its_version_its_files_and_the_modules_to_fetch_at_once(root: Path) -> None:
    site = load(root)
    html = page_below(site, "").file.body.decode()
    assert f"<title>{version('tidings')}</title>" in html
    assert f'src="/web/{site.version}/a.js"' in html
    assert f'name="build" content="{site.version}"' in html
    assert re.findall(r'rel="modulepreload" href="([^"]+)"', html) == [f"/web/{site.version}/a.js"]
    assert "{base}" not in html


@pytest.mark.parametrize("name", ["index.html", "a.js", "client/worker.js", "style.css"])
def test_the_version_changes_with_any_byte_of_any_file(root: Path, name: str) -> None:
    before = load(root).version
    assert load(root).version == before
    path = root / name
    path.write_bytes(path.read_bytes() + b" ")
    assert load(root).version != before


def test_the_version_changes_with_a_name(root: Path) -> None:
    before = load(root).version
    (root / "style.css").rename(root / "other.css")
    assert load(root).version != before


def test_the_policy_allows_the_scripts_in_the_page_by_their_hashes_and_no_other_inline_script(root: Path) -> None:
    page = page_below(load(root), "")
    html = page.file.body.decode()
    found = re.findall(r'<script>(.*?)</script>|<script type="importmap">(.*?)</script>', html, re.DOTALL)
    assert len(found) == 2
    digests = [base64.b64encode(hashlib.sha256((a + b).encode()).digest()).decode() for a, b in found]
    policy = dict(part.split(" ", 1) for part in page.policy.split("; "))
    assert policy["script-src"] == "'self' " + " ".join(f"'sha256-{digest}'" for digest in digests)
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert "unsafe" not in page.policy


def test_a_page_below_a_path_names_files_below_it_and_allows_its_own_import_map(root: Path) -> None:
    site = load(root)
    here, below = page_below(site, ""), page_below(site, "/live/v1")
    html = below.file.body.decode()
    assert re.findall(r'"(/[^"]*)"', html) == [f"/live/v1/web/{site.version}/a.js"] * 3
    assert below.file.body == here.file.body.replace(b'"/web/', b'"/live/v1/web/')
    assert gzip.decompress(below.file.packed["gzip"]) == below.file.body
    assert here.etag != below.etag
    assert here.policy != below.policy, "the import map is another one, and so is its hash"
