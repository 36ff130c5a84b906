"""Print the coverage of each source file that is not covered fully, and fail for a library file below the floor.

    make coverage            (which measures first, then runs this script)

Reads the combined data file that `coverage combine` leaves. Every file of the library reaches FLOOR percent: a gap
there is closed by a test, and no file is left out. Otherwise the script names the files below and exits with 1.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.test_house import LIBRARY, ROOMS, module_of, room_of

ROOT = Path(__file__).resolve().parents[1]

FLOOR = 95.0
"""Percent of lines and branches that the whole suite runs, in each file of the library."""

ALSO = {"tidings", "errors", "events", "clock"}
"""Modules beside the library's rooms, which every room uses."""


def measured() -> dict[Path, dict[str, Any]]:
    """Return coverage's report on each source file, by its path."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "coverage.json"
        subprocess.run([sys.executable, "-m", "coverage", "json", "-q", "-o", str(file)], cwd=ROOT, check=True)
        files = json.loads(file.read_text(encoding="utf-8"))["files"]
    return {ROOT / name: report for name, report in files.items()}


def gaps(report: dict[str, Any]) -> str:
    """List the lines that no test reaches, then the branches that no test takes as `from→to`."""
    missing = set(report["missing_lines"])
    branches = [f"{start}→{end}" for start, end in report["missing_branches"] if start not in missing]
    return " ".join([*map(str, report["missing_lines"]), *branches])


def main() -> int:
    rooms: dict[str, list[tuple[float, str, str]]] = {room: [] for room in ROOMS}
    for path, report in measured().items():
        module = module_of(path)
        rooms[room_of(module)].append((report["summary"]["percent_covered"], module, gaps(report)))
    low = []
    for room, files in rooms.items():
        for percent, module, missing in sorted(files):
            below = percent < FLOOR and room in LIBRARY | ALSO
            low += [module] * below
            if missing:
                print(f"{percent:5.1f} %{'!' if below else ' '} {module:32} {missing[:120]}")
    print(f"\nFiles of the library below {FLOOR:g} % of their lines and branches: {', '.join(low) or 'none'}.")
    return 1 if low else 0


if __name__ == "__main__":
    sys.exit(main())
