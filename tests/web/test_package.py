"""The folder of the JavaScript client is a package as it lies: what is in it, its size, that it can be installed."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from tidings import web

REPOSITORY = Path(__file__).parents[2]
CLIENT = Path(web.__file__).parent / "client"
TOOLS = REPOSITORY / "node_modules" / ".bin"

MOST = 9 * 1024
"""Bytes of `EventSource` and `Tidings` with all they need, minified and compressed."""

TYPED = """
import { EventSource, Reset, Tidings, type Event } from "tidings-client";
const tidings = new Tidings("http://localhost", { token: () => "a token" });
const take = async (): Promise<string | null> => {
  for await (const event of tidings.subscribe("chat.lobby", { after: "0-0" })) return (event as Event).offset;
  return null;
};
tidings.subscribe("a", { onEvents: (events) => events[0].type, onReset: (reset: Reset) => reset.earliest });
new EventSource("http://localhost/events", { method: "POST", body: "{}" });
// @ts-expect-error
tidings.publish(1);
export { take };
"""

pytestmark = pytest.mark.skipif(
    shutil.which("npm") is None or not (TOOLS / "esbuild").exists(), reason="no npm, or no node_modules (make check)"
)


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(list(map(str, command)), cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def bundle(tmp_path: Path, *options: str) -> bytes:
    """A module with `EventSource` and `Tidings`. The shared worker's own module is but a part of it."""
    entry = tmp_path / "entry.js"
    parts = {"EventSource": "eventsource.js", "Tidings": "tidings.js"}
    entry.write_text("".join(f'export {{ {name} }} from "{CLIENT / file}";\n' for name, file in parts.items()))
    run(
        TOOLS / "esbuild", entry, "--bundle", "--format=esm", *options, f"--outfile={tmp_path / 'out.js'}", cwd=tmp_path
    )
    return (tmp_path / "out.js").read_bytes()


def test_the_package_is_small(tmp_path: Path) -> None:
    entry = json.loads((CLIENT / "package.json").read_text())
    lies = b"".join(path.read_bytes() for path in sorted(CLIENT.glob("*.js")) if path.name != "resumable.js")
    sizes = [len(gzip.compress(text, 9, mtime=0)) for text in (bundle(tmp_path, "--minify", "--target=es2022"), lies)]
    assert entry["sideEffects"] == ["./worker.js"], "a bundler may leave out what is not used"
    assert sizes[0] <= MOST, f"{sizes[0]} bytes minified and compressed, {sizes[1]} as it lies, compressed"
    text = (REPOSITORY / "docs" / "clients" / "javascript.md").read_text()
    stated = [int(size) for size in re.findall(r"(\d+) KB", text)]
    assert [round(size / 1024) for size in sizes] == stated, "the page states both sizes"


def test_the_package_is_packed_installed_and_imported(tmp_path: Path) -> None:
    (packed,) = json.loads(run("npm", "pack", "--json", f"--pack-destination={tmp_path}", cwd=CLIENT))
    with tarfile.open(tmp_path / packed["filename"]) as tar:
        names = {name.removeprefix("package/") for name in tar.getnames()}
    modules = {path.name for path in CLIENT.glob("*.js")}
    types = {f"types/{name.removesuffix('.js')}.d.ts" for name in modules}
    assert names == modules | types | {"package.json", "README.md", "LICENSE"}

    (tmp_path / "package.json").write_text('{"private": true, "type": "module"}')
    run("npm", "install", "--offline", "--no-audit", "--no-fund", tmp_path / packed["filename"], cwd=tmp_path)
    code = 'import("tidings-client").then((all) => console.log(Object.keys(all).join(" ")))'
    exported = run("node", "-e", code, cwd=tmp_path).split()
    assert {"Tidings", "EventSource", "resumableFetch", "Reset"} <= set(exported)
    (tmp_path / "use.ts").write_text(TYPED)
    strict = [
        "--strict",
        "--noEmit",
        "--module",
        "nodenext",
        "--target",
        "es2022",
        "--lib",
        "es2023,dom",
        "--types",
        "",
    ]
    run(TOOLS / "tsc", *strict, "use.ts", cwd=tmp_path)


def test_the_manifest_states_the_package() -> None:
    package = json.loads((CLIENT / "package.json").read_text())
    assert (package["name"], package["license"], package["type"]) == ("tidings-client", "Apache-2.0", "module")
    assert package["version"] == re.search(r'^version = "(.+)"', (REPOSITORY / "pyproject.toml").read_text(), re.M)[1]
    assert "dependencies" not in package
    assert (CLIENT / "LICENSE").read_text() == (REPOSITORY / "LICENSE").read_text()
