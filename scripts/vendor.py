"""Copy the web UI's libraries and icons out of node_modules into src/tidings/web, and record what they are.

    scripts/node-modules && python scripts/vendor.py

Versions are those of package.json, integrities those of package-lock.json, so what is copied is what npm verified.
Files are copied byte for byte; `vendor.json` names each with its package, version, npm integrity, sha256 and licence.
The icons are one sprite, in which every symbol takes its stroke width and colour from where it is used.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ROOT / "node_modules"
WEB = ROOT / "src" / "tidings" / "web"
VENDOR = WEB / "vendor"

FILES = {
    "preact.mjs": ("preact", "dist/preact.mjs"),
    "preact-hooks.mjs": ("preact", "hooks/dist/hooks.mjs"),
    "signals-core.mjs": ("@preact/signals-core", "dist/signals-core.mjs"),
    "signals.mjs": ("@preact/signals", "dist/signals.mjs"),
    "htm.mjs": ("htm", "dist/htm.mjs"),
    "htm-preact.mjs": ("htm", "preact/index.mjs"),
    "markdown-it.mjs": ("markdown-it", "dist/browser/markdown-it.esm.min.mjs"),
    "highlight.mjs": ("@highlightjs/cdn-assets", "es/highlight.min.js"),
    "katex.mjs": ("katex", "dist/katex.min.js"),
    "katex.css": ("katex", "dist/katex.min.css"),
    "emoji.mjs": ("markdown-it-emoji", "lib/data/full.mjs"),
    "dagre.mjs": ("@dagrejs/dagre", "dist/dagre.esm.js"),
    "uplot.mjs": ("uplot", "dist/uPlot.esm.js"),
    "uplot.css": ("uplot", "dist/uPlot.min.css"),
}

FONTS = "katex", "dist/fonts"
"""The package and the folder of the fonts that `katex.css` names. Every browser that the page runs in takes woff2."""

INSIDE = {
    "markdown-it": ["entities", "linkify-it", "mdurl", "punycode.js", "uc.micro"],
    "@dagrejs/dagre": ["@dagrejs/graphlib"],
}
"""The packages whose code is inside a package's file. Their licences stand after the package's own."""

ICONS = [
    "archive", "archive-restore", "arrow-up", "at-sign", "bell", "bell-off", "check", "check-check", "chevron-down",
    "chevron-left", "chevron-right", "chevrons-down", "circle-alert", "circle-check", "circle-help", "circle-stop",
    "circle-x", "clock", "cloud-off", "copy", "crown", "database", "door-open", "download", "ellipsis", "eye",
    "file-clock", "file-text", "gauge", "hash", "history", "keyboard", "layout-dashboard", "link", "list-tree", "lock",
    "log-in", "log-out", "menu", "message-square", "monitor", "moon", "panel-right-close", "panel-right-open",
    "paperclip", "pause", "pencil", "pin", "pin-off", "plus", "radio", "refresh-cw", "reply", "rotate-ccw", "scissors",
    "search", "settings", "settings-2", "smile", "smile-plus", "sun", "thumbs-down", "thumbs-up", "trash-2",
    "triangle-alert", "unplug", "user", "user-plus", "users", "wifi-off", "workflow", "wrap-text", "x",
]  # fmt: skip


def main() -> None:
    locked = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    shutil.rmtree(VENDOR, ignore_errors=True)
    (VENDOR / "licenses").mkdir(parents=True)
    (VENDOR / "fonts").mkdir()
    entries = []
    package, folder = FONTS
    fonts = {
        f"fonts/{font.name}": (package, f"{folder}/{font.name}")
        for font in sorted((PACKAGES / package / folder).glob("*.woff2"))
    }
    for name, (package, path) in {**FILES, **fonts}.items():
        (VENDOR / name).write_bytes((PACKAGES / package / path).read_bytes())
        entries.append(_entry(name, package, path, locked, VENDOR / name))
    sprite = WEB / "icons.svg"
    sprite.write_text(_sprite(), encoding="utf-8")
    entries.append(_entry("../icons.svg", "lucide-static", "icons/", locked, sprite))
    (VENDOR / "vendor.json").write_text(json.dumps({"files": entries}, indent=2) + "\n", encoding="utf-8")


def _entry(name: str, package: str, path: str, locked: dict[str, dict[str, str]], copy: Path) -> dict[str, str]:
    licence = f"licenses/{package.replace('@', '').replace('/', '-')}.txt"
    texts = [_licence(package), *(f"{inside}\n\n{_licence(inside)}" for inside in INSIDE.get(package, ()))]
    (VENDOR / licence).write_text("\n\n".join(texts), encoding="utf-8")
    about = locked[f"node_modules/{package}"]
    return {
        "file": name,
        "package": package,
        "path": path,
        "version": about["version"],
        "integrity": about["integrity"],
        "sha256": hashlib.sha256(copy.read_bytes()).hexdigest(),
        "license": about["license"],
        "license_file": licence,
    }


def _licence(package: str) -> str:
    [file] = [file for file in (PACKAGES / package).iterdir() if file.name.lower().startswith("license")]
    return file.read_text(encoding="utf-8")


def _sprite() -> str:
    symbols = []
    for name in ICONS:
        svg = (PACKAGES / "lucide-static" / "icons" / f"{name}.svg").read_text(encoding="utf-8")
        drawn = re.search(r"<svg[^>]*>(.*)</svg>", svg, re.DOTALL)
        assert drawn, name
        shapes = re.sub(r"\s+", " ", drawn[1]).strip().replace(" />", "/>").replace("> <", "><")
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{shapes}</symbol>')
    return '<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n"


if __name__ == "__main__":
    main()
