"""The page and its files as they are served, and that they are what they say they are."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from tidings import web
from tidings.assistants.corpus import docs_folder
from tidings.web.site import Site, load, page_below

ROOT = Path(web.__file__).parent
REPOSITORY = Path(__file__).parents[2]
MODULES = sorted([*ROOT.glob("ui/**/*.js"), *ROOT.glob("client/*.js")])


@pytest.fixture(scope="module", params=["bundle", "sources"])
def site(request: pytest.FixtureRequest) -> Site:
    """The page as it is served with its bundle, and without."""
    if request.param == "bundle" and not web.bundled:
        pytest.skip("no bundle of the page: scripts/bundle makes it, with Node")
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "sources":
            patch.setattr("tidings.web.site._is_bundled", lambda *_: False)
        return load(ROOT)


@pytest.fixture
async def client(site: Site, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(web, "_site", site)
    monkeypatch.setattr(web, "_page_below", lambda path: page_below(site, path))
    app = Starlette()
    web.mount(app, docs_folder)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        yield client


@pytest.mark.parametrize(
    "path", ["/", "/c/abc123", "/r/abc123", "/p", "/p/orders", "/d", "/d/abc123", "/a", "/a/abc123"]
)
async def test_the_page_is_asked_for_anew_and_names_files_that_never_change(
    client: httpx.AsyncClient, site: Site, path: str
) -> None:
    page = await client.get(path)
    assert (page.status_code, page.headers["cache-control"]) == (200, "no-cache")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    addresses = re.findall(r'(?:href|src)="([^"#]+)', page.text)
    for imports in re.findall(r'importmap">(.*?)</script>', page.text, re.DOTALL):
        addresses += json.loads(imports)["imports"].values()
    assert len(addresses) < 15 if site.bundled else len(addresses) > 40
    for address in addresses:
        file = await client.get(address)
        assert file.status_code == 200, address
        assert file.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert file.headers["x-content-type-options"] == "nosniff"
    unchanged = await client.get(path, headers={"If-None-Match": page.headers["etag"]})
    assert (unchanged.status_code, unchanged.content) == (304, b"")


async def test_the_policy_allows_our_files_and_the_scripts_in_the_page_only(
    client: httpx.AsyncClient, site: Site
) -> None:
    page = await client.get("/")
    inline = re.findall(r'<script(?: type="importmap")?>(.*?)</script>', page.text, re.DOTALL)
    assert len(inline) == (1 if site.bundled else 2)
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in inline]
    policy = dict(part.split(" ", 1) for part in page.headers["content-security-policy"].split("; "))
    assert policy["script-src"] == " ".join(["'self'", *(f"'sha256-{digest}'" for digest in digests)])
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert "unsafe" not in page.headers["content-security-policy"]
    shared = next(name for name in site.files if re.search(r"/worker\.js|^worker-\w+\.js", name))
    for address in (f"/web/{shared}", "/service-worker.js"):
        worker = await client.get(address)
        assert worker.headers["content-type"] == "text/javascript; charset=utf-8"
        assert worker.headers["content-security-policy"] == "default-src 'none'; script-src 'self'; connect-src 'self'"
    assert worker.headers["cache-control"] == "no-cache", "a browser asks for the service worker anew"
    assert not re.search(r"<style|style=|<script(?!>| type=\"(importmap|module)\")| on\w+=", page.text)


async def test_files_are_compressed_for_those_who_can_read_that(client: httpx.AsyncClient, site: Site) -> None:
    address = re.search(r'src="([^"]+main[-\w]*\.js)"', (await client.get("/")).text)[1]
    plain = await client.get(address, headers={"Accept-Encoding": "identity"})
    zipped = await client.get(address, headers={"Accept-Encoding": "deflate, gzip"})
    assert "content-encoding" not in plain.headers
    assert zipped.headers["content-encoding"] == "gzip"
    assert int(zipped.headers["content-length"]) < int(plain.headers["content-length"])
    assert zipped.content == plain.content == site.files[address.removeprefix("/web/")].body
    assert zipped.headers["vary"] == "Accept-Encoding"
    async with client.stream("GET", address, headers={"Accept-Encoding": "gzip, deflate, br, zstd"}) as smallest:
        assert smallest.headers["content-encoding"] == ("br" if site.bundled else "gzip")
        assert int(smallest.headers["content-length"]) <= int(zipped.headers["content-length"])


@pytest.mark.parametrize(
    "path",
    [
        "/web/0000/ui/main.js",
        "/web/{hash}/nothing.js",
        "/web/{hash}/__init__.py",
        "/web/{hash}/..%2Fsite.py",
        "/web/{hash}/client/package.json",
        "/web/{hash}/client/README.md",
        "/web/{hash}/client/types/index.d.ts",
        "/web/{hash}/index.html",
        "/web/index.html",
        "/web/made-of.json",
        "/web/..%2Fsite.py",
        "/web/",
    ],
)
async def test_a_file_of_another_version_is_not_found(client: httpx.AsyncClient, site: Site, path: str) -> None:
    assert (await client.get(path.replace("{hash}", site.version))).status_code == 404


def test_any_changed_byte_is_another_address(tmp_path: Path) -> None:
    copy = tmp_path / "web"
    shutil.copytree(ROOT, copy)
    before = load(copy).version
    assert before == load(ROOT).version
    with (copy / "ui" / "kit" / "tokens.css").open("a") as file:
        file.write("\n")
    changed = load(copy)
    assert changed.version != before
    file = page_below(changed, "").file
    assert changed.version.encode() in file.body
    assert gzip.decompress(file.packed["gzip"]) == file.body


def test_vendored_files_are_what_was_taken_from_their_packages() -> None:
    vendor = ROOT / "vendor"
    listed = json.loads((vendor / "vendor.json").read_text())["files"]
    locked = json.loads((REPOSITORY / "package-lock.json").read_text())["packages"]
    for file in listed:
        assert hashlib.sha256((vendor / file["file"]).read_bytes()).hexdigest() == file["sha256"], file["file"]
        assert (vendor / file["license_file"]).read_text().strip()
        package = locked[f"node_modules/{file['package']}"]
        assert (package["version"], package["integrity"]) == (file["version"], file["integrity"])
    kept = {path.relative_to(vendor).as_posix() for path in vendor.rglob("*.*") if path.parent.name != "licenses"}
    assert kept - {"vendor.json"} == {file["file"] for file in listed} - {"../icons.svg"}


def test_dependencies_are_pinned_without_the_address_of_a_registry() -> None:
    package = json.loads((REPOSITORY / "package.json").read_text())
    wanted = package["dependencies"] | package["devDependencies"]
    assert all(re.fullmatch(r"(npm:[a-z.]+@)?\d+\.\d+\.\d+(-[a-z]+\.\d+)?", version) for version in wanted.values())
    lock = json.loads((REPOSITORY / "package-lock.json").read_text())["packages"]
    packages = [package for name, package in lock.items() if name]
    assert all("resolved" not in package and package["integrity"].startswith("sha512-") for package in packages)


def test_every_icon_that_is_used_is_in_the_sprite_and_the_other_way_round() -> None:
    drawn = set(re.findall(r'<symbol id="([^"]+)"', (ROOT / "icons.svg").read_text()))
    source = "\n".join(module.read_text() for module in MODULES)
    assert {name for name in drawn if f'"{name}"' not in source} == set()
    used = set(re.findall(r'(?:icon[:=]|Icon\} name=|iconElement\()\s*"([a-z0-9-]+)"', source))
    assert used - drawn == set()


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_files_are_of_a_size_that_can_be_read(module: Path) -> None:
    assert len(module.read_text().splitlines()) <= 350


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("node") is None, reason="no Node on this machine (Debian: apt-get install nodejs)")
def test_the_client_in_javascript() -> None:
    tests = sorted(str(path) for path in Path(__file__).parent.rglob("*.test.js"))
    env = {**os.environ, "PYTHON": sys.executable}
    done = subprocess.run(
        ["node", "--test", "--test-concurrency=4", "--test-timeout=300000", *tests],
        env=env,
        capture_output=True,
        text=True,
    )
    failures = re.findall(r"^not ok.*?^  \.\.\.$", done.stdout, re.DOTALL | re.MULTILINE)
    assert done.returncode == 0, "\n".join(failures) or done.stderr
