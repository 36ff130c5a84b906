"""The files of the page in memory: named by their content, compressed, and allowed by one policy."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from importlib.metadata import version
from pathlib import Path

import pytest

from tidings.web.site import load, page_below

PAGE = """<!doctype html>
<title>{version}</title>
<script type="importmap">{"imports": {"a": "{base}/a.js"}}</script>
{preloads}
<script type="module" src="{base}/a.js"></script>
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "client").mkdir()
    (tmp_path / "index.html").write_text(PAGE, "utf-8")
    (tmp_path / "a.js").write_text("export const a = 1;\n" * 100, "utf-8")
    (tmp_path / "client" / "worker.js").write_text("onconnect = null;\n", "utf-8")
    (tmp_path / "style.css").write_text("body {}\n", "utf-8")
    (tmp_path / "server.py").write_text("secret = 1\n", "utf-8")
    return tmp_path


def test_only_files_that_a_browser_may_ask_for_are_served(root: Path) -> None:
    site = load(root)
    assert sorted(site.files) == ["a.js", "client/worker.js", "style.css"]
    assert site.files["a.js"].media_type == "text/javascript; charset=utf-8"
    assert site.files["style.css"].media_type == "text/css; charset=utf-8"
    assert page_below(site, "").file.media_type == "text/html; charset=utf-8"


def test_a_file_is_held_as_it_is_and_compressed(root: Path) -> None:
    file = load(root).files["a.js"]
    assert file.body == (root / "a.js").read_bytes()
    assert gzip.decompress(file.zipped) == file.body
    assert len(file.zipped) < len(file.body) / 10


def test_the_page_names_its_version_its_files_and_the_modules_to_fetch_at_once(root: Path) -> None:
    site = load(root)
    html = page_below(site, "").file.body.decode()
    assert f"<title>{version('tidings')}</title>" in html
    assert f'src="{site.base}/a.js"' in html
    assert re.findall(r'rel="modulepreload" href="([^"]+)"', html) == [f"{site.base}/a.js"]
    assert "{base}" not in html


@pytest.mark.parametrize("name", ["index.html", "a.js", "client/worker.js", "style.css"])
def test_the_base_changes_with_any_byte_of_any_file(root: Path, name: str) -> None:
    before = load(root).base
    assert load(root).base == before
    path = root / name
    path.write_bytes(path.read_bytes() + b" ")
    assert load(root).base != before


def test_the_base_changes_with_a_name(root: Path) -> None:
    before = load(root).base
    (root / "style.css").rename(root / "other.css")
    assert load(root).base != before


def test_the_policy_allows_the_import_map_by_its_hash_and_no_other_inline_script(root: Path) -> None:
    page = page_below(load(root), "")
    found = re.search(r'<script type="importmap">(.*?)</script>', page.file.body.decode(), re.DOTALL)
    assert found
    digest = base64.b64encode(hashlib.sha256(found[1].encode()).digest()).decode()
    policy = dict(part.split(" ", 1) for part in page.policy.split("; "))
    assert policy["script-src"] == f"'self' 'sha256-{digest}'"
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert "unsafe" not in page.policy


def test_a_page_below_a_path_names_files_below_it_and_allows_its_own_import_map(root: Path) -> None:
    site = load(root)
    here, below = page_below(site, ""), page_below(site, "/live/v1")
    html = below.file.body.decode()
    assert re.findall(r'"(/[^"]*)"', html) == [f"/live/v1{site.base}/a.js"] * 3
    assert below.file.body == here.file.body.replace(b'"/web/', b'"/live/v1/web/')
    assert gzip.decompress(below.file.zipped) == below.file.body
    assert here.etag != below.etag
    assert here.policy != below.policy, "the import map is another one, and so is its hash"
