"""The load client, load.c: built here, started for one trial, told to go, and read."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, cast

SOURCE = Path(__file__).with_name("load.c")


class BenchError(Exception):
    """A reason to stop the benchmark, in one sentence for the user."""


def build(work: Path) -> Path:
    """Compile load.c into `work`. BenchError if there is no C compiler or it refuses."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise BenchError(
            "The load client is a C program and there is no C compiler (gcc or cc): install one, then run this again."
        )
    target = work / "load"
    done = subprocess.run([compiler, "-O2", "-Wall", "-o", target, SOURCE], capture_output=True, text=True)
    if done.returncode:
        raise BenchError(f"load.c does not compile: {done.stderr.strip()[:400]}")
    return target


class Load:
    """A run of the load client: call `ready()`, then `go()`. The client's own `limit` bounds the time of both."""

    def __init__(self, program: Path, port: int, arguments: list[str]) -> None:
        self._process = subprocess.Popen(
            [program, str(port), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Load:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            assert pipe
            pipe.close()

    def _line(self, key: str) -> dict[str, Any]:
        assert self._process.stdout
        assert self._process.stderr
        text = self._process.stdout.readline()
        if not text:
            raise BenchError(f"The load client stopped: {self._process.stderr.read().strip()}")
        return cast(dict[str, Any], json.loads(text)[key])

    def ready(self) -> dict[str, Any]:
        """Wait until every reader is connected and has read the history."""
        return self._line("ready")

    def go(self) -> dict[str, Any]:
        """Start the publishers and storms; their result, when all is read or the time is up."""
        assert self._process.stdin
        self._process.stdin.write("go\n")
        self._process.stdin.close()
        return self._line("result")
