"""The bundle of the page: made of the sources by esbuild, and packed into the wheel and the archive of the sources."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder

from tidings import web
from tidings.web.site import load

ROOT = Path(__file__).parents[2]
WEB = Path(web.__file__).parent

pytestmark = pytest.mark.skipif(
    shutil.which("node") is None or not (ROOT / "node_modules" / "esbuild").is_dir(),
    reason="no Node, or no node_modules (Debian: apt-get install nodejs npm)",
)


def bundle(root: Path) -> str:
    done = subprocess.run(["node", "scripts/bundle.mjs", str(root)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the page's folder with a bundle of its own."""
    copy = tmp_path_factory.mktemp("copy") / "web"
    shutil.copytree(WEB, copy, ignore=shutil.ignore_patterns("bundle*"))
    assert not load(copy).bundled
    assert bundle(copy) == ""
    return copy


def test_the_server_takes_the_bundle(copy: Path) -> None:
    site = load(copy)
    assert site.bundled
    assert not [name for name in site.files if not re.fullmatch(r"[\w-]+-[0-9A-Za-z]{8}\.\w+", name)]
    assert {re.split("-", name)[0] for name in site.files if name.endswith((".js", ".mjs"))} == {
        "chunk",
        "alerts",
        "dagre",
        "emoji",
        "highlight",
        "katex",
        "later",
        "layout",
        "main",
        "worker",
    }
    assert "importmap" not in site.html
    assert len(re.findall(r'<link rel="stylesheet"', site.html)) == 1


def test_a_bundle_that_is_of_these_sources_is_not_made_again(copy: Path) -> None:
    made = (copy / "bundle").stat().st_ino
    bundle(copy)
    assert (copy / "bundle").stat().st_ino == made


def test_every_file_that_a_file_names_is_in_the_bundle(copy: Path) -> None:
    """The browser resolves the names, each relative to the file that holds it."""
    site = load(copy)
    named = set()
    for name, file in site.files.items():
        if name.endswith((".js", ".mjs", ".css")):
            named |= set(re.findall(rb"\./([\w-]+-[0-9A-Z]{8}\.\w+)", file.body))
    assert {name.decode() for name in named} <= set(site.files)
    kinds = {name.decode().rpartition(".")[2] for name in named}
    assert kinds == {"js", "mjs", "css", "svg", "woff2"}
    assert all(font.startswith("KaTeX_") for font in site.files if font.endswith(".woff2"))
    main = next(file for name, file in site.files.items() if name.startswith("main-"))
    licences = re.search(rb"licenses-[0-9a-f]{8}\.txt", main.body[:200])
    assert licences is not None
    assert b"KaTeX" in site.files[licences[0].decode()].body or b"katex" in site.files[licences[0].decode()].body


def test_a_change_of_one_module_leaves_the_names_of_the_others(copy: Path, tmp_path: Path) -> None:
    """A page that is open over a deploy finds what it has not loaded yet, unless just that has changed."""
    other = tmp_path / "web"
    shutil.copytree(copy, other)
    with (other / "ui" / "main.js").open("a") as main:
        main.write("console.debug(location.href);\n")
    bundle(other)
    before, after = set(load(copy).files), set(load(other).files)
    assert {name.partition("-")[0] for name in before ^ after} == {"main"}


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_a_package_holds_the_bundle_of_its_sources(tmp_path: Path, kind: str) -> None:
    builder = {"wheel": WheelBuilder, "sdist": SdistBuilder}[kind](str(ROOT))
    package = Path(next(builder.build(directory=str(tmp_path))))
    inside = tmp_path / "inside"
    if kind == "wheel":
        with zipfile.ZipFile(package) as wheel:
            wheel.extractall(inside)
        root = inside / "tidings" / "web"
    else:
        with tarfile.open(package) as archive:
            archive.extractall(inside, filter="data")
        (folder,) = inside.iterdir()
        assert (folder / "hatch_build.py").exists()
        root = folder / "src" / "tidings" / "web"
    site = load(root)
    assert site.bundled
    assert site.version == load(WEB).version
    assert "main-" in site.html
    assert (root / "client" / "index.js").exists() == (kind == "sdist"), "the page has its client in the bundle"
    assert (root / "bundle" / "made-of.json").exists() == (kind == "sdist"), "a wheel has no sources to compare"


def test_without_node_the_sources_are_served_and_the_script_says_so(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    env = {"PATH": str(tmp_path / "bin")}
    (tmp_path / "bin").mkdir()
    for name in ("dirname", "sh"):
        (tmp_path / "bin" / name).symlink_to(shutil.which(name) or name)
    done = subprocess.run([str(tmp_path / "scripts" / "bundle")], env=env, capture_output=True, text=True)
    assert done.returncode == 0
    assert "browsers load it in 140 requests: Node is not installed" in done.stderr
    code = "from tests.browser.sources import main; main()"
    help = subprocess.run([sys.executable, "-c", code, "--help"], cwd=ROOT, capture_output=True, text=True)
    assert help.returncode == 0
