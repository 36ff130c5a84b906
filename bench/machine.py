"""The machine a run was made on: what it is, what its disk costs, and how busy others kept it."""

from __future__ import annotations

import os
import platform
import resource
import sqlite3
import statistics
import subprocess
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from bench.client import BenchError

TICK = os.sysconf("SC_CLK_TCK")
NEEDED_FILES = 8192  # 5,000 idle connections on either side of the largest scenario, with room


def raise_file_limit() -> None:
    """Lift the soft limit of open files to the hard one, and the hard one where we may. BenchError if it is too low."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < NEEDED_FILES:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (NEEDED_FILES, NEEDED_FILES))
            return
        except (ValueError, OSError) as error:
            raise BenchError(
                f"{NEEDED_FILES} open files are needed and the hard limit is {hard} (see ulimit -Hn)."
            ) from error
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def filesystem(path: Path) -> str:
    """The type of the file system that holds `path`. BenchError if it is memory: FULL would cost nothing there."""
    best = ("", "?")
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        left, right = line.split(" - ")
        mount = left.split()[4]
        if (path.is_relative_to(mount)) and len(mount) >= len(best[0]):
            best = (mount, right.split()[0])
    if best[1] in {"tmpfs", "ramfs"}:
        raise BenchError(f"{path} is on {best[1]}, where nothing is durable: name a directory on a disk with --work.")
    return best[1]


def sync_cost(directory: Path) -> float:
    """Return the milliseconds that one 4 KB append with fdatasync takes on this machine: the median of 200."""
    times = []
    name = directory / "sync"
    with name.open("wb", buffering=0) as file:
        for _ in range(200):
            began = time.perf_counter()
            file.write(b"x" * 4096)
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - began)
    name.unlink()
    return statistics.median(times) * 1000


def busy() -> float:
    """CPU seconds all processes of this machine have used since it started, time stolen by its host included."""
    user, nice, system, _idle, _wait, irq, soft, steal = map(int, Path("/proc/stat").read_text().split()[1:9])
    return (user + nice + system + irq + soft + steal) / TICK


def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def describe(directory: Path, nchan: str | None) -> dict[str, Any]:
    """The machine, the disk and every version that matters, for the head of the report."""
    model = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        platform.processor(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    here = Path(__file__).parent
    commit = subprocess.run(
        ["git", "-C", here, "rev-parse", "--short", "HEAD"], capture_output=True, text=True
    ).stdout.strip()
    packages = ("uvicorn", "uvloop", "httptools", "fastapi", "starlette", "sse-starlette", "msgspec")
    return {
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "cpu": f"{os.cpu_count()} × {model}",
        "memory": f"{memory:.0f} GB",
        "kernel": platform.release(),
        "disk": filesystem(directory),
        "sync_ms": round(sync_cost(directory), 3),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "tidings": f"{_installed('tidings')} ({commit or 'no commit'})",
        "packages": {name: _installed(name) for name in packages},
        "nchan": nchan,
    }
