"""The hook that bundles the page before a wheel or an archive of the sources is built from a checkout."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Bundle(BuildHookInterface):  # type: ignore[type-arg]
    """Runs `scripts/bundle.mjs`. An archive of the sources has the bundle, and needs no Node to become a wheel.

    A wheel without a bundle gets the sources that pyproject.toml leaves out of wheels.
    """

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        web = Path(self.root, "src", "tidings", "web")
        if not self._bundle(Path(self.root), web) and self.target_name == "wheel":
            for path in (
                web / "client",
                web / "ui",
                web / "icons.svg",
                web / "index.html",
                web / "vendor" / "licenses",
                *web.glob("vendor/*.mjs"),
                *web.glob("vendor/*.css"),
            ):
                build_data["force_include"][str(path)] = f"tidings/web/{path.relative_to(web).as_posix()}"

    def _bundle(self, root: Path, web: Path) -> bool:
        """Tell whether there is a bundle of the sources as they are."""
        script, esbuild = root / "scripts" / "bundle.mjs", root / "node_modules" / "esbuild"
        if not script.exists():
            return (web / "bundle").is_dir()
        node = shutil.which("node")
        if node is not None and esbuild.is_dir():
            subprocess.run([node, str(script)], check=True)
            return True
        self.app.display_warning("Node or esbuild is missing, so the page is not bundled: run scripts/bundle first.")
        return False
